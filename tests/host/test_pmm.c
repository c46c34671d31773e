/*
 * test_pmm.c - the frame allocator over invented memory maps, against a model.
 *
 * SOURCES: mm/pmm.c mm/pmm_bits.c mm/pmm_init.c mm/pmm_range.c mm/pmm_zero.c mm/pmm_info.c
 * SOURCES: kernel/lib/bitmap.c kernel/lib/string.c kernel/lib/printf.c
 */
#include "pmm_shim.h"

/* --- every frame once, and only those that are free to have ------------------------------ */

static bool
allowed(paddr_t pa)
{
	bool ram = false;

	for (size_t i = 0; i < nr_map; i++) {
		const bool inside = pa >= ram_map[i].start &&
				    pa + PAGE_SIZE <= ram_map[i].start + ram_map[i].size;
		const bool touches = pa < ram_map[i].start + ram_map[i].size &&
				     pa + PAGE_SIZE > ram_map[i].start;

		if (ram_map[i].type == BOOT_MEM_RAM)
			ram |= inside;
		else if (touches)
			return false;
	}
	return ram && pa >= PAGE_SIZE && !(pa + PAGE_SIZE > IMAGE_START && pa < IMAGE_END) &&
	       !(pa + PAGE_SIZE > info.initrd_start && pa < info.initrd_end);
}

static int
compare(const void *a, const void *b)
{
	const paddr_t x = *(const paddr_t *)a, y = *(const paddr_t *)b;

	return x < y ? -1 : x > y;
}

static void
take_everything(void)
{
	struct pmm_stats s;
	paddr_t *all;
	size_t n = 0;

	start_allocator();
	pmm_stats(&s);
	CHILD_CHECK(s.free > 0 && s.free + s.reserved == s.total);
	for (paddr_t pa = PAGE_SIZE; pa < MIB(1); pa += PAGE_SIZE)
		CHILD_CHECK(!pmm_is_free(pa)); /* the loader's, for now */
	pmm_release_boot();
	pmm_release_boot(); /* the second time changes nothing */
	pmm_stats(&s);
	CHILD_CHECK(s.free + s.reserved == s.total);

	all = malloc(s.free * sizeof(*all));
	for (paddr_t pa; (pa = pmm_alloc(PMM_TEST)) != PADDR_NONE; n++) {
		CHILD_CHECK(n < s.free);
		CHILD_CHECK(IS_ALIGNED(pa, PAGE_SIZE) && allowed(pa) && pmm_is_ram(pa));
		all[n] = pa;
	}
	CHILD_CHECK(n == s.free);
	qsort(all, n, sizeof(*all), compare);
	for (size_t i = 1; i < n; i++)
		CHILD_CHECK(all[i] != all[i - 1]);
	CHILD_CHECK(pmm_alloc_range(PMM_TEST, 1, PAGE_SIZE, 0) == PADDR_NONE);
	for (size_t i = 0; i < n; i++)
		pmm_free(all[(i * 7919) % n]); /* 7919 is prime, and divides no count used here */
	pmm_stats(&s);
	CHILD_CHECK(s.free == n && s.peak_used == s.total);
	while (pmm_alloc(PMM_TEST) != PADDR_NONE) /* all can be had again */
		n--;
	CHILD_CHECK(n == 0);
}

static void
test_small_machine(void **state)
{
	(void)state;
	new_map();
	add(0, 0x9f000, BOOT_MEM_RAM);
	add(0x9f000, 0x100000, BOOT_MEM_RESERVED);
	add(0x100000, MIB(8) - 0x20000, BOOT_MEM_RAM);
	add(MIB(8) - 0x20000, MIB(8), BOOT_MEM_ACPI);
	in_child(take_everything);
}

/* Another loader: an initrd over the place for the log, into the kernel, and on past that place. */
static void
test_overlaps(void **state)
{
	(void)state;
	new_map();
	add(0, 0x9fc00, BOOT_MEM_RAM);
	add(MIB(1), MIB(64), BOOT_MEM_RAM);
	info.initrd_start = LOG_KEEP_PHYS + KIB(8);
	info.initrd_end = LOG_KEEP_PHYS + KIB(16); /* in it */
	in_child(take_everything);
	info.initrd_start = IMAGE_END - KIB(8);
	info.initrd_end = LOG_KEEP_PHYS + KIB(16); /* begins in the kernel, ends in it */
	in_child(take_everything);
	info.initrd_start = IMAGE_START;
	info.initrd_end = MIB(5); /* over both */
	in_child(take_everything);
}

