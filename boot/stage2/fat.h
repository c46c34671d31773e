/*
 * fat.h - reading files in the root directory of a FAT12, FAT16 or FAT32 volume.  Pure over a read
 * callback; tested on the host with real and with hostile volumes.
 *
 * All sectors here are units of 512 bytes from the start of the volume, whatever its own logical
 * sectors are.  Functions return 0 or -errno; volume->why then says in words what is wrong:
 * -EIO (the callback failed), -EINVAL (the volume contradicts itself), -ENOENT.
 */
#pragma once
#include <lib/base.h>

#define FAT_SECTOR 512

/* Read @count sectors from @sector on into @buf.  0 or -EIO. */
typedef int (*fat_read_t)(void *ctx, uint32_t sector, uint32_t count, void *buf);

struct fat_volume {
	fat_read_t read;
	void *ctx;
	const char *why;
	uint8_t type; /* 12, 16 or 32 */
	uint32_t fat_start, fat_sectors;
	uint32_t root_start, root_sectors; /* FAT12/16 */
	uint32_t root_cluster;		   /* FAT32 */
	uint32_t data_start;
	uint32_t cluster_sectors;
	uint32_t clusters;     /* numbered from 2 */
	uint32_t sectors;      /* of the whole volume */
	uint32_t window_start; /* sector in window[], UINT32_MAX = none */
	uint8_t window[FAT_SECTOR];
};

/* A file, and how far its runs have been taken. */
struct fat_file {
	uint32_t size;	  /* bytes */
	uint32_t cluster; /* first one of the next run */
	uint32_t left;	  /* clusters not yet returned */
};

/* Check the boot sector.  -EINVAL if this is no FAT volume. */
int fat_mount(struct fat_volume *v, fat_read_t read, void *ctx);

/* Find @name (8.3, letters of either case) in the root directory. */
int fat_open(struct fat_volume *v, const char *name, struct fat_file *f);

/* Is @name a name that fat_open() could find? */
bool fat_name_valid(const char *name);

/*
 * The next contiguous piece of the file, as long as the clusters allow.  Returns 1 with it, 0 at
 * the end, or -errno.  The last run is a whole number of clusters, even if the file ends before.
 */
int fat_next_run(struct fat_volume *v, struct fat_file *f, uint32_t *sector, uint32_t *count);
