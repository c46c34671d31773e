/*
 * bench_frames.c - what a page frame costs when memory is as full as one likes: `bench frames`.
 *
 * Memory is taken until all but a little is used, and then given back at random places until it is
 * as full as was asked for; so what is free is scattered.  Then frames are freed at random places
 * and taken again, in batches long enough that the allocator cannot live on what it has at hand.
 * The order of places is the same in every run.
 */
#include "tests.h"
#include <kern/bench.h>
#include <lib/string.h>
#include <mm/pmm.h>
#include <x86/cpu.h>

#define ROUNDS	   64
#define BATCH	   256 /* frames; several times what the allocator moves at once */
#define SCATTER	   100 /* one in so many frames of RAM is given back at random places */
#define RUN_FRAMES 64  /* a run that scattered frames do not hold */
#define TAKE_MAX   (GIB(1) / PAGE_SIZE)

static uint64_t random_state;
static paddr_t frames[BATCH];

/* xorshift64 (G. Marsaglia, "Xorshift RNGs", 2003). */
static uint64_t
random_below(uint64_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 11) % n;
}

/* Take @nr frames, in runs as long as there are. */
static void
take(size_t nr)
{
	for (size_t run = TAKE_MAX; run > 0; run /= 2) {
		while (nr >= run && pmm_alloc_range(PMM_TEST, run, PAGE_SIZE, 0) != PADDR_NONE)
			nr -= run;
	}
}

/* One of the frames taken here. */
static paddr_t
random_taken(paddr_t highest)
{
	for (;;) {
		const paddr_t pa = random_below(highest / PAGE_SIZE) * PAGE_SIZE;

		if (pmm_frame_owner(pa) == PMM_TEST)
			return pa;
	}
}

static void
give_back_span(void *arg, paddr_t start, paddr_t end)
{
	(void)arg;
	for (paddr_t pa = start; pa < end; pa += PAGE_SIZE) {
		if (pmm_frame_owner(pa) == PMM_TEST)
			pmm_free(pa);
	}
}

struct cost {
	uint64_t sum, worst; /* cycles */
};

static void
add_cost(struct cost *c, uint64_t cycles)
{
	c->sum += cycles;
	c->worst = MAX(c->worst, cycles);
}

/* What reading the TSC twice costs by itself. */
static uint64_t
overhead(void)
{
	const uint64_t start = rdtsc();

	return rdtsc() - start;
}

/* Each operation by itself, with interrupts off: its cost is all that is counted. */
static void
churn(paddr_t highest, struct cost *free_cost, struct cost *alloc_cost)
{
	const uint64_t none = overhead();
	uint64_t flags;

	for (size_t i = 0; i < BATCH; i++) {
		frames[i] = random_taken(highest);
		flags = irq_save();
		{
			const uint64_t start = rdtsc();

			pmm_free(frames[i]);
			add_cost(free_cost, rdtsc() - start - none);
		}
		irq_restore(flags);
	}
	for (size_t i = 0; i < BATCH; i++) {
		flags = irq_save();
		{
			const uint64_t start = rdtsc();

			frames[i] = pmm_alloc(PMM_TEST);
			add_cost(alloc_cost, rdtsc() - start - none);
		}
		irq_restore(flags);
	}
}

static uint64_t
search(void)
{
	const uint64_t start = rdtsc();
	const paddr_t pa = pmm_alloc_range(PMM_TEST, RUN_FRAMES, PAGE_SIZE, 0);
	const uint64_t cycles = rdtsc() - start;

	if (pa != PADDR_NONE)
		pmm_free_range(pa, RUN_FRAMES);
	return cycles;
}

static void
show(const char *name, uint64_t value)
{
	printf("bench %-16s %lu\n", name, value);
}

void
bench_frames(unsigned percent)
{
	struct cost free_cost = {0}, alloc_cost = {0};
	struct pmm_stats s;
	size_t scattered, wanted;

	random_state = 88172645463325252ULL;
	pmm_stats(&s);
	scattered = s.total / SCATTER;
	wanted = s.total / 100 * percent;
	if (wanted + scattered > s.total - s.free)
		take(MIN(wanted + scattered - (s.total - s.free), s.free));
	pmm_stats(&s);
	for (size_t free = s.free; s.total - free > wanted; free++)
		pmm_free(random_taken(s.highest));

	for (unsigned i = 0; i < ROUNDS; i++)
		churn(s.highest, &free_cost, &alloc_cost);
	pmm_stats(&s);
	show("used_percent", (s.total - s.free) * 100 / s.total);
	show("frame_free", free_cost.sum / (ROUNDS * BATCH));
	show("frame_alloc", alloc_cost.sum / (ROUNDS * BATCH));
	show("frame_both", (free_cost.sum + alloc_cost.sum) / (ROUNDS * BATCH));
	show("worst_free", free_cost.worst);
	show("worst_alloc", alloc_cost.worst);
	show("run_first", search());
	show("run_again", search());
	pmm_for_each_range(give_back_span, NULL);
}