static void
test_large_machine(void **state)
{
	(void)state;
	new_map();
	info.initrd_start = MIB(20) + 123; /* not page-aligned: whole pages are kept */
	info.initrd_end = MIB(21) + 5;
	add(0, 0x9fc00, BOOT_MEM_RAM);
	add(0x100000, GIB(2) - 0x21000, BOOT_MEM_RAM);
	add(GIB(2) - 0x21000, GIB(2), BOOT_MEM_NVS);
	add(GIB(4), GIB(5) + 0x3000, BOOT_MEM_RAM);
	in_child(take_everything);
}

/* Slivers, odd starts, RAM behind a terabyte of nothing. */
static void
test_odd_map(void **state)
{
	(void)state;
	new_map();
	info.initrd_start = 0x205000;
	info.initrd_end = 0x206000;
	add(0x1000, 0x9d000, BOOT_MEM_RAM);
	add(0x100000, 0x201000, BOOT_MEM_RAM);
	add(0x202000, 0x203000, BOOT_MEM_RAM);
	add(0x204800, 0x206000, BOOT_MEM_RAM); /* one whole frame, and that is the initrd */
	add(0x300000, 0x300800, BOOT_MEM_RAM); /* less than a frame */
	add(MIB(15) + 0x7000, MIB(17) + 0x3000, BOOT_MEM_RAM); /* across the ISA limit */
	add(GIB(3) + 0x41000, GIB(4) + MIB(3), BOOT_MEM_RAM);  /* across 4 GiB */
	add(BIT(40) + 0x5000, BIT(40) + MIB(9), BOOT_MEM_RAM);
	in_child(take_everything);
}

static void
start_without_room(void)
{
	start_allocator();
}

static void
expect_no_room(void)
{
	shim_expected = true;
	if (setjmp(shim_expecting) == 0) {
		start_without_room();
		_exit(1);
	}
	CHILD_CHECK(strstr(shim_panic_text, "no RAM below 4 GiB") != NULL);
}

static void
test_no_room(void **state)
{
	(void)state;
	new_map();
	add(0, 0x9f000, BOOT_MEM_RAM);
	add(0x100000, IMAGE_END, BOOT_MEM_RAM);
	in_child(expect_no_room);
}

/* --- preferences ------------------------------------------------------------------------- */

static void
check_order(void)
{
	start_allocator();
	pmm_release_boot();
	for (unsigned i = 0; i < 1000; i++) {
		const paddr_t pa = pmm_alloc(PMM_TEST);

		CHILD_CHECK(pa >= MIB(16) && pa < GIB(4)); /* neither scarce nor out of reach */
	}
	for (unsigned i = 0; i < 10; i++) {
		const paddr_t dma = pmm_alloc_range(PMM_TEST, 16, KIB(64), MIB(16));
		const paddr_t low = pmm_alloc_range(PMM_TEST, 1, PAGE_SIZE, MIB(1));

		CHILD_CHECK(dma != PADDR_NONE && dma + KIB(64) <= MIB(16));
		CHILD_CHECK(low != PADDR_NONE && low + PAGE_SIZE <= MIB(1));
	}
	/* The frame freed last is warm: it comes next. */
	{
		const paddr_t pa = pmm_alloc(PMM_TEST);

		for (unsigned i = 0; i < 200; i++)
			CHILD_CHECK(pmm_alloc(PMM_TEST) != pa);
		pmm_free(pa);
		CHILD_CHECK(pmm_alloc(PMM_TEST) == pa);
	}
}

static void
check_low_memory_last(void)
{
	start_allocator();
	pmm_release_boot();
	for (unsigned i = 0; i < 500; i++)
		CHILD_CHECK(pmm_alloc(PMM_TEST) >= MIB(1));
}

static void
test_preferences(void **state)
{
	(void)state;
	new_map();
	add(0, 0x9f000, BOOT_MEM_RAM);
	add(0x100000, MIB(64), BOOT_MEM_RAM);
	add(GIB(4), GIB(4) + MIB(64), BOOT_MEM_RAM);
	in_child(check_order);
	new_map();
	add(0, 0x9f000, BOOT_MEM_RAM);
	add(0x100000, MIB(8), BOOT_MEM_RAM);
	in_child(check_low_memory_last);
}

/* --- misuse ------------------------------------------------------------------------------ */

