/*
 * test_elf.c - the loader's checks of an ELF file, and where its pieces go.
 *
 * SOURCES: boot/stage2/elf.c kernel/lib/string.c
 */
#include <time.h>
#include "host.h"
#include <lib/errno.h>
#include <mm/layout.h>
#include <lib/string.h>
#include "elf.h"

#define FILE_SIZE 0x3000
#define MEMORY	  0x10000 /* bytes from 1 MiB on that segments may fill */

/* Offsets in the headers.  Spec: System V ABI, "ELF Header", "Program Header". */
enum {
	E_CLASS = 4,
	E_DATA = 5,
	E_TYPE = 16,
	E_MACHINE = 18,
	E_ENTRY = 24,
	E_PHOFF = 32,
	E_PHENTSIZE = 54,
	E_PHNUM = 56
};
enum {
	P_TYPE = 0,
	P_FLAGS = 4,
	P_OFFSET = 8,
	P_VADDR = 16,
	P_PADDR = 24,
	P_FILESZ = 32,
	P_MEMSZ = 40
};
#define PH(n) (64 + 56 * (n))

static uint8_t file[FILE_SIZE], memory[MEMORY];
static struct elf_image image;

static void
put(size_t at, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		file[at + i] = (uint8_t)(value >> 8 * i);
}

static void
put_segment(size_t n, uint64_t offset, uint64_t paddr, uint64_t file_size, uint64_t mem_size)
{
	put(PH(n) + P_TYPE, 1, 4);
	put(PH(n) + P_FLAGS, n == 0 ? 5 : 6, 4);
	put(PH(n) + P_OFFSET, offset, 8);
	put(PH(n) + P_VADDR, paddr + KERNEL_VMA, 8);
	put(PH(n) + P_PADDR, paddr, 8);
	put(PH(n) + P_FILESZ, file_size, 8);
	put(PH(n) + P_MEMSZ, mem_size, 8);
}

/* A sound file: text at 1 MiB, data with BSS behind it. */
static int
setup(void **state)
{
	for (size_t i = 0; i < FILE_SIZE; i++)
		file[i] = (uint8_t)(i * 7 + i / 256);
	memcpy(file, "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0", 16);
	put(E_TYPE, 2, 2);
	put(E_MACHINE, 62, 2);
	put(20, 1, 4);
	put(E_ENTRY, 0x100010 + KERNEL_VMA, 8);
	put(E_PHOFF, 64, 8);
	put(52, 64, 2);
	put(E_PHENTSIZE, 56, 2);
	put(E_PHNUM, 2, 2);
	put_segment(0, 0x1000, 0x100000, 0x1234, 0x1234);
	put_segment(1, 0x2240, 0x102240, 0x500, 0x2000);
	memset(memory, 0xcc, sizeof(memory));
	return 0;
}

static int
parse(void)
{
	return elf_parse(&image, file, sizeof(file), sizeof(file));
}

static void
refused(void)
{
	assert_int_equal(parse(), -ENOEXEC);
	assert_non_null(image.why);
	assert_true(strlen(image.why) > 5);
}

static void
place(uint64_t paddr, const void *data, size_t n)
{
	assert_true(paddr >= ELF_LOWEST && paddr - ELF_LOWEST + n <= MEMORY);
	memcpy(memory + (paddr - ELF_LOWEST), data, n);
}

static void
test_sound_file(void **state)
{
	assert_int_equal(parse(), 0);
	assert_int_equal(image.count, 2);
	assert_int_equal(image.entry, 0x100010 + KERNEL_VMA);
	assert_int_equal(image.start, 0x100000);
	assert_int_equal(image.end, 0x104240);
}

static void
test_placed_whatever_the_pieces(void **state)
{
	for (size_t piece = 1; piece <= FILE_SIZE; piece += piece < 600 ? 37 : 1511) {
		setup(NULL);
		assert_int_equal(parse(), 0);
		for (size_t at = 0; at < FILE_SIZE; at += piece)
			elf_place(&image, at, file + at, MIN(piece, FILE_SIZE - at), place);
		assert_memory_equal(memory, file + 0x1000, 0x1234);
		assert_memory_equal(memory + 0x2240, file + 0x2240, 0x500);
		assert_int_equal(memory[0x1234], 0xcc);
		assert_int_equal(memory[0x2740], 0xcc);
	}
}

static void
test_identity_addresses_are_fine(void **state)
{
	put(PH(0) + P_VADDR, 0x100000, 8);
	put(E_ENTRY, 0x100010, 8);
	assert_int_equal(parse(), 0);
}

