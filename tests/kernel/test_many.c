/*
 * test_many.c - a thousand threads: at once, and one after the other; and when memory ends.
 */
#include "tests.h"
#include <kern/clock.h>
#include <kern/sched.h>
#include <kern/thread.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/kstack.h>
#include <mm/pmm.h>

#define MANY	      1000
#define FRAMES_EACH   6	  /* a stack, its part of page tables, struct thread */
#define FRAMES_SPARED 256 /* for the rest of the system */

struct usage {
	size_t frames, objects, stacks;
};

static struct usage
usage(void)
{
	struct usage u = {.stacks = kstack_count()};
	struct pmm_stats stats;
	struct slab_info info;

	pmm_stats(&stats);
	u.frames = stats.free;
	for (size_t i = 0; slab_info(i, &info); i++)
		u.objects += info.in_use;
	return u;
}

static void
check_same(const struct usage *a, const struct usage *b)
{
	CHECK_EQ(a->frames, b->frames);
	CHECK_EQ(a->objects, b->objects);
	CHECK_EQ(a->stacks, b->stacks);
}

static void
sleep_long(void *arg)
{
	(void)arg;
	(void)sleep_ms(1000 * 1000);
}

unsigned
many_start(struct many_threads *m, unsigned wanted)
{
	const size_t free = usage().frames;
	const size_t room = free > FRAMES_SPARED ? (free - FRAMES_SPARED) / FRAMES_EACH : 0;

	m->n = 0;
	wanted = MIN(wanted, (unsigned)room);
	m->thread = kmalloc(MAX(wanted, 1u) * sizeof(struct thread *));
	CHECK(m->thread != NULL);
	for (; m->n < wanted; m->n++) {
		m->thread[m->n] = thread_create("many", sleep_long, NULL);
		CHECK(m->thread[m->n] != NULL);
	}
	(void)sleep_ms(30); /* they all sleep */
	return m->n;
}

void
many_end(struct many_threads *m)
{
	for (unsigned i = 0; i < m->n; i++)
		CHECK_EQ(thread_kill(m->thread[i]->id), 0);
	for (unsigned i = 0; i < m->n; i++)
		CHECK_EQ(thread_join(m->thread[i]), 0);
	kfree(m->thread);
}

/* A thousand at once, or as many as there is memory for; not a byte is missing afterwards. */
void
test_thread_thousand(void)
{
	struct many_threads m;
	struct usage before, after;

	CHECK(many_start(&m, MANY) > 0);
	many_end(&m); /* page tables and caches have their size */
	before = usage();
	(void)many_start(&m, MANY);
	CHECK_EQ(usage().stacks, before.stacks + m.n);
	for (unsigned i = 1; i < m.n; i++) {
		CHECK(m.thread[i]->id != m.thread[i - 1]->id);
		CHECK_EQ(m.thread[i]->state, THREAD_SLEEPING);
	}
	many_end(&m);
	after = usage();
	check_same(&before, &after);
}

static volatile unsigned nr_ran;

static void
count(void *arg)
{
	(void)arg;
	nr_ran++;
}

/* A thousand one after the other: the same. */
void
test_thread_no_leak(void)
{
	struct usage before = {0}, after;

	nr_ran = 0;
	for (unsigned i = 0; i < MANY + 20; i++) {
		struct thread *t;

		if (i == 20)
			before = usage();
		t = thread_create("short", count, NULL);
		CHECK(t != NULL);
		CHECK_EQ(thread_join(t), 0);
	}
	after = usage();
	CHECK_EQ(nr_ran, MANY + 20);
	check_same(&before, &after);
}

/* --- memory ends in the middle of thread_create() -------------------------------------------- */

/* A run of frames that was taken: it begins with where the next one is. */
struct run {
	paddr_t next;
	size_t nr;
};

static size_t
free_frames(void)
{
	struct pmm_stats stats;

	pmm_stats(&stats);
	return stats.free;
}

/* Takes all frames but @left, in runs as long as there are.  Returns the chain of runs. */
static paddr_t
take_frames(size_t left)
{
	paddr_t chain = PADDR_NONE;
	size_t nr = GIB(1) / PAGE_SIZE;

	while (nr > 0) {
		const size_t free = free_frames();
		paddr_t pa = PADDR_NONE;

		if (free >= left + nr)
			pa = pmm_alloc_range(PMM_TEST, nr, PAGE_SIZE, 0);
		if (pa == PADDR_NONE) {
			nr /= 2;
			continue;
		}
		*(struct run *)phys_to_virt(pa) = (struct run){chain, nr};
		chain = pa;
	}
	return chain;
}

static void
give_back(paddr_t chain)
{
	while (chain != PADDR_NONE) {
		const struct run run = *(struct run *)phys_to_virt(chain);

		pmm_free_range(chain, run.nr);
		chain = run.next;
	}
}

/* Whatever is the first thing that cannot be had, what was had before is given back. */
void
test_thread_no_memory(void)
{
	struct many_threads m;
	unsigned refused = 0;

	(void)many_start(&m, 8); /* more than the cache of free stacks holds */
	for (size_t left = 0; left < 8; left++) {
		const paddr_t chain = take_frames(left);
		struct thread *t[8];
		struct usage before = usage(), after;
		unsigned n = 0;

		while (n < ARRAY_SIZE(t) && (t[n] = thread_create("poor", count, NULL)) != NULL)
			n++;
		refused += n < ARRAY_SIZE(t);
		after = usage();
		CHECK_EQ(after.stacks, before.stacks + n);
		for (unsigned i = 0; i < n; i++)
			CHECK_EQ(thread_join(t[i]), 0);
		after = usage();
		give_back(chain);
		CHECK_EQ(after.objects, before.objects);
		CHECK_EQ(after.stacks, before.stacks);
	}
	CHECK(refused > 0);
	many_end(&m);
}

/* The id of a thread that lives is not given again when the numbers have gone round. */
void
test_thread_ids(void)
{
	struct thread *t[4];
	unsigned last;

	t[0] = thread_create("id", sleep_long, NULL);
	CHECK(t[0] != NULL);
	last = t[0]->id;
	thread_set_last_id(UINT32_MAX - 1);
	t[1] = thread_create("id", sleep_long, NULL);
	t[2] = thread_create("id", sleep_long, NULL);
	thread_set_last_id(last - 1);
	t[3] = thread_create("id", sleep_long, NULL);
	CHECK(t[1] != NULL && t[2] != NULL && t[3] != NULL);
	CHECK_EQ(t[1]->id, UINT32_MAX);
	CHECK(t[2]->id != 0 && t[2]->id != 1 && t[2]->id != 2); /* main and idle have these */
	CHECK_EQ(t[3]->id, last + 1);
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		CHECK_EQ(thread_kill(t[i]->id), 0);
		CHECK_EQ(thread_join(t[i]), 0);
	}
}
