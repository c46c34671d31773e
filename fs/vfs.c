/*
 * vfs.c - the root file system comes up: tmpfs, /dev, and what the initrd holds.
 */
#include <fs/vfs.h>
#include <fs/device.h>
#include <fs/initrd.h>
#include <fs/tmpfs.h>
#include "internal.h"

int
vfs_init(void)
{
	int result = file_cache_init();

	if (result != 0)
		return result;
	fs_register(&tmpfs_type);
	result = mount_root("tmpfs");
	if (result == 0)
		result = devices_init();
	if (result == 0)
		result = initrd_unpack();
	return result;
}
