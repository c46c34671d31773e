/*
 * ustar.h - reads a tar archive in memory, entry by entry; pure, so that hostile ones can be tried on the host.
 *
 * Implementation: fs/ustar.c.  Understood: ustar, with the extensions for long names and large sizes of PAX
 * (POSIX.1-2017, pax, "pax Interchange Format") and of GNU tar.  Nothing outside [data, data + size) is read.
 */
#pragma once
#include <lib/base.h>

#define USTAR_NAME_MAX 4096 /* with the NUL */

struct ustar_entry {
	char type; /* '0' file, '1' hard link, '2' symbolic link, '3' '4' devices, '5' directory, '6' FIFO */
	char name[USTAR_NAME_MAX]; /* as in the archive: may be absolute or hold ".." */
	char link[USTAR_NAME_MAX]; /* target of '1' and '2' */
	const uint8_t *data;	   /* of a file, within the archive */
	uint64_t size;
	uint32_t mode, uid, gid;
	int64_t mtime;
	uint32_t major, minor;
	const char *problem; /* why this one cannot be used, or NULL */
};

struct ustar {
	const uint8_t *start, *at, *end;
	const char *error; /* why it cannot be read on, or NULL */
	struct ustar_entry entry;
};

void ustar_begin(struct ustar *u, const void *data, size_t size);
/* The next one in u->entry.  False: the end, or u->error is set and u->at stands at what is wrong. */
bool ustar_next(struct ustar *u);
