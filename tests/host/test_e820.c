/*
 * test_e820.c - the sweep over the firmware's memory map.
 *
 * SOURCES: boot/stage2/e820.c
 */
#include <time.h>
#include "host.h"
#include <boot/e820.h>

#define PAGE	  4096ULL
#define RAM	  BOOT_MEM_RAM
#define RESERVED  BOOT_MEM_RESERVED
#define MAP_PAGES 64

static struct boot_mem out[400];
static uint32_t quirks;

static size_t
clean(const struct boot_mem *raw, size_t n)
{
	quirks = 0;
	return e820_clean(raw, n, out, ARRAY_SIZE(out), &quirks);
}

static void
expect(size_t i, uint64_t start, uint64_t end, uint32_t type)
{
	assert_int_equal(out[i].start, start);
	assert_int_equal(out[i].start + out[i].size, end);
	assert_int_equal(out[i].type, type);
}

static void
test_plain_map(void **state)
{
	const struct boot_mem raw[] = {{0, 0x9fc00, RAM, 1},
				       {0x9fc00, 0x400, RESERVED, 1},
				       {0xf0000, 0x10000, RESERVED, 1},
				       {0x100000, 0x7ee0000, RAM, 1},
				       {0x7fe0000, 0x20000, RESERVED, 1},
				       {0xfffc0000, 0x40000, RESERVED, 1},
				       {0xfd00000000, 0x300000000, RESERVED, 1}};

	assert_int_equal(clean(raw, ARRAY_SIZE(raw)), 7);
	assert_int_equal(quirks, 0);
	expect(0, 0, 0x9f000, RAM);
	expect(1, 0x9f000, 0xa0000, RESERVED);
	expect(3, 0x100000, 0x7fe0000, RAM);
	expect(6, 0xfd00000000, 0x10000000000, RESERVED);
}

static void
test_empty_and_ignored(void **state)
{
	const struct boot_mem raw[] = {
		{0x1000, 0, RAM, 1}, {0x2000, 0x1000, RAM, 0}, {0x3000, 0xfff, RAM, 1}};

	assert_int_equal(clean(raw, 0), 0);
	assert_int_equal(clean(raw, ARRAY_SIZE(raw)), 0);
}

static void
test_reserved_beats_ram(void **state)
{
	const struct boot_mem raw[] = {{0x10000, 0x10000, RAM, 1}, {0x14800, 0x100, RESERVED, 1}};

	assert_int_equal(clean(raw, 2), 3);
	expect(0, 0x10000, 0x14000, RAM);
	expect(1, 0x14000, 0x15000, RESERVED);
	expect(2, 0x15000, 0x20000, RAM);
	assert_true(quirks & BOOT_QUIRK_MAP_OVERLAP);
}

static void
test_unsorted_merged(void **state)
{
	const struct boot_mem raw[] = {
		{0x20000, 0x10000, RAM, 1}, {0x10000, 0x10000, RAM, 1}, {0, 0x10000, RAM, 1}};

	assert_int_equal(clean(raw, 3), 1);
	expect(0, 0, 0x30000, RAM);
	assert_true(quirks & BOOT_QUIRK_MAP_OVERLAP);
}

static void
test_unknown_types_are_reserved(void **state)
{
	const struct boot_mem raw[] = {{0, 0x1000, 7, 1},
				       {0x1000, 0x1000, 0, 1},
				       {0x2000, 0x1000, 0xffffffff, 1},
				       {0x3000, 0x1000, BOOT_MEM_NVS, 1}};

	assert_int_equal(clean(raw, 4), 2);
	expect(0, 0, 0x3000, RESERVED);
	expect(1, 0x3000, 0x4000, BOOT_MEM_NVS);
}

