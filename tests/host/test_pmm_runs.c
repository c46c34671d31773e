/*
 * test_pmm_runs.c - runs of frames in memory that is broken up at random, against a model.
 *
 * SOURCES: mm/pmm.c mm/pmm_bits.c mm/pmm_init.c mm/pmm_range.c mm/pmm_zero.c mm/pmm_info.c
 * SOURCES: kernel/lib/bitmap.c kernel/lib/string.c kernel/lib/printf.c
 */
#include "pmm_shim.h"
#include <mm/frames.h>

#define FRAMES	 (MIB(96) / PAGE_SIZE)
#define STEPS	 30000
#define CHECK_IN 500 /* steps between looks at the whole */

/* 0 = not ours, 1 = free, else an owner's byte. */
static uint8_t model[FRAMES];
static size_t model_free;

/* Runs are looked for within one zone, and below 1 MiB apart. */
static const size_t cuts[] = {0, MIB(1) / PAGE_SIZE, MIB(16) / PAGE_SIZE, FRAMES};

static void
learn(void)
{
	model_free = 0;
	for (size_t i = 0; i < FRAMES; i++) {
		model[i] = pmm_is_free(i * PAGE_SIZE);
		model_free += model[i];
	}
}

/* The longest aligned run below @limit_frames, up to @enough. */
static size_t
longest(size_t align_frames, size_t limit_frames, size_t enough)
{
	size_t best = 0;

	for (size_t c = 0; c + 1 < ARRAY_SIZE(cuts); c++) {
		const size_t end = MIN(cuts[c + 1], limit_frames);
		size_t n = 0; /* free frames up to here, from an aligned one on */

		for (size_t i = cuts[c]; i < end && best < enough; i++) {
			if (model[i] != 1)
				n = 0;
			else if (n > 0 || i % align_frames == 0)
				n++;
			best = MAX(best, n);
		}
	}
	return best;
}

static void
take(paddr_t pa, size_t nr, enum pmm_owner owner)
{
	for (size_t i = pa / PAGE_SIZE; i < pa / PAGE_SIZE + nr; i++) {
		assert_true(i < FRAMES);
		assert_int_equal(model[i], 1);
		assert_int_equal(pmm_frame_owner(i * PAGE_SIZE), owner);
		model[i] = (uint8_t)owner;
	}
	model_free -= nr;
}

static void
give(size_t i)
{
	model[i] = 1;
	model_free++;
}

static enum pmm_owner
random_owner(void)
{
	return PMM_PAGE_TABLE + (unsigned)shim_random(PMM_OWNERS_END - PMM_PAGE_TABLE);
}

static void
step_range(void)
{
	const size_t nr = shim_random(4) == 0 ? shim_random(6000) + 1 : shim_random(70) + 1;
	const size_t align = shim_random(2) == 0 ? 1 : 1UL << shim_random(10);
	const size_t limit = shim_random(4) == 0 ? shim_random(FRAMES) + 1 : FRAMES;
	const enum pmm_owner owner = random_owner();
	const paddr_t pa = pmm_alloc_range(owner, nr, align * PAGE_SIZE,
					   limit == FRAMES ? 0 : limit * PAGE_SIZE);

	/* Exactly when there is one. */
	assert_true((longest(align, limit, nr) >= nr) == (pa != PADDR_NONE));
	if (pa == PADDR_NONE)
		return;
	assert_true(IS_ALIGNED(pa, align * PAGE_SIZE) && pa + nr * PAGE_SIZE <= limit * PAGE_SIZE);
	take(pa, nr, owner);
}

static void
step_single(void)
{
	static const paddr_t end[] = {MIB(16), GIB(4), GIB(4)};
	const enum pmm_owner owner = random_owner();
	const size_t zone = shim_random(8);
	const paddr_t pa = zone < PMM_NR_ZONES ? pmm_alloc_zone(owner, (enum pmm_zone)zone)
			   : zone == 3	       ? pmm_alloc_zeroed(owner)
					       : pmm_alloc(owner);

	if (pa == PADDR_NONE) {
		assert_int_equal(longest(1, zone == PMM_ZONE_DMA ? MIB(16) / PAGE_SIZE : FRAMES, 1),
				 0);
		return;
	}
	assert_true(zone >= PMM_NR_ZONES || pa < end[zone]);
	take(pa, 1, owner);
}

/* From a random place on: single frames here and there, or all of a stretch. */
static void
step_free(void)
{
	const size_t start = shim_random(FRAMES), stretch = shim_random(600) + 1;
	size_t i = start;

	if (shim_random(2) == 0) {
		for (; i < MIN(FRAMES, start + stretch); i += 1 + shim_random(4)) {
			if (model[i] <= 1)
				continue;
			pmm_free(i * PAGE_SIZE);
			give(i);
		}
		return;
	}
	for (; i < MIN(FRAMES, start + stretch) && model[i] > 1; i++)
		give(i);
	pmm_free_range(start * PAGE_SIZE, i - start);
}

/* Does the idle thread's work, sometimes interrupted. */
static void
step_zero(void)
{
	static const volatile uint8_t stop[] = {false, true};

	for (size_t n = shim_random(80); n > 0 && pmm_zero_one(&stop[shim_random(8) == 0]); n--)
		;
}

