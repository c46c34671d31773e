/*
 * procfs.h - /proc: what the kernel knows, as files of text.
 *
 * Implementation: fs/procfs.c has the tree; kernel/proc/show_*.c say what stands in each file and hand their tables
 * over at the start.  A file's text is made when it is read from its beginning, and stays for that open file.
 * Formats: proc(5).
 */
#pragma once
#include <kern/base.h>

struct process;
struct path;

/* Text that grows; a failed growth leaves it as it was, and the reader gets -ENOMEM. */
struct text {
	char *buf;
	size_t len, room;
	bool failed;
};
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* @n bytes, whatever they are. */
void text_bytes(struct text *t, const void *bytes, size_t n);

struct proc_file {
	const char *name; /* with slashes for files in folders: "sys/kernel/hostname" */
	uint32_t mode;	  /* permissions */
	/* What stands in it; @p: the process whose file it is, referenced, perhaps a zombie; NULL for the system's. */
	void (*show)(struct text *t, struct process *p);
	/* What is written, ended by NUL, blanks at its end cut off.  0 or -errno.  NULL = cannot be written. */
	int (*store)(struct process *p, const char *value);
};

/* Both end with a NULL name.  Init time. */
void procfs_register(const struct proc_file *system, const struct proc_file *process);
/* The file system type, for vfs_init(). */
extern struct fs_type procfs_type;
/* A line for each mount, as in /proc/mounts. */
void mounts_show(struct text *t);
/* A line for each type of file system, as in /proc/filesystems. */
void fs_types_show(struct text *t);
