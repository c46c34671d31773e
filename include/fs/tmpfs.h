/*
 * tmpfs.h - files in memory (fs/tmpfs.c).
 */
#pragma once
#include <fs/vfs.h>

extern struct fs_type tmpfs_type;

/* A file of @size zeros without a name: shared memory.  0 or -ENOMEM. */
int tmpfs_unnamed(uint64_t size, struct file **out);
/* What an open device node, FIFO or socket of this mode does: fs/special.c. */
const struct file_ops *special_fops(uint32_t mode);
