/*
 * device.h - character devices as files: major numbers and who serves them.
 *
 * Numbers as Linux has them (Documentation/admin-guide/devices.txt): 1 memory devices, 4 and 5 terminals.
 */
#pragma once
#include <fs/vfs.h>

/* Linux's huge encoding of dev_t, as it is in struct stat. */
static inline unsigned
device_major(uint64_t dev)
{
	return (unsigned)((dev >> 8 & 0xfff) | (dev >> 32 & ~0xfffULL));
}
static inline unsigned
device_minor(uint64_t dev)
{
	return (unsigned)((dev & 0xff) | (dev >> 12 & ~0xffULL));
}
static inline uint64_t
device_number(unsigned major, unsigned minor)
{
	return (minor & 0xffULL) | (major & 0xfffULL) << 8 | (minor & ~0xffULL) << 12 |
	       (major & ~0xfffULL) << 32;
}

/* Init row: the nodes of /dev, and the memory devices (fs/memdev.c).  0 or -errno. */
int devices_init(void);
/* Init time: open nodes with this @major get @ops; their open() looks at the minor. */
void device_register(unsigned major, const struct file_ops *ops);
