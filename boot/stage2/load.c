/*
 * load.c - MINOS.CFG, the kernel and the initrd, from the volume to memory.
 *
 * Files stream through the transfer buffer: each piece is summed there and copied up at once to
 * where it belongs, so that the bytes move once.  Where they go is checked against the memory map
 * before the first byte; what they were is known after the last, and nothing of them is used
 * before.  A kernel packed by LZ4 is kept as it came at the top of memory, and unpacked there once
 * its checksum was right.
 */
#include <boot/tar.h>
#include <lib/crc32.h>
#include <lib/string.h>
#include "config.h"
#include "elf.h"
#include "fat.h"
#include "lz4.h"
#include "stage2.h"
#include "x86.h"

#define CONFIG_NAME "MINOS.CFG"
#define TRAILER	    sizeof(struct file_trailer)

static const char advice[] = "Copy the file to the volume again (mcopy, or any PC), or write the "
			     "image to the medium again.";

/* A file on its way to memory. */
struct stream {
	const char *name;
	struct fat_file file;
	uint32_t size;		  /* of the file */
	uint32_t offset;	  /* of the piece to be read next */
	uint32_t sector, sectors; /* of the current run, on the volume */
	uint32_t crc;		  /* of all bytes but the last TRAILER ones */
	uint8_t tail[TRAILER];
	struct file_trailer trailer; /* all 0 if the file has none */
};

/* False if there is no such file. */
static bool
stream_open(struct stream *s, const char *name)
{
	*s = (struct stream){.name = name};
	if (fat_open(&volume, name, &s->file) == 0) {
		s->size = s->file.size;
		return true;
	}
	if (strcmp(volume.why, "not found") != 0)
		die(advice, "%s: %s (root directory at LBA %u)", name, volume.why,
		    (uint32_t)(info->volume_offset >> 9) + volume.root_start);
	return false;
}

/* Sum a piece; its part of the last TRAILER bytes goes to tail[] instead. */
static void
stream_sum(struct stream *s, const uint8_t *data, uint32_t n)
{
	const uint32_t summed = s->size > TRAILER ? s->size - TRAILER : 0;
	const uint32_t before = s->offset >= summed ? 0 : MIN(n, summed - s->offset);

	s->crc = crc32(s->crc, data, before);
	if (before < n)
		memcpy(s->tail + (s->offset + before - summed), data + before, n - before);
}

/* After the last piece: is there a trailer? */
static void
stream_finish(struct stream *s)
{
	struct file_trailer t;

	memcpy(&t, s->tail, sizeof(t));
	if (s->size >= TRAILER && t.magic == FILE_TRAILER_MAGIC)
		s->trailer = t;
	else
		s->crc = crc32(s->crc, s->tail, MIN(s->size, TRAILER));
}

/* The next piece of the file; NULL after the last. */
static const void *
stream_next(struct stream *s, uint32_t *n)
{
	const void *data;

	if (s->offset == s->size) {
		stream_finish(s);
		return NULL;
	}
	if (s->sectors == 0 && fat_next_run(&volume, &s->file, &s->sector, &s->sectors) != 1)
		die(advice, "%s: %s (byte %u of %u; FAT at LBA %u)", s->name, volume.why, s->offset,
		    s->size, (uint32_t)(info->volume_offset >> 9) + volume.fat_start);
	*n = MIN(s->sectors > 0x10000 ? UINT32_MAX : s->sectors * FAT_SECTOR, s->size - s->offset);
	*n = MIN(*n, (uint32_t)LOADER_BOUNCE_SIZE);
	data = volume_read(s->sector, n);
	if (s->offset + *n < s->size)
		*n &= ~(FAT_SECTOR - 1U);
	stream_sum(s, data, *n);
	s->sector += *n / FAT_SECTOR;
	s->sectors -= MIN(s->sectors, (*n + FAT_SECTOR - 1) / FAT_SECTOR);
	return data;
}

/* Bytes of the file without its trailer. */
static uint32_t
payload(const struct stream *s)
{
	return s->trailer.magic ? s->size - TRAILER : s->size;
}

