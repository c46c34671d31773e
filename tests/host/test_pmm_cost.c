/*
 * test_pmm_cost.c - what a frame costs does not depend on how much memory there is, nor how full.
 *
 * SOURCES: mm/pmm.c mm/pmm_bits.c mm/pmm_init.c mm/pmm_range.c mm/pmm_zero.c mm/pmm_info.c
 * SOURCES: kernel/lib/bitmap.c kernel/lib/string.c kernel/lib/printf.c
 * CFLAGS: -fsanitize-coverage=trace-pc
 *
 * Every basic block calls __sanitizer_cov_trace_pc() below, so the count is exact and the same on
 * every run of the same program: no clock is asked.  tests/boot/test_frames.py counts instructions.
 */
#include "pmm_shim.h"
#include <limits.h>

#define ROUNDS 64
#define BATCH  256 /* frames: several times what the allocator moves at once */

struct cost {
	unsigned long all;   /* basic blocks of one allocation and one free, on average */
	unsigned long worst; /* of a single call */
};

static unsigned long blocks;

void __sanitizer_cov_trace_pc(void);

__attribute__((no_sanitize_coverage)) void
__sanitizer_cov_trace_pc(void)
{
	blocks++;
}

static paddr_t
random_taken(paddr_t end)
{
	for (;;) {
		const paddr_t pa = shim_random(end / PAGE_SIZE) * PAGE_SIZE;

		if (pmm_frame_owner(pa) == PMM_TEST)
			return pa;
	}
}

/* All but @percent of memory taken, and then one in a hundred frames given back at random places. */
static void
fill(unsigned percent, paddr_t end)
{
	struct pmm_stats s;
	size_t left;

	pmm_stats(&s);
	left = MIN(s.total / 100 * (percent + 1), s.free);
	for (size_t nr = GIB(1) / PAGE_SIZE; nr > 0; nr /= 2) {
		while (left >= nr && pmm_alloc_range(PMM_TEST, nr, PAGE_SIZE, 0) != PADDR_NONE)
			left -= nr;
	}
	for (size_t n = s.total / 100; n > 0; n--)
		pmm_free(random_taken(end));
}

static void
count(struct cost *c, unsigned long before)
{
	const unsigned long cost = blocks - before;

	c->all += cost;
	c->worst = MAX(c->worst, cost);
}

static struct cost
churn(paddr_t end)
{
	static paddr_t frames[BATCH];
	struct cost c = {0};

	for (unsigned round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < BATCH; i++) {
			const paddr_t pa = random_taken(end);
			const unsigned long before = blocks;

			pmm_free(pa);
			count(&c, before);
		}
		for (size_t i = 0; i < BATCH; i++) {
			const unsigned long before = blocks;

			frames[i] = pmm_alloc(PMM_TEST);
			count(&c, before);
			assert_true(frames[i] != PADDR_NONE);
		}
	}
	c.all /= ROUNDS * BATCH;
	return c;
}

/* A machine with that much memory: 3 GiB of it below the devices, the rest above 4 GiB. */
static paddr_t
start(uint64_t size)
{
	new_map();
	add(0, 0x9f000, BOOT_MEM_RAM);
	add(0x100000, MIN(size, GIB(3)), BOOT_MEM_RAM);
	if (size > GIB(3))
		add(GIB(4), GIB(1) + size, BOOT_MEM_RAM);
	start_allocator();
	pmm_release_boot();
	return size > GIB(3) ? GIB(1) + size : size;
}

static const uint64_t sizes[] = {MIB(64), GIB(1), GIB(5), GIB(64)};
static const unsigned percents[] = {10, 50, 99};

/* In a process of its own: start over with a machine of sizes[@size], and write the cost to @out. */
static void
measure(size_t size, unsigned percent, int out)
{
	const paddr_t end = start(sizes[size]);
	struct cost c;

	fill(percent, end);
	c = churn(end);
	CHILD_CHECK(write(out, &c, sizeof(c)) == sizeof(c));
}

static struct cost
measured(size_t size, unsigned percent)
{
	struct cost c = {0};
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		measure(size, percent, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &c, sizeof(c)), sizeof(c));
	close(ends[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return c;
}

/* All within a fifth of the middle. */
static void
test_same_everywhere(void **state)
{
	unsigned long least = ULONG_MAX, most = 0, worst = 0;

	(void)state;
	shim_seed();
	for (size_t size = 0; size < ARRAY_SIZE(sizes); size++) {
		for (size_t p = 0; p < ARRAY_SIZE(percents); p++) {
			const struct cost c = measured(size, percents[p]);

			print_message("%6lu MiB, %2u %% used: %lu blocks, at worst %lu\n",
				      (unsigned long)(sizes[size] >> 20), percents[p], c.all,
				      c.worst);
			least = MIN(least, c.all);
			most = MAX(most, c.all);
			worst = MAX(worst, c.worst);
		}
	}
	assert_true(most * 2 <= least * 3); /* 1.2 / 0.8 */
	assert_true(worst <= 1500);
}

static unsigned long
cost_of_search(size_t nr)
{
	const unsigned long before = blocks;

	CHILD_CHECK(pmm_alloc_range(PMM_TEST, nr, PAGE_SIZE, 0) == PADDR_NONE);
	return blocks - before;
}

/* 64 GiB of which one in a hundred frames is free: no run of 64 anywhere. */
static void
search_in_vain(void)
{
	const paddr_t end = start(GIB(64));
	unsigned long first, again, changed;

	fill(99, end);
	first = cost_of_search(64);
	again = cost_of_search(64);
	pmm_free(random_taken(end));
	changed = cost_of_search(64);
	print_message("a run that 64 GiB do not hold: %lu blocks, again %lu, after a free %lu\n",
		      first, again, changed);
	/*
	 * Afterwards: a few blocks for each of 4,096 groups.  The freed frame is on a stack, and so the
	 * search is made twice; the second time two groups of 64 words are looked into.
	 */
	CHILD_CHECK(again < 4096 * 6);
	CHILD_CHECK(changed < 2 * again + 2 * 64 * 25);
	CHILD_CHECK(pmm_alloc_range(PMM_TEST, 1, PAGE_SIZE, 0) != PADDR_NONE);
}

static void
test_search_remembers(void **state)
{
	(void)state;
	in_child(search_in_vain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_everywhere),
		cmocka_unit_test(test_search_remembers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
