/*
 * disk.c - reading the boot medium by int 13h, through firmware that errs.
 *
 * EDD packet calls where the BIOS has them, else cylinder/head/sector.  One transfer is at most 127
 * sectors of 512 bytes or 31 of 2048 into a buffer at a 64 KiB boundary: larger ones, or ones that
 * cross such a boundary, fail on many BIOSes.  After an error: reset, and halve the transfer, also
 * for the future; when single sectors fail, cylinder/head/sector; then give up.
 *
 * Offsets are bytes, so that one image serves media of 512, 2048 and 4096 bytes per sector.
 * Spec: BIOS Enhanced Disk Drive Specification 3.0; IBM PC/AT Technical Reference, "INT 13".
 */
#include <lib/string.h>
#include "bios.h"
#include "stage2.h"
#include "x86.h"

#define FLOPPY_LIMIT 0x80 /* drive numbers below it are floppies */
#define TRIES	     3
#define MAX_TRANSFER (127 * 512)

struct edd_packet {
	uint8_t size, reserved;
	uint16_t count;
	uint16_t offset, segment;
	uint64_t lba;
} PACKED;

struct edd_params {
	uint16_t size, flags;
	uint32_t cylinders, heads, sectors_per_track;
	uint64_t sectors;
	uint16_t sector_size;
	uint32_t edd;
} PACKED;

static struct {
	uint8_t drive;
	bool edd;
	uint8_t shift;	       /* log2 of the sector size */
	uint32_t max;	       /* sectors per transfer; shrinks after errors */
	uint32_t track, heads; /* CHS geometry; 0 = not asked for yet */
	uint64_t sectors;      /* on the medium, 0 = unknown */
	uint8_t status;	       /* AH of the last failure */
} disk;

static bool
int13(struct bios_regs *r)
{
	const uint64_t start = trace_clock();

	r->edx = (r->edx & ~0xffU) | disk.drive;
	bios_int(0x13, r);
	trace_disk_time(trace_clock() - start);
	if (bios_carry(r))
		disk.status = (uint8_t)(r->eax >> 8);
	return !bios_carry(r);
}

static void
reset(void)
{
	struct bios_regs r = {.eax = 0};

	(void)int13(&r); /* whether it helped shows at the next read */
}

static const char *
status_name(uint8_t status)
{
	switch (status) {
	case 0x01: return "invalid command";
	case 0x02: return "address mark not found";
	case 0x04: return "sector not found";
	case 0x06: return "medium changed";
	case 0x08: return "DMA overrun";
	case 0x09: return "DMA across 64 KiB";
	case 0x0c: return "unknown medium";
	case 0x10: return "uncorrectable data error";
	case 0x20: return "controller failure";
	case 0x31: return "no medium";
	case 0x40: return "seek failed";
	case 0x80: return "timeout, drive not ready";
	default: return "error";
	}
}

/* --- cylinder/head/sector --- */

static bool
chs_read(uint32_t lba, uint32_t count, uint32_t buf)
{
	const uint32_t track = lba / disk.track;
	const uint32_t cylinder = track / disk.heads, head = track % disk.heads;
	struct bios_regs r = {.eax = 0x0200 | count, .es = (uint16_t)(buf >> 4)};

	if (cylinder > 1023) {
		disk.status = 0x04;
		return false;
	}
	r.ecx = (cylinder & 0xff) << 8 | (cylinder >> 8) << 6 | (lba % disk.track + 1);
	r.edx = head << 8;
	return int13(&r);
}

/* A floppy without a BPB: the largest track whose last sector can be read. */
static void
probe_floppy(void)
{
	static const uint8_t tracks[] = {36, 18, 15, 9};

	disk.heads = 2;
	for (uint32_t i = 0; i < ARRAY_SIZE(tracks); i++) {
		disk.track = tracks[i];
		if (chs_read(tracks[i] - 1, 1, LOADER_BOUNCE))
			return;
		reset();
	}
}

/*
 * If stage 1 read by CHS, its geometry was right: the checksum held.  Else a floppy's is what its
 * BPB says, since AH=08h knows the drive and not the medium; a hard disk's is what AH=08h says.
 */
static void
find_geometry(void)
{
	const uint32_t track = *(const uint16_t *)STAGE1_TRACK;
	const uint32_t heads = *(const uint16_t *)STAGE1_HEADS;
	const bool plausible = track >= 1 && track <= 64 && heads >= 1 && heads <= 256;
	const bool chs = *(const int8_t *)STAGE1_EDD != 1;
	struct bios_regs r = {.eax = 0x0800};

	disk.track = 63;
	disk.heads = 255;
	if (plausible && (chs || disk.drive < FLOPPY_LIMIT)) {
		disk.track = track;
		disk.heads = heads;
	} else if (disk.drive < FLOPPY_LIMIT) {
		probe_floppy();
	} else if (int13(&r) && (r.ecx & 0x3f)) {
		disk.track = r.ecx & 0x3f;
		disk.heads = ((r.edx >> 8) & 0xff) + 1;
	}
}