static void
verify(const struct stream *s)
{
	if (s->trailer.length != s->size - TRAILER)
		die(advice, "%s: %u bytes long, but its checksum is for %u", s->name,
		    (uint32_t)(s->size - TRAILER), s->trailer.length);
	if (s->trailer.crc != s->crc)
		die(advice, "%s: wrong checksum: CRC-32 %08x, expected %08x", s->name, s->crc,
		    s->trailer.crc);
}

/* --- MINOS.CFG --- */

void
load_config(struct boot_config *config)
{
	static char text[CONFIG_MAX];
	struct stream s;
	const void *data;
	uint32_t n, length = 0;

	say("config " CONFIG_NAME);
	if (!stream_open(&s, CONFIG_NAME)) {
		say(": not found, defaults are used\n");
		info->quirks |= BOOT_QUIRK_CONFIG;
	} else if (s.size > CONFIG_MAX) {
		say(": larger than %u bytes, defaults are used\n", CONFIG_MAX);
		info->quirks |= BOOT_QUIRK_CONFIG;
	} else {
		while ((data = stream_next(&s, &n)) != NULL) {
			memcpy(text + s.offset, data, n);
			s.offset += n;
		}
		length = s.size;
		say("\n");
	}
	config_parse(config, text, length);
	for (uint32_t i = 0; i < MIN(config->wrong_count, (uint32_t)CONFIG_WRONG); i++)
		say(CONFIG_NAME " line %u ignored: %s\n", config->wrong[i].line,
		    config->wrong[i].why);
	if (config->wrong_count > 0)
		info->quirks |= BOOT_QUIRK_CONFIG;
	trace("config");
}

/* --- kernel --- */

/* Copy up.  Both modes see the same memory; the addresses were checked before. */
static void
copy_up(uint64_t paddr, const void *data, size_t n)
{
	uint8_t *dst = (uint8_t *)(uint32_t)paddr;

	copy_dwords(dst, data, n / 4);
	for (size_t i = n & ~3U; i < n; i++)
		dst[i] = ((const uint8_t *)data)[i];
}

static void
clear(uint64_t paddr, uint64_t n)
{
	uint8_t *p = (uint8_t *)(uint32_t)paddr;
	uint32_t left = (uint32_t)n;

	for (; left > 0 && ((uint32_t)p & 3); left--)
		*p++ = 0;
	fill_dwords(p, 0, left / 4);
	for (p += left & ~3U; left & 3; left--)
		*p++ = 0;
}

static void
check_image(struct elf_image *image, const char *name, const void *head, uint32_t n, uint32_t size)
{
	if (elf_parse(image, head, n, size) != 0)
		die(advice, "%s: %s", name, image->why);
	for (uint32_t i = 0; i < image->count; i++)
		memory_require(name, image->segments[i].paddr, image->segments[i].mem_size);
}

/* A packed kernel on its way: unpacked it takes [start, stored), as it came [stored, end). */
struct packed {
	struct lz4_frame frame;
	uint32_t start, stored, end;
};

/* Look at the frame's header, and find room for both forms. */
static void
packed_begin(struct packed *p, const struct stream *s, const void *head, uint32_t n)
{
	uint32_t size;

	if (lz4_open(&p->frame, head, n) != 0)
		die(advice, "%s: %s", s->name, p->frame.why);
	size = (p->frame.size + 7) & ~7U;
	p->start = s->size > LZ4_SIZE_MAX ? 0 : memory_find_top(size + s->size);
	if (p->start == 0)
		die("Give the machine more memory, or use a smaller kernel.",
		    "no memory to unpack %s (%u KiB from %u KiB)", s->name,
		    (p->frame.size + 1023) >> 10, (s->size + 1023) >> 10);
	p->stored = p->start + size;
	p->end = p->stored + s->size;
}

/* Unpack, and put the segments where they belong. */
static void
packed_finish(struct packed *p, const struct stream *s, struct elf_image *image)
{
	const void *elf = (const void *)p->start;

	if (lz4_unpack(&p->frame, (const void *)p->stored, payload(s), (void *)p->start) != 0)
		die(advice, "%s: %s (byte %u of %u)", s->name, p->frame.why,
		    (uint32_t)p->frame.in - p->stored, payload(s));
	check_image(image, s->name, elf, p->frame.size, p->frame.size);
	if (image->start < p->end && p->start < image->end)
		die("Give the machine more memory, or use a smaller kernel.",
		    "no memory to unpack %s: %x-%xh is wanted for the kernel itself", s->name,
		    p->start, p->end);
	elf_place(image, 0, elf, p->frame.size, copy_up);
}

