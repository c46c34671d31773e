/*
 * test_fat.c - the loader's FAT reader, on volumes made by mtools and on damaged ones.
 *
 * SOURCES: boot/stage2/fat.c kernel/lib/string.c
 */
#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "host.h"
#include <lib/errno.h>
#include <lib/string.h>
#include "fat.h"

#define BIG   100003
#define FILLS 300

static struct kind {
	const char *name, *format;
	uint32_t sectors;
	uint8_t type;
} kinds[] = {
	{"FAT12 floppy", "-f 1440", 2880, 12},
	{"FAT12, clusters of 4 sectors", "-T 8192 -h 16 -s 63 -c 4", 8192, 12},
	{"FAT16", "-T 32768 -h 16 -s 63 -c 4", 32768, 16},
	{"FAT16, clusters of 16 KiB", "-T 400000 -h 16 -s 63 -c 32", 400000, 16},
	{"FAT32", "-F -T 81920 -h 16 -s 63 -c 1", 81920, 32},
};

static char dir[64];
static uint8_t *disk;	 /* the volume as it was made */
static uint8_t *damaged; /* a copy to spoil */
static size_t disk_sectors;
static unsigned long reads;
static struct fat_volume volume;

static int
read_disk(void *ctx, uint32_t sector, uint32_t count, void *buf)
{
	reads++;
	if (sector >= disk_sectors || count > disk_sectors - sector)
		return -EIO;
	memcpy(buf, (uint8_t *)ctx + (size_t)sector * FAT_SECTOR, count * FAT_SECTOR);
	return 0;
}

static uint8_t
content(uint32_t size, uint32_t at)
{
	return (uint8_t)(at * 31 + at / 509 + size);
}

static void
run(const char *fmt, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, fmt);
	assert_true(vsprintf(command, fmt, ap) < (int)sizeof(command));
	va_end(ap);
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void
local_file(const char *name, uint32_t size)
{
	char path[128];
	FILE *f;

	sprintf(path, "%s/%s", dir, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	for (uint32_t i = 0; i < size; i++)
		putc(content(size, i), f);
	assert_int_equal(fclose(f), 0);
}

/* Format, fill with small files, delete every other one, and put a large one into the holes. */
static void
make_volume(const struct kind *k, bool fragmented)
{
	static const uint32_t sizes[] = {0, 1, 511, 512, 2048, 2049, 40000};
	char path[128], name[16];
	FILE *f;

	run("cd %s && rm -f * && truncate -s %u vol && mformat -i vol -v LABEL -N 1234 %s ::", dir,
	    k->sectors * 512, k->format);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		sprintf(name, "S%u.BIN", sizes[i]);
		local_file(name, sizes[i]);
	}
	run("cd %s && mcopy -i vol S*.BIN :: && mmd -i vol ::FOLDER && cp S511.BIN 'A long "
	    "name.txt' && "
	    "mcopy -i vol 'A long name.txt' ::",
	    dir);
	if (fragmented) {
		for (int i = 0; i < FILLS; i++) {
			sprintf(name, "F%d", i);
			local_file(name, 1);
		}
		run("cd %s && mcopy -i vol F* ::FOLDER && mdel -i vol ::FOLDER/F*0 ::FOLDER/F*2 "
		    "::FOLDER/F*4 "
		    "::FOLDER/F*6 ::FOLDER/F*8",
		    dir);
	}
	local_file("BIG.BIN", BIG);
	if (k->type == 32) /* FSInfo's hint where to look for free clusters: from the start */
		run("cd %s && printf '\\377\\377\\377\\377' | dd of=vol bs=1 seek=1004 "
		    "conv=notrunc 2> dd.log",
		    dir);
	run("cd %s && mcopy -i vol BIG.BIN ::", dir);
	sprintf(path, "%s/vol", dir);
	f = fopen(path, "rb");
	assert_non_null(f);
	disk_sectors = k->sectors;
	disk = realloc(disk, disk_sectors * FAT_SECTOR);
	damaged = realloc(damaged, disk_sectors * FAT_SECTOR);
	assert_int_equal(fread(disk, FAT_SECTOR, disk_sectors, f), disk_sectors);
	fclose(f);
}

/* Follow the file to its end.  Number of runs, or -errno; its bytes go to @out if not NULL. */
static int
read_file(struct fat_file *f, uint8_t *out)
{
	uint32_t sector, count, at = 0;
	int runs = 0, result;

	while ((result = fat_next_run(&volume, f, &sector, &count)) == 1) {
		runs++;
		assert_true(count > 0 && (uint64_t)sector + count <= volume.sectors);
		for (; out && count > 0 && at < f->size; count--, sector++, at += FAT_SECTOR)
			if (sector < disk_sectors)
				memcpy(out + at, disk + (size_t)sector * FAT_SECTOR,
				       MIN(f->size - at, FAT_SECTOR));
	}
	return result < 0 ? result : runs;
}

