/*
 * statfs.h - struct statfs, struct statx as Linux x86-64 has them.
 */
#pragma once
#include <stdint.h>

struct statfs64 {
	int64_t type, bsize;
	uint64_t blocks, bfree, bavail, files, ffree;
	int32_t fsid[2];
	int64_t namelen, frsize, flags, spare[4];
};

struct k_statx_time {
	int64_t sec;
	uint32_t nsec, pad;
};

struct k_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad;
	uint64_t ino, size, blocks, attributes_mask;
	struct k_statx_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mnt_id, spare[13];
};

#define STATX_BASIC_STATS  0x7ff
#define STATX__RESERVED	   0x80000000U
#define AT_NO_AUTOMOUNT	   0x800
#define AT_STATX_SYNC_TYPE 0x6000
#define TMPFS_MAGIC	   0x01021994