/* Read the whole file: an ELF file goes where it belongs, a packed one to p->stored. */
static bool
read_kernel(struct stream *s, struct elf_image *image, struct packed *p)
{
	bool is_packed = false;
	const void *data;
	uint32_t n;

	while ((data = stream_next(s, &n)) != NULL) {
		if (s->offset == 0) {
			is_packed = lz4_magic(data, n);
			if (is_packed)
				packed_begin(p, s, data, n);
			else
				check_image(image, s->name, data, n, s->size);
		}
		if (is_packed)
			copy_up(p->stored + s->offset, data, n);
		else
			elf_place(image, s->offset, data, n, copy_up);
		s->offset += n;
	}
	return is_packed;
}

uint64_t
load_kernel(const struct boot_entry *config)
{
	static struct elf_image image;
	static struct packed packed;
	struct stream s;
	bool is_packed;

	say("kernel %s ", config->kernel);
	if (!stream_open(&s, config->kernel))
		die(advice, "%s (the kernel) not found in the root directory of the volume",
		    config->kernel);
	is_packed = read_kernel(&s, &image, &packed);
	if (s.size == 0)
		die(advice, "%s: empty", config->kernel);
	if (s.trailer.magic)
		verify(&s);
	else if (config->verify)
		die("Append it with tools/mkimage.py trailer, or put `verify off` into " CONFIG_NAME
		    ".",
		    "%s: no checksum at its end", config->kernel);
	if (is_packed)
		packed_finish(&packed, &s, &image);
	for (uint32_t i = 0; i < image.count; i++) {
		const struct elf_segment *seg = &image.segments[i];

		clear(seg->paddr + seg->file_size, seg->mem_size - seg->file_size);
	}
	info->kernel_start = image.start;
	info->kernel_end = image.end;
	info->kernel_crc = s.crc;
	say("%u KiB, CRC-32 %08x%s\n", (s.size + 1023) >> 10, s.crc,
	    s.trailer.magic ? "" : " (not verified)");
	trace("kernel");
	return image.entry;
}

/* --- initrd --- */

static void
check_unverified(const struct stream *s, const void *data)
{
	size_t offset;
	const char *why = tar_check(data, s->size, &offset);

	if (why)
		die(advice, "%s: no sound tar archive: %s at byte %u", s->name, why,
		    (uint32_t)offset);
	info->quirks |= BOOT_QUIRK_UNVERIFIED;
}

void
load_initrd(const struct boot_entry *config)
{
	const uint32_t behind = ((uint32_t)info->kernel_end + 4095) & ~4095U;
	struct stream s;
	uint32_t start, n;
	const void *data;

	if (!config->initrd[0])
		return;
	say("initrd %s ", config->initrd);
	if (!stream_open(&s, config->initrd)) {
		if (config->initrd_named)
			die("Copy it there, or put `initrd none` into " CONFIG_NAME ".",
			    "%s (the initrd) not found in the root directory of the volume",
			    config->initrd);
		say("not there\n");
		return;
	}
	/* Behind what the kernel keeps over a reboot, if there is room. */
	start = memory_find(MAX(BOOT_KEEP_ADDR + BOOT_KEEP_SIZE, behind), s.size);
	if (start == 0)
		start = memory_find(behind, s.size);
	if (start == 0) {
		say("%u KiB: no memory for it, going on without\n", (s.size + 1023) >> 10);
		info->quirks |= BOOT_QUIRK_NO_INITRD;
		return;
	}
	while ((data = stream_next(&s, &n)) != NULL) {
		copy_up(start + s.offset, data, n);
		s.offset += n;
	}
	if (s.trailer.magic)
		verify(&s);
	else
		check_unverified(&s, (const void *)start);
	info->initrd_start = start;
	info->initrd_end = start + payload(&s);
	info->initrd_crc = s.crc;
	say("%u KiB%s\n", (s.size + 1023) >> 10, s.trailer.magic ? "" : ", no checksum");
	trace("initrd");
}