static void
check_all(void)
{
	size_t by[PMM_NR_OWNERS], expected[PMM_NR_OWNERS] = {0}, sum = 0, zones = 0;
	struct pmm_zone_info z;

	pmm_owner_counts(by);
	for (size_t i = 0; i < FRAMES; i++) {
		assert_int_equal(pmm_is_free(i * PAGE_SIZE), model[i] == 1);
		if (model[i] > 1) {
			assert_int_equal(pmm_frame_owner(i * PAGE_SIZE), model[i]);
			expected[model[i] & PMM_ID]++;
		}
	}
	for (size_t id = PMM_PAGE_TABLE & PMM_ID; id < PMM_NR_OWNERS; id++)
		assert_int_equal(by[id], expected[id]);
	for (size_t id = 0; id < PMM_NR_OWNERS; id++)
		sum += by[id];
	for (unsigned zone = 0; zone < PMM_NR_ZONES; zone++) {
		pmm_zone_info((enum pmm_zone)zone, &z);
		zones += z.free;
	}
	assert_int_equal(by[PMM_NOBODY], model_free);
	assert_int_equal(zones, model_free);
	assert_int_equal(sum, MIB(96) / PAGE_SIZE - 0x61); /* less the hole below 1 MiB */
}

/* The largest run that exists is found, and no larger one. */
static void
check_largest(void)
{
	const size_t nr = longest(1, FRAMES, FRAMES);
	paddr_t pa;

	assert_true(pmm_alloc_range(PMM_TEST, nr + 1, PAGE_SIZE, 0) == PADDR_NONE);
	if (nr == 0)
		return;
	pa = pmm_alloc_range(PMM_TEST, nr, PAGE_SIZE, 0);
	assert_true(pa != PADDR_NONE);
	take(pa, nr, PMM_TEST);
	pmm_free_range(pa, nr);
	for (size_t i = 0; i < nr; i++)
		give(pa / PAGE_SIZE + i);
}

static void
test_random_runs(void **state)
{
	(void)state;
	shim_seed();
	for (unsigned n = 0; n < STEPS; n++) {
		/* Long phases of growing and shrinking, so that empty and full are both reached. */
		const uint64_t grow = (n / 3000) % 2 == 0 ? 8 : 3, what = shim_random(11);

		if (what == 10)
			step_zero();
		else if (what >= grow)
			step_free();
		else if (what % 3 == 0)
			step_range();
		else
			step_single();
		if (n % CHECK_IN == 0) {
			check_all();
			check_largest();
		}
	}
	check_all();
}

/* All given back, in pieces: it is one again. */
static void
test_whole_again(void **state)
{
	const size_t high = FRAMES - MIB(16) / PAGE_SIZE;
	size_t tables = 0;

	(void)state;
	for (size_t i = 0; i < FRAMES; i++) {
		if (model[i] > 1) {
			pmm_free(i * PAGE_SIZE);
			give(i);
		}
		tables += pmm_frame_owner(i * PAGE_SIZE) == PMM_FRAMES;
	}
	check_all();
	assert_int_equal(longest(1, FRAMES, FRAMES), high - tables);
	check_largest();
}

/* A search in vain is remembered by group; a run that grows into the next group is seen all the same. */
static void
test_across_groups(void **state)
{
	const paddr_t edge = MIB(32); /* groups are 16 MiB, counted from where the zone begins */
	const paddr_t first = edge - 2 * PAGE_SIZE;

	(void)state;
	for (size_t nr = FRAMES; nr > 0; nr /= 2) {
		while (pmm_alloc_range(PMM_TEST, nr, PAGE_SIZE, 0) != PADDR_NONE)
			;
	}
	pmm_free_range(first, 2);
	for (size_t i = 0; i < 8; i++) /* enough are free, but apart */
		pmm_free(MIB(40) + 2 * i * PAGE_SIZE);
	(void)pmm_collect();
	assert_true(pmm_alloc_range(PMM_USER, 4, PAGE_SIZE, 0) == PADDR_NONE);
	pmm_free(edge + PAGE_SIZE);
	pmm_free(edge);
	assert_int_equal(pmm_alloc_range(PMM_USER, 4, PAGE_SIZE, 0), first);
	for (size_t i = 0; i < FRAMES; i++) {
		const uint8_t owner = pmm_frame_owner(i * PAGE_SIZE);

		if (owner == PMM_TEST || owner == PMM_USER)
			pmm_free(i * PAGE_SIZE);
	}
	check_all();
}

/* What was reserved is handed out when it is not needed any more, once. */
static void
test_release(void **state)
{
	const size_t kernel = pmm_owner_count(PMM_KERNEL), free = pmm_owner_count(PMM_NOBODY);
	const paddr_t part = IMAGE_START + 16 * PAGE_SIZE;

	(void)state;
	EXPECT_PANIC(pmm_free(part), "reserved: kernel image");
	pmm_release(part, part + 8 * PAGE_SIZE);
	assert_int_equal(pmm_owner_count(PMM_KERNEL), kernel - 8);
	assert_int_equal(pmm_owner_count(PMM_NOBODY), free + 8);
	assert_int_equal(pmm_alloc_range(PMM_USER, 8, PAGE_SIZE, part + 8 * PAGE_SIZE), part);
	EXPECT_PANIC(pmm_release(part, part + PAGE_SIZE), "not reserved: programs");
	EXPECT_PANIC(pmm_release(part + 1, part + PAGE_SIZE), "assertion");
	pmm_free_range(part, 8);
	EXPECT_PANIC(pmm_free(part), "last held by: programs");
}

static int
set_up(void **state)
{
	(void)state;
	new_map();
	add(0, 0x9f000, BOOT_MEM_RAM);
	add(0x100000, MIB(96), BOOT_MEM_RAM);
	start_allocator();
	pmm_release_boot();
	learn();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_runs),
		cmocka_unit_test(test_whole_again),
		cmocka_unit_test(test_across_groups),
		cmocka_unit_test(test_release),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