static void
test_misuse(void **state)
{
	paddr_t pa;

	(void)state;
	new_map();
	add(0x1000, 0x9f000, BOOT_MEM_RAM);
	add(0x100000, MIB(32), BOOT_MEM_RAM);
	add(MIB(32), MIB(33), BOOT_MEM_ACPI);
	start_allocator(); /* for good, in this process */
	pmm_release_boot();
	pa = pmm_alloc(PMM_TEST);
	EXPECT_PANIC(pmm_free(pa + 1), "no frame's start");
	EXPECT_PANIC(pmm_free(IMAGE_START), "reserved");
	EXPECT_PANIC(pmm_free(0), "not RAM");
	EXPECT_PANIC(pmm_free(MIB(32)), "not RAM");
	EXPECT_PANIC(pmm_free(GIB(7)), "not RAM");
	EXPECT_PANIC(pmm_free(PADDR_NONE), "not RAM");
	pmm_free(pa);
	EXPECT_PANIC(pmm_free(pa), "double free");
	EXPECT_PANIC((void)pmm_alloc_range(PMM_TEST, 1, 3, 0), "assertion");
}

/* --- random operations against a model --------------------------------------------------- */

#define MODEL_FRAMES (MIB(32) / PAGE_SIZE)

static uint8_t model[MODEL_FRAMES]; /* 0 = not ours, 1 = free, 2 = allocated */
static size_t model_free;

static void
model_take(paddr_t pa, size_t nr)
{
	assert_true(pa != PADDR_NONE);
	for (size_t i = pa / PAGE_SIZE; i < pa / PAGE_SIZE + nr; i++) {
		assert_true(i < MODEL_FRAMES);
		assert_int_equal(model[i], 1);
		model[i] = 2;
		model_free--;
	}
}

static bool
model_has_run(size_t nr, size_t align_frames, size_t limit_frames)
{
	for (size_t i = 0; i + nr <= MIN(MODEL_FRAMES, limit_frames); i += align_frames) {
		size_t n = 0;

		while (n < nr && model[i + n] == 1)
			n++;
		if (n == nr)
			return true;
	}
	return false;
}

static void
random_range(void)
{
	const size_t nr = shim_random(40) + 1, align = 1UL << shim_random(6);
	const paddr_t limit = shim_random(3) == 0 ? MIB(shim_random(32) + 1) : 0;
	const paddr_t pa = pmm_alloc_range(PMM_TEST, nr, align * PAGE_SIZE, limit);

	if (pa == PADDR_NONE) {
		/* Runs are looked for within one zone: across 16 MiB there is none to be had. */
		const bool low =
			model_has_run(nr, align, MIN(MIB(16), limit ? limit : MIB(16)) / PAGE_SIZE);

		assert_false(low);
		return;
	}
	assert_true(IS_ALIGNED(pa, align * PAGE_SIZE));
	assert_true(limit == 0 || pa + nr * PAGE_SIZE <= limit);
	model_take(pa, nr);
}

static void
random_free(void)
{
	size_t i = shim_random(MODEL_FRAMES);

	for (size_t n = 0; n < MODEL_FRAMES && model[i] != 2; n++)
		i = (i + 1) % MODEL_FRAMES;
	if (model[i] != 2)
		return;
	for (size_t n = shim_random(8) + 1; n > 0 && i < MODEL_FRAMES && model[i] == 2; n--, i++) {
		pmm_free(i * PAGE_SIZE);
		model[i] = 1;
		model_free++;
	}
}

/* Runs after test_misuse, in the same process: its map is the one in force. */
static void
test_random(void **state)
{
	struct pmm_stats s;

	(void)state;
	shim_seed();
	for (size_t i = 0; i < MODEL_FRAMES; i++) {
		model[i] = pmm_is_free(i * PAGE_SIZE) ? 1 : 0;
		model_free += model[i];
	}
	for (unsigned n = 0; n < 60000; n++) {
		/* Long phases of growing and shrinking, so that empty and full are both reached. */
		const unsigned grow = (n / 10000) % 2 == 0 ? 8 : 2;
		const uint64_t what = shim_random(10);

		if (what < grow) {
			const paddr_t pa = pmm_alloc(PMM_TEST);

			if (pa == PADDR_NONE)
				assert_int_equal(model_free, 0);
			else
				model_take(pa, 1);
		} else if (what == 9) {
			random_range();
		} else {
			random_free();
		}
		pmm_stats(&s);
		assert_int_equal(s.free, model_free);
	}
	for (size_t i = 0; i < MODEL_FRAMES; i++)
		assert_int_equal(pmm_is_free(i * PAGE_SIZE), model[i] == 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overlaps),      cmocka_unit_test(test_small_machine),
		cmocka_unit_test(test_large_machine), cmocka_unit_test(test_odd_map),
		cmocka_unit_test(test_no_room),	      cmocka_unit_test(test_preferences),
		cmocka_unit_test(test_misuse),	      cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
