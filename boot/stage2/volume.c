/*
 * volume.c - finds the FAT volume on the boot medium, and reads from it.
 *
 * Content decides: a medium that is a FAT volume from its first sector on (floppy) is that volume;
 * else the partitions are tried, the active one first.  The beginning of the volume, which on our
 * images holds both FATs, the root directory and MINOS.CFG, is read in one transfer and kept.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include "fat.h"
#include "stage2.h"
#include "x86.h"

#define MBR_DISK_ID    0x1b8
#define MBR_PARTITIONS 0x1be
#define MBR_SIGNATURE  0x1fe
#define PARTITION_SIZE 16
#define PARTITIONS     4
#define ACTIVE	       0x80
#define CACHE_SIZE     (80 * FAT_SECTOR)

struct fat_volume volume;

static struct {
	uint64_t start;	     /* of the volume, bytes */
	const uint8_t *data; /* its first bytes; NULL: not read */
	uint32_t length;
} cache;

const void *
volume_read(uint32_t sector, uint32_t *len)
{
	const uint64_t offset = (uint64_t)sector * FAT_SECTOR;

	if (offset + *len <= cache.length)
		return cache.data + (uint32_t)offset;
	return disk_read(cache.start + offset, len, LOADER_BOUNCE);
}

/* fat_read_t for volume_read().  Read errors do not come back: disk_read() reports them itself. */
static int
fat_read(void *ctx, uint32_t sector, uint32_t count, void *buf)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t len = FAT_SECTOR;
		const void *p = volume_read(sector + i, &len);

		if (len < FAT_SECTOR)
			return -EIO;
		copy_dwords((uint8_t *)buf + i * FAT_SECTOR, p, FAT_SECTOR / 4);
	}
	return 0;
}

static bool
try_volume(uint64_t start)
{
	cache.start = start;
	cache.length = CACHE_SIZE;
	cache.data = disk_read(start, &cache.length, LOADER_CACHE);
	if (fat_mount(&volume, fat_read, NULL) != 0)
		return false;
	info->volume_offset = start;
	return true;
}

static bool
find_volume(void)
{
	uint32_t len = FAT_SECTOR, first[PARTITIONS], count = 0;
	const uint8_t *mbr = disk_read(0, &len, LOADER_BOUNCE);

	memcpy(&info->disk_id, mbr + MBR_DISK_ID, sizeof(info->disk_id));
	if (mbr[MBR_SIGNATURE] != 0x55 || mbr[MBR_SIGNATURE + 1] != 0xaa)
		return false;
	for (uint32_t pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < PARTITIONS; i++) {
			const uint8_t *p = mbr + MBR_PARTITIONS + i * PARTITION_SIZE;

			/* Type 0 is an unused entry; the active one comes first. */
			if (p[4] == 0 || (p[0] == ACTIVE) != (pass == 0))
				continue;
			memcpy(&first[count++], p + 8, sizeof(first[0]));
		}
	if (mbr[0x0b] == 0 && (mbr[0x0c] & 0x1e) && try_volume(0)) /* plausible bytes per sector */
		return true;
	for (uint32_t i = 0; i < count; i++)
		if (first[i] != 0 && try_volume((uint64_t)first[i] << 9))
			return true;
	/* Partitioned by a tool that counted in the medium's own sectors. */
	for (uint32_t i = 0; i < count && info->sector_size != 512; i++)
		if (first[i] != 0 && try_volume((uint64_t)first[i] * info->sector_size))
			return true;
	return false;
}

void
volume_init(void)
{
	say("volume ");
	if (!find_volume())
		die("Write the image to the medium again.",
		    "drive %02xh holds no FAT volume (neither the whole medium nor a "
		    "partition%s%s)",
		    info->drive, volume.why ? "; last tried: " : "", volume.why ? volume.why : "");
	say("FAT%u, LBA %u\n", volume.type, (uint32_t)(info->volume_offset >> 9));
	trace("volume");
}