static void
test_top_of_the_address_space(void **state)
{
	const struct boot_mem raw[] = {{0xfffffffffffff000, 0x2000, RESERVED, 1},
				       {0xffffffffffffe800, 0xffffffffffffffff, RAM, 1},
				       {0x1000, UINT64_MAX, RAM, 1}};

	assert_int_equal(clean(raw, 1), 0); /* the very last page is given up */
	assert_int_equal(clean(raw + 2, 1), 1);
	expect(0, 0x1000, 0xfffffffffffff000, RAM);
	for (size_t n = 1; n <= ARRAY_SIZE(raw); n++)
		for (size_t i = 0, count = clean(raw, n); i < count; i++)
			assert_true(out[i].start + out[i].size > out[i].start);
}

static void
test_no_room(void **state)
{
	struct boot_mem raw[10];

	for (size_t i = 0; i < 10; i++)
		raw[i] = (struct boot_mem){i * 0x2000, 0x1000, RAM, 1};
	quirks = 0;
	assert_int_equal(e820_clean(raw, 10, out, 4, &quirks), 4);
	assert_int_equal(quirks, BOOT_QUIRK_MAP_CUT);
	expect(3, 0x6000, 0x7000, RAM);
}

static uint64_t seed;

static uint32_t
rnd(uint32_t limit)
{
	seed = seed * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(seed >> 33) % limit;
}

/* What a page is, by the rules alone: the least usable of what covers it, RAM only if whole. */
static uint32_t
page_type(const struct boot_mem *raw, size_t n, uint64_t page)
{
	static const uint32_t order[] = {RAM, BOOT_MEM_ACPI, BOOT_MEM_NVS, RESERVED, BOOT_MEM_BAD};
	const uint64_t start = page * PAGE, end = start + PAGE;
	size_t best = 0;

	for (size_t i = 0; i < n; i++) {
		const uint64_t s = raw[i].start, e = s + raw[i].size;

		if (!raw[i].size || !(raw[i].attr & 1))
			continue;
		if (raw[i].type == RAM ? s <= start && end <= e : s < end && start < e)
			for (size_t k = best; k < ARRAY_SIZE(order); k++)
				if (order[k] == raw[i].type)
					best = k + 1;
	}
	return best == 0 ? 0 : order[best - 1];
}

static void
compare_with_pages(const struct boot_mem *raw, size_t n)
{
	const size_t count = clean(raw, n);
	uint64_t covered = 0;

	for (size_t i = 0; i < count; i++) {
		assert_true(out[i].size > 0 && out[i].start % PAGE == 0 && out[i].size % PAGE == 0);
		assert_true(i == 0 || out[i].start >= out[i - 1].start + out[i - 1].size);
		assert_true(i == 0 || out[i].start > out[i - 1].start + out[i - 1].size ||
			    out[i].type != out[i - 1].type);
		for (uint64_t p = out[i].start / PAGE; p < (out[i].start + out[i].size) / PAGE;
		     p++, covered++)
			assert_int_equal(out[i].type, page_type(raw, n, p));
	}
	for (uint64_t p = 0; p < MAP_PAGES * 2; p++)
		covered -= page_type(raw, n, p) != 0;
	assert_int_equal(covered, 0);
}

static void
test_random_maps_against_pages(void **state)
{
	struct boot_mem raw[12];

	for (int round = 0; round < 20000; round++) {
		const uint64_t this_seed = seed;
		const size_t n = rnd(ARRAY_SIZE(raw)) + 1;

		for (size_t i = 0; i < n; i++)
			raw[i] = (struct boot_mem){rnd(MAP_PAGES) * PAGE + (rnd(2) ? rnd(PAGE) : 0),
						   rnd(20) * PAGE + (rnd(2) ? rnd(PAGE) : 0),
						   rnd(5) + 1, rnd(8) > 0};
		if (round == 0)
			print_message("seed %llu\n", (unsigned long long)this_seed);
		compare_with_pages(raw, n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_map),
		cmocka_unit_test(test_empty_and_ignored),
		cmocka_unit_test(test_reserved_beats_ram),
		cmocka_unit_test(test_unsorted_merged),
		cmocka_unit_test(test_unknown_types_are_reserved),
		cmocka_unit_test(test_top_of_the_address_space),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_random_maps_against_pages),
	};

	seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : (uint64_t)time(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