static void
use_chs(void)
{
	disk.edd = false;
	disk.max = MAX_TRANSFER >> disk.shift;
	info->quirks |= BOOT_QUIRK_CHS;
	find_geometry();
}

/* --- EDD --- */

static bool
edd_read(uint64_t lba, uint32_t count, uint32_t buf)
{
	struct edd_packet packet = {.size = sizeof(packet),
				    .count = (uint16_t)count,
				    .segment = (uint16_t)(buf >> 4),
				    .lba = lba};
	struct bios_regs r = {.eax = 0x4200, .esi = (uint32_t)&packet};

	return int13(&r);
}

static bool
edd_present(void)
{
	struct bios_regs r = {.eax = 0x4100, .ebx = 0x55aa};

	return int13(&r) && (r.ebx & 0xffff) == 0xaa55 && (r.ecx & 1);
}

/* Sector size and number of sectors; what the BIOS cannot mean stays 512 and unknown. */
static void
edd_parameters(void)
{
	struct edd_params params = {.size = 0x1e};
	struct bios_regs r = {.eax = 0x4800, .esi = (uint32_t)&params};

	if (!int13(&r))
		return;
	disk.sectors = params.sectors;
	for (uint8_t shift = 9; shift <= 12; shift++)
		if (params.sector_size == 1U << shift)
			disk.shift = shift;
}

void
disk_init(uint8_t drive)
{
	say("disk %02xh ", drive);
	disk.drive = drive;
	disk.shift = 9;
	disk.edd = edd_present();
	if (disk.edd)
		edd_parameters();
	else
		use_chs();
	disk.max = MAX_TRANSFER >> disk.shift;
	info->drive = drive;
	info->sector_size = 1U << disk.shift;
	if (disk.shift == 11)
		info->media = BOOT_MEDIA_CD;
	else
		info->media =
			drive < FLOPPY_LIMIT && !disk.edd ? BOOT_MEDIA_FLOPPY : BOOT_MEDIA_DISK;
	say("%s, sectors of %u bytes\n", disk.edd ? "EDD" : "CHS", info->sector_size);
}

/* --- reading, with patience --- */

NORETURN static void
give_up(uint64_t lba, uint32_t count)
{
	const uint64_t lba512 = lba << (disk.shift - 9);

	if (disk.sectors && lba + count > disk.sectors)
		die("The image is cut short: write it to the medium again, whole.",
		    "disk read error: drive %02xh, LBA %llu is behind the end of the medium (%llu "
		    "sectors)",
		    disk.drive, (unsigned long long)lba512,
		    (unsigned long long)(disk.sectors << (disk.shift - 9)));
	die("Write the image to the medium again, or try another medium or port.",
	    "disk read error: drive %02xh, LBA %llu, status %02xh (%s)", disk.drive,
	    (unsigned long long)lba512, disk.status, status_name(disk.status));
}

/* One attempt.  With CHS the transfer ends at the end of a track: *@count is what was tried. */
static bool
attempt(uint64_t lba, uint32_t *count, uint32_t buf)
{
	bool ok;

	*count = MIN(*count, disk.max);
	if (!disk.edd)
		*count = MIN(*count, disk.track - (uint32_t)lba % disk.track);
	ok = disk.edd ? edd_read(lba, *count, buf) : chs_read((uint32_t)lba, *count, buf);
	info->read_calls++;
	if (ok)
		info->read_sectors += *count;
	return ok;
}

/* Read some of @count sectors; returns how many. */
static uint32_t
read_some(uint64_t lba, uint32_t count, uint32_t buf)
{
	uint32_t singles = 0;
	bool failed = false;

	for (;;) {
		uint32_t n = count;

		if (attempt(lba, &n, buf)) {
			if (failed)
				info->quirks |= BOOT_QUIRK_RETRY;
			return n;
		}
		failed = true;
		reset();
		if (n > 1) {
			disk.max = n / 2;
			info->quirks |= BOOT_QUIRK_HALVED;
		} else if (++singles < TRIES) {
			continue;
		} else if (disk.edd && disk.shift == 9) {
			use_chs();
			singles = 0;
		} else {
			give_up(lba, 1);
		}
	}
}

const void *
disk_read(uint64_t offset, uint32_t *len, uint32_t buf)
{
	const uint32_t size = 1U << disk.shift;
	const uint32_t skip = (uint32_t)offset & (size - 1);
	const uint64_t lba = offset >> disk.shift;
	uint32_t want = (MIN(*len, (uint32_t)MAX_TRANSFER) + skip + size - 1) >> disk.shift;
	uint32_t done = 0;

	want = MIN(want, (uint32_t)MAX_TRANSFER >> disk.shift);
	if (disk.sectors && lba < disk.sectors && lba + want > disk.sectors)
		want = (uint32_t)(disk.sectors - lba);
	while (done < want)
		done += read_some(lba + done, want - done, buf + (done << disk.shift));
	a20_keep();
	*len = MIN(*len, (want << disk.shift) - skip);
	return (const void *)(buf + skip);
}