static int
check_file(const char *name, uint32_t size)
{
	struct fat_file f;
	uint8_t *out = malloc(size + 1);
	int runs;

	assert_int_equal(fat_open(&volume, name, &f), 0);
	assert_int_equal(f.size, size);
	runs = read_file(&f, out);
	assert_true(runs >= 0);
	for (uint32_t i = 0; i < size; i++)
		if (out[i] != content(size, i))
			fail_msg("%s differs at byte %u", name, i);
	free(out);
	return runs;
}

static void
check_volume(const struct kind *k, bool fragmented)
{
	struct fat_file f;

	make_volume(k, fragmented);
	assert_int_equal(fat_mount(&volume, read_disk, disk), 0);
	assert_int_equal(volume.type, k->type);
	assert_int_equal(check_file("S0.BIN", 0), 0);
	check_file("s1.bin", 1);
	check_file("S511.bin", 511);
	check_file("S512.BIN", 512);
	check_file("S2048.BIN", 2048);
	check_file("S2049.BIN", 2049);
	check_file("S40000.BIN", 40000);
	check_file("ALONGN~1.TXT", 511);
	assert_true(fragmented ? check_file("BIG.BIN", BIG) > 1 : check_file("big.bin", BIG) == 1);
	assert_int_equal(fat_open(&volume, "NOT.HER", &f), -ENOENT);
	assert_int_equal(fat_open(&volume, "LABEL", &f), -ENOENT);
	assert_int_equal(fat_open(&volume, "FOLDER", &f), -EINVAL);
	assert_non_null(strstr(volume.why, "directory"));
}

static void
test_real_volumes(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		print_message("%s\n", kinds[i].name);
		check_volume(&kinds[i], false);
		check_volume(&kinds[i], true);
	}
}

static void
test_names(void **state)
{
	static const char *const good[] = {"A",	  "MINOS.ELF", "12345678.123", "a-b_c~1",
					   "X.Y", "$%'-_@~`",  "NOEXT."};
	static const char *const bad[] = {
		"",    ".",  "..",	 ".A",	"123456789", "A.1234",	      "A.B.C", "A B",
		"A/B", "A*", "\xe4.txt", "A\n", "a:b",	     "12345678.1234", "a?"};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(fat_name_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(fat_name_valid(bad[i]));
}

static void
damage(size_t at, uint32_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		damaged[at + i] = (uint8_t)(value >> 8 * i);
}

/* One wrong field of the boot sector at a time. */
static void
test_boot_sector(void **state)
{
	static const struct {
		uint32_t at, value, size;
	} wrong[] = {
		{510, 0, 2},  {0, 0, 1},       {11, 0, 2},	{11, 256, 2},
		{11, 768, 2}, {11, 8192, 2},   {13, 0, 1},	{13, 3, 1},
		{14, 0, 2},   {14, 0xffff, 2}, {16, 0, 1},	{16, 200, 1},
		{17, 0, 2},   {22, 1, 2},      {22, 0xffff, 2}, {19, 40, 2},
	};

	make_volume(&kinds[2], false);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		memcpy(damaged, disk, disk_sectors * FAT_SECTOR);
		damage(wrong[i].at, wrong[i].value, wrong[i].size);
		if (fat_mount(&volume, read_disk, damaged) != -EINVAL)
			fail_msg("offset %u, value %u was taken", wrong[i].at, wrong[i].value);
		assert_non_null(volume.why);
	}
}

static void
test_root_of_fat32(void **state)
{
	make_volume(&kinds[4], false);
	memcpy(damaged, disk, disk_sectors * FAT_SECTOR);
	damage(44, 0, 4);
	assert_int_equal(fat_mount(&volume, read_disk, damaged), -EINVAL);
	damage(44, 0x0fffffff, 4);
	assert_int_equal(fat_mount(&volume, read_disk, damaged), -EINVAL);
}

/* Entry @cluster of a FAT16. */
static void
set_fat16(uint32_t cluster, uint32_t value)
{
	damage(volume.fat_start * FAT_SECTOR + cluster * 2, value, 2);
}

