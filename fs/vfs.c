/*
 * vfs.c - the root file system comes up: tmpfs, /dev, what the initrd holds, /proc.
 */
#include <fs/vfs.h>
#include <fs/device.h>
#include <fs/initrd.h>
#include <fs/procfs.h>
#include <fs/tmpfs.h>
#include "internal.h"

static int
mount_proc(void)
{
	const int result = vfs_mkdir(NULL, "/proc", 0555);

	if (result != 0 && result != -EEXIST)
		return result;
	return vfs_mount("proc", "/proc", "proc", 0, "");
}

int
vfs_init(void)
{
	int result = file_cache_init();

	if (result != 0)
		return result;
	fs_register(&tmpfs_type);
	fs_register(&procfs_type);
	result = mount_root("tmpfs");
	if (result == 0)
		result = devices_init();
	if (result == 0)
		result = initrd_unpack();
	if (result == 0)
		result = mount_proc();
	return result;
}
