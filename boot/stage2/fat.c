/*
 * fat.c - FAT12, FAT16 and FAT32, read only, root directory only.
 *
 * Nothing on the medium is believed: every number of the boot sector is checked against the others,
 * every cluster against the volume's size, and a chain must be exactly as long as its file, which
 * also catches loops: a chain that loops never comes to its end.
 * Spec: Microsoft FAT32 File System Specification (FAT: General Overview of On-Disk Format), "Boot
 * Sector and BPB", "FAT Type Determination", "FAT Directory Structure".
 */
#include "fat.h"
#include <lib/errno.h>
#include <lib/string.h>

#define DIR_ENTRY      32
#define DIR_MAX	       (65536 * DIR_ENTRY) /* bytes; the specification's limit of a directory */
#define ATTR_VOLUME    0x08
#define ATTR_DIRECTORY 0x10
#define NAME_END       0x00
#define NAME_DELETED   0xe5
#define NAME_SIZE      11
#define FAT12_CLUSTERS 4085
#define FAT16_CLUSTERS 65525
#define FAT32_CLUSTERS 0x0ffffff5

static uint32_t
le16(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t
le32(const uint8_t *p)
{
	return le16(p) | le16(p + 2) << 16;
}

static int
fail(struct fat_volume *v, int error, const char *why)
{
	v->why = why;
	return error;
}

/* --- boot sector --- */

static bool
power_of_2(uint32_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/* What the boot sector says, in 512-byte sectors. */
static int
read_bpb(struct fat_volume *v, const uint8_t *b)
{
	const uint32_t bytes = le16(b + 11), unit = bytes / FAT_SECTOR;
	const uint32_t fat_size = le16(b + 22) ? le16(b + 22) : le32(b + 36);
	const uint32_t total = le16(b + 19) ? le16(b + 19) : le32(b + 32);
	const uint32_t per_cluster = b[13], reserved = le16(b + 14), fats = b[16];
	const uint32_t root_bytes = le16(b + 17) * DIR_ENTRY;
	uint64_t meta;

	if (le16(b + 510) != 0xaa55 || (b[0] != 0xeb && b[0] != 0xe9))
		return fail(v, -EINVAL, "no FAT boot sector");
	if (!power_of_2(bytes) || bytes < 512 || bytes > 4096)
		return fail(v, -EINVAL, "boot sector: bytes per sector");
	if (!power_of_2(per_cluster))
		return fail(v, -EINVAL, "boot sector: sectors per cluster");
	if (reserved == 0 || fats == 0 || fats > 4 || fat_size == 0)
		return fail(v, -EINVAL, "boot sector: no FAT");
	if (total > UINT32_MAX / unit)
		return fail(v, -EINVAL, "boot sector: number of sectors");
	v->sectors = total * unit;
	v->cluster_sectors = per_cluster * unit;
	v->root_sectors = (root_bytes + bytes - 1) / bytes * unit;
	meta = ((uint64_t)reserved + (uint64_t)fats * fat_size) * unit + v->root_sectors;
	if (meta >= v->sectors)
		return fail(v, -EINVAL, "boot sector: the FATs do not fit the volume");
	v->fat_start = reserved * unit;
	v->fat_sectors = fat_size * unit;
	v->data_start = (uint32_t)meta;
	v->root_start = v->data_start - v->root_sectors;
	v->clusters = (v->sectors - v->data_start) / v->cluster_sectors;
	return 0;
}

int
fat_mount(struct fat_volume *v, fat_read_t read, void *ctx)
{
	uint64_t needed_bits;
	int error;

	*v = (struct fat_volume){.read = read, .ctx = ctx, .window_start = UINT32_MAX};
	if (read(ctx, 0, 1, v->window) != 0)
		return fail(v, -EIO, "boot sector unreadable");
	error = read_bpb(v, v->window);
	if (error)
		return error;
	/* The number of clusters alone decides on the type, whatever a label says. */
	v->type = v->clusters < FAT12_CLUSTERS ? 12 : v->clusters < FAT16_CLUSTERS ? 16 : 32;
	if (v->clusters == 0 || v->clusters >= FAT32_CLUSTERS)
		return fail(v, -EINVAL, "boot sector: number of clusters");
	needed_bits = ((uint64_t)v->clusters + 2) * v->type;
	if (needed_bits > (uint64_t)v->fat_sectors * FAT_SECTOR * 8)
		return fail(v, -EINVAL, "boot sector: FAT smaller than the volume");
	if ((v->type == 32) != (v->root_sectors == 0))
		return fail(v, -EINVAL, "boot sector: size of the root directory");
	if (v->type == 32) {
		v->root_cluster = le32(v->window + 44) & 0x0fffffff;
		if (v->root_cluster < 2 || v->root_cluster - 2 >= v->clusters)
			return fail(v, -EINVAL, "boot sector: place of the root directory");
	}
	v->window_start = 0;
	return 0;
}

/* --- FAT --- */

static int
load_window(struct fat_volume *v, uint32_t sector)
{
	if (v->window_start == sector)
		return 0;
	v->window_start = UINT32_MAX;
	if (v->read(v->ctx, sector, 1, v->window) != 0)
		return fail(v, -EIO, "read error");
	v->window_start = sector;
	return 0;
}

/* Byte @offset of the first FAT; fat_mount() saw to it that every cluster's entry is inside. */
static int
fat_byte(struct fat_volume *v, uint32_t offset, uint32_t *byte)
{
	const int error = load_window(v, v->fat_start + offset / FAT_SECTOR);

	*byte = v->window[offset % FAT_SECTOR];
	return error;
}

/* Entries of 12 bits may lie across two sectors. */
static int
fat12_entry(struct fat_volume *v, uint32_t cluster, uint32_t *entry)
{
	const uint32_t offset = cluster + cluster / 2;
	uint32_t low, high;
	int error = fat_byte(v, offset, &low);

	if (!error)
		error = fat_byte(v, offset + 1, &high);
	if (error)
		return error;
	*entry = cluster & 1 ? low >> 4 | high << 4 : low | (high & 0x0f) << 8;
	return 0;
}

/* The cluster after @cluster: *@next, or 0 at the end of the chain. */
static int
next_cluster(struct fat_volume *v, uint32_t cluster, uint32_t *next)
{
	const uint32_t mask = v->type == 12 ? 0xfff : v->type == 16 ? 0xffff : 0x0fffffff;
	const uint32_t size = v->type / 8, offset = cluster * size;
	uint32_t entry;
	int error;

	if (v->type == 12) {
		error = fat12_entry(v, cluster, &entry);
	} else {
		const uint8_t *p = v->window + offset % FAT_SECTOR;

		error = load_window(v, v->fat_start + offset / FAT_SECTOR);
		entry = size == 2 ? le16(p) : le32(p) & mask;
	}
	if (error)
		return error;
	if (entry >= (mask & ~7U)) {
		*next = 0;
		return 0;
	}
	if (entry < 2 || entry - 2 >= v->clusters)
		return fail(v, -EINVAL, "cluster chain broken");
	*next = entry;
	return 0;
}

static uint32_t
cluster_start(const struct fat_volume *v, uint32_t cluster)
{
	return v->data_start + (cluster - 2) * v->cluster_sectors;
}

int
fat_next_run(struct fat_volume *v, struct fat_file *f, uint32_t *sector, uint32_t *count)
{
	const uint32_t first = f->cluster;
	uint32_t at = first;

	if (f->left == 0)
		return 0;
	for (;;) {
		uint32_t next;
		const int error = next_cluster(v, at, &next);

		if (error)
			return error;
		if (--f->left == 0) {
			if (next != 0)
				return fail(v, -EINVAL,
					    "cluster chain loops or is longer than the file");
			break;
		}
		if (next == 0)
			return fail(v, -EINVAL, "cluster chain shorter than the file");
		f->cluster = next;
		if (next != at + 1)
			break;
		at = next;
	}
	*sector = cluster_start(v, first);
	*count = (at - first + 1) * v->cluster_sectors;
	return 1;
}

/* --- directory --- */

static bool
name_char(char c)
{
	return c > ' ' && c < 0x7f && !strchr("\"*+,./:;<=>?[\\]|", c);
}

/* Up to @max characters of a name's part, in capitals; returns what follows them. */
static const char *
pack_part(const char *s, char *packed, size_t max)
{
	for (size_t i = 0; i < max && name_char(*s); i++, s++)
		packed[i] = *s >= 'a' && *s <= 'z' ? (char)(*s - 'a' + 'A') : *s;
	return s;
}

/* "minos.cfg" -> "MINOS   CFG"; false if it is no 8.3 name. */
static bool
pack_name(const char *name, char packed[NAME_SIZE])
{
	memset(packed, ' ', NAME_SIZE);
	name = pack_part(name, packed, 8);
	if (*name == '.')
		name = pack_part(name + 1, packed + 8, 3);
	return *name == '\0' && packed[0] != ' ';
}

bool
fat_name_valid(const char *name)
{
	char packed[NAME_SIZE];

	return pack_name(name, packed);
}

/* Take the file that directory entry @e describes. */
static int
take_entry(struct fat_volume *v, const uint8_t *e, struct fat_file *f)
{
	const uint32_t bytes = v->cluster_sectors * FAT_SECTOR;
	const uint32_t high = v->type == 32 ? le16(e + 20) << 16 : 0;

	if (e[11] & ATTR_DIRECTORY)
		return fail(v, -EINVAL, "is a directory");
	f->size = le32(e + 28);
	f->cluster = le16(e + 26) | high;
	f->left = f->size / bytes + (f->size % bytes != 0);
	if (f->left > v->clusters)
		return fail(v, -EINVAL, "size exceeds the volume");
	if (f->left > 0 && (f->cluster < 2 || f->cluster - 2 >= v->clusters))
		return fail(v, -EINVAL, "first cluster outside the volume");
	return 0;
}

/* Look through @count sectors of directory: 1 and *@found, 0 to go on behind them, or -errno. */
static int
scan(struct fat_volume *v, uint32_t sector, uint32_t count, const char *packed,
     const uint8_t **found)
{
	for (; count > 0; count--, sector++) {
		const int error = load_window(v, sector);

		if (error)
			return error;
		for (const uint8_t *e = v->window; e < v->window + FAT_SECTOR; e += DIR_ENTRY) {
			if (e[0] == NAME_END)
				return fail(v, -ENOENT, "not found");
			/* Long names' entries carry the volume attribute, too. */
			if (e[0] == NAME_DELETED || (e[11] & ATTR_VOLUME))
				continue;
			if (memcmp(e, packed, NAME_SIZE) == 0) {
				*found = e;
				return 1;
			}
		}
	}
	return 0;
}

static int
scan_root_chain(struct fat_volume *v, const char *packed, const uint8_t **found)
{
	uint32_t cluster = v->root_cluster, bytes = 0;

	while (cluster != 0) {
		const int result =
			scan(v, cluster_start(v, cluster), v->cluster_sectors, packed, found);
		int error;

		if (result != 0)
			return result;
		bytes += v->cluster_sectors * FAT_SECTOR;
		if (bytes > DIR_MAX)
			return fail(v, -EINVAL, "cluster chain of the root directory loops");
		error = next_cluster(v, cluster, &cluster);
		if (error)
			return error;
	}
	return 0;
}

int
fat_open(struct fat_volume *v, const char *name, struct fat_file *f)
{
	const uint8_t *entry = NULL;
	char packed[NAME_SIZE];
	int result;

	if (!pack_name(name, packed))
		return fail(v, -ENOENT, "is no 8.3 name");
	if (v->type == 32)
		result = scan_root_chain(v, packed, &entry);
	else
		result = scan(v, v->root_start, v->root_sectors, packed, &entry);
	if (result == 0)
		return fail(v, -ENOENT, "not found");
	return result < 0 ? result : take_entry(v, entry, f);
}