/* One wrong field at a time. */
static void
test_wrong_fields(void **state)
{
	static const struct {
		size_t at, size;
		uint64_t value;
	} wrong[] = {
		{0, 1, 0x7e},
		{E_CLASS, 1, 1},
		{E_DATA, 1, 2},
		{E_TYPE, 2, 3},
		{E_TYPE, 2, 1},
		{E_MACHINE, 2, 3},
		{E_PHENTSIZE, 2, 32},
		{E_PHNUM, 2, 0},
		{E_PHNUM, 2, 0xffff},
		{E_PHOFF, 8, FILE_SIZE},
		{E_PHOFF, 8, UINT64_MAX - 8},
		{E_ENTRY, 8, 0},
		{E_ENTRY, 8, 0x100010},
		{E_ENTRY, 8, 0x102240 + KERNEL_VMA}, /* not executable */
		{E_ENTRY, 8, 0x101234 + KERNEL_VMA}, /* just behind the text */
		{PH(0) + P_TYPE, 4, 3},
		{PH(0) + P_TYPE, 4, 2},
		{PH(0) + P_OFFSET, 8, FILE_SIZE},
		{PH(0) + P_OFFSET, 8, UINT64_MAX},
		{PH(0) + P_FILESZ, 8, 0x1235},
		{PH(0) + P_FILESZ, 8, UINT64_MAX},
		{PH(0) + P_MEMSZ, 8, UINT64_MAX},
		{PH(0) + P_MEMSZ, 8, 0x40000000},
		{PH(1) + P_MEMSZ, 8, 0x4f},
		{PH(0) + P_MEMSZ, 8, 0x2241}, /* overlaps the next */
		{PH(0) + P_PADDR, 8, 0xff000},
		{PH(0) + P_PADDR, 8, 0},
		{PH(0) + P_PADDR, 8, UINT64_MAX},
		{PH(0) + P_PADDR, 8, 0x40000000},
		{PH(1) + P_PADDR, 8, 0x101000},
		{PH(0) + P_VADDR, 8, 0x200000},
		{PH(1) + P_VADDR, 8, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		setup(NULL);
		put(wrong[i].at, wrong[i].value, wrong[i].size);
		refused();
	}
}

static void
test_places_in_memory(void **state)
{
	static const uint64_t wrong[] = {0,	     0xfe000,	0xfffff, 0x40000000 - 0x1fff,
					 0x40000000, 0xffffe000};

	put_segment(1, 0x2240, 0x40000000 - 0x2000, 0x500, 0x2000);
	assert_int_equal(parse(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		put_segment(1, 0x2240, wrong[i], 0x500, 0x2000);
		refused();
		assert_non_null(strstr(image.why, "between 1 MiB and 1 GiB"));
	}
}

static void
test_cut_short(void **state)
{
	for (size_t size = 0; size < PH(2); size++)
		assert_int_equal(elf_parse(&image, file, size, size), -ENOEXEC);
	/* The headers are there, what they describe is not. */
	assert_int_equal(elf_parse(&image, file, 0x2000, 0x2739), -ENOEXEC);
	assert_int_equal(elf_parse(&image, file, 0x2000, 0x2740), 0);
}

static void
test_too_many_segments(void **state)
{
	put(E_PHNUM, ELF_SEGMENTS + 1, 2);
	for (size_t i = 0; i <= ELF_SEGMENTS; i++)
		put_segment(i, 0x1000, 0x100000 + i * 0x1000, 0x800, 0x800);
	refused();
	put(E_PHNUM, ELF_SEGMENTS, 2);
	assert_int_equal(parse(), 0);
	put(E_PHNUM, ELF_SEGMENTS + 1, 2); /* empty ones do not count */
	put(PH(ELF_SEGMENTS) + P_MEMSZ, 0, 8);
	assert_int_equal(parse(), 0);
}

/* Whatever the headers hold: refused, or nothing leaves the file or the allowed memory. */
static void
test_random_damage(void **state)
{
	uint64_t seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : (uint64_t)time(NULL);

	print_message("seed %llu\n", (unsigned long long)seed);
	srandom((unsigned)seed);
	for (int round = 0; round < 50000; round++) {
		setup(NULL);
		for (long n = random() % 4; n >= 0; n--)
			file[random() % PH(2)] = random() % 3 ? (uint8_t)random() : 0xff;
		if (parse() != 0) {
			assert_non_null(image.why);
			continue;
		}
		for (uint32_t i = 0; i < image.count; i++) {
			const struct elf_segment *s = &image.segments[i];

			assert_true(s->offset <= FILE_SIZE &&
				    s->file_size <= FILE_SIZE - s->offset);
			assert_true(s->file_size <= s->mem_size && s->paddr >= ELF_LOWEST);
			assert_true(s->paddr + s->mem_size <= ELF_HIGHEST);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sound_file, setup),
		cmocka_unit_test_setup(test_placed_whatever_the_pieces, setup),
		cmocka_unit_test_setup(test_identity_addresses_are_fine, setup),
		cmocka_unit_test(test_wrong_fields),
		cmocka_unit_test_setup(test_places_in_memory, setup),
		cmocka_unit_test_setup(test_cut_short, setup),
		cmocka_unit_test_setup(test_too_many_segments, setup),
		cmocka_unit_test(test_random_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