static void
test_chains(void **state)
{
	static const struct {
		uint32_t index, link; /* the successor that this cluster gets, both in the file */
		bool absolute;
		const char *why;
	} cases[] = {
		{3, 0, false, "loops"},	     {3, 3, false, "loops"},
		{3, 2, false, "loops"},	     {3, 0xffff, true, "shorter"},
		{3, 0, true, "broken"},	     {3, 1, true, "broken"},
		{3, 0xfff0, true, "broken"}, {3, 0xfff7, true, "broken"},
		{48, 49, false, "longer"},
	};
	struct fat_file f;

	make_volume(&kinds[2], false);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memcpy(damaged, disk, disk_sectors * FAT_SECTOR);
		assert_int_equal(fat_mount(&volume, read_disk, damaged), 0);
		assert_int_equal(fat_open(&volume, "BIG.BIN", &f), 0);
		set_fat16(f.cluster + cases[i].index,
			  cases[i].absolute ? cases[i].link : f.cluster + cases[i].link);
		volume.window_start = UINT32_MAX;
		assert_int_equal(read_file(&f, NULL), -EINVAL);
		if (!strstr(volume.why, cases[i].why))
			fail_msg("case %zu: %s", i, volume.why);
	}
}

static void
test_fat32_root_chain_loops(void **state)
{
	struct fat_file f;
	uint32_t entry;

	make_volume(&kinds[4], true);
	memcpy(damaged, disk, disk_sectors * FAT_SECTOR);
	assert_int_equal(fat_mount(&volume, read_disk, damaged), 0);
	/* Fill the root directory's first cluster, so that the search goes on: to itself. */
	entry = (volume.data_start + (volume.root_cluster - 2) * volume.cluster_sectors) *
		FAT_SECTOR;
	for (uint32_t i = 0; i < volume.cluster_sectors * FAT_SECTOR; i += 32)
		damaged[entry + i] = 0xe5;
	damage(volume.fat_start * FAT_SECTOR + volume.root_cluster * 4, volume.root_cluster, 4);
	volume.window_start = UINT32_MAX;
	assert_int_equal(fat_open(&volume, "NOT.HER", &f), -EINVAL);
	assert_non_null(strstr(volume.why, "loops"));
}

static void
test_read_errors(void **state)
{
	struct fat_file f;

	make_volume(&kinds[2], false);
	disk_sectors = 0;
	assert_int_equal(fat_mount(&volume, read_disk, disk), -EIO);
	disk_sectors = 8; /* the boot sector and some of the FAT */
	assert_int_equal(fat_mount(&volume, read_disk, disk), 0);
	assert_int_equal(fat_open(&volume, "BIG.BIN", &f), -EIO);
}

static void
open_and_follow(const char *name)
{
	struct fat_file f;
	const int error = fat_open(&volume, name, &f);

	assert_true(error == 0 || error == -EIO || error == -EINVAL || error == -ENOENT);
	if (error == 0)
		assert_true(read_file(&f, NULL) >= -EINVAL);
	if (error)
		assert_non_null(volume.why);
}

/* Whatever the bytes: an answer, within a bounded number of reads and within memory. */
static void
test_random_damage(void **state)
{
	uint64_t seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : (uint64_t)time(NULL);

	print_message("seed %llu\n", (unsigned long long)seed);
	srandom((unsigned)seed);
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		size_t meta;

		if (kinds[k].sectors > 100000)
			continue;
		make_volume(&kinds[k], true);
		assert_int_equal(fat_mount(&volume, read_disk, disk), 0);
		meta = (volume.data_start + volume.cluster_sectors) * FAT_SECTOR;
		memcpy(damaged, disk, disk_sectors * FAT_SECTOR);
		for (int round = 0; round < 400; round++) {
			for (long n = random() % 40; n >= 0; n--)
				damaged[(size_t)random() % (random() % 4 ? meta : 64)] =
					(uint8_t)random();
			if (random() % 8)
				memcpy(damaged, disk, random() % 2 ? 64 : FAT_SECTOR);
			reads = 0;
			if (fat_mount(&volume, read_disk, damaged) == 0) {
				open_and_follow("BIG.BIN");
				open_and_follow("S40000.BIN");
				open_and_follow("NOT.HER");
			}
			assert_true(reads < 4000000);
		}
	}
}

static int
make_dir(void **state)
{
	strlcpy(dir, "/tmp/minos-fat-XXXXXX", sizeof(dir));
	return mkdtemp(dir) ? 0 : -1;
}

static int
remove_dir(void **state)
{
	run("rm -rf %s", dir);
	free(disk);
	free(damaged);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_volumes), cmocka_unit_test(test_names),
		cmocka_unit_test(test_boot_sector),  cmocka_unit_test(test_root_of_fat32),
		cmocka_unit_test(test_chains),	     cmocka_unit_test(test_fat32_root_chain_loops),
		cmocka_unit_test(test_read_errors),  cmocka_unit_test(test_random_damage),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
