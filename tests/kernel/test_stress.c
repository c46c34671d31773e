/*
 * test_stress.c - everything at once: threads that lock, wait, sleep, yield, allocate, create and
 * kill each other, in an order that differs per thread but not per run.
 */
#include "tests.h"
#include <kern/sync.h>
#include <kern/thread.h>
#include <kern/work.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>

#define THREADS 8
#define STEPS	150
#define BLOCKS	6

static struct mutex mutex = MUTEX_INIT(mutex, "test stress");
static struct semaphore tokens;
static volatile unsigned counter, worked; /* [mutex], [a] */
static unsigned expected[THREADS];

struct state {
	unsigned me;
	uint32_t seed;
	uint8_t *block[BLOCKS]; /* each filled with its index */
	size_t size[BLOCKS];
};

static unsigned
below(struct state *s, unsigned n)
{
	s->seed = s->seed * 1664525 + 1013904223;
	return (s->seed >> 16) % n;
}

static void
count_work(struct work *w)
{
	worked++;
	kfree(w);
}

static void
step_work(void)
{
	struct work *w = kmalloc(sizeof(*w));

	CHECK(w != NULL);
	list_init(&w->node);
	w->fn = count_work;
	CHECK(work_queue(w));
}

static void
step_count(struct state *s)
{
	unsigned seen;

	mutex_lock(&mutex);
	seen = counter;
	if (below(s, 4) == 0)
		sched_yield();
	counter = seen + 1;
	mutex_unlock(&mutex);
	expected[s->me]++;
}

/* Take a block, or check that the one in this place is as it was left, and give it back. */
static void
step_memory(struct state *s)
{
	const unsigned i = below(s, BLOCKS);

	if (s->block[i] == NULL) {
		s->size[i] = 1 + below(s, 5000);
		s->block[i] = kmalloc(s->size[i]);
		CHECK(s->block[i] != NULL);
		memset(s->block[i], (int)(s->me * BLOCKS + i), s->size[i]);
		return;
	}
	for (size_t k = 0; k < s->size[i]; k++)
		CHECK_EQ(s->block[i][k], s->me * BLOCKS + i);
	kfree(s->block[i]);
	s->block[i] = NULL;
}

static void
sleeper(void *arg)
{
	(void)arg;
	thread_exit(sleep_ms(1000 * 1000) == -EINTR ? 5 : 6);
}

static void
step_thread(void)
{
	struct thread *t = thread_create("stress child", sleeper, NULL);

	CHECK(t != NULL);
	sched_yield();
	CHECK_EQ(thread_kill(t->id), 0);
	CHECK_EQ(thread_join(t), 5);
}

static void
step_token(void)
{
	if (sem_down_timeout(&tokens, 5) == 0) {
		sched_yield();
		sem_up(&tokens);
	}
}

static void
stress(void *arg)
{
	struct state s = {.me = (unsigned)(uintptr_t)arg, .seed = 77 + (unsigned)(uintptr_t)arg};

	for (unsigned i = 0; i < STEPS; i++) {
		switch (below(&s, 8)) {
		case 0: step_thread(); break;
		case 1: step_token(); break;
		case 2: step_work(); break;
		case 3: CHECK_EQ(sleep_us(below(&s, 300)), 0); break;
		case 4: sched_yield(); break;
		case 5: step_count(&s); break;
		default: step_memory(&s);
		}
	}
	for (unsigned i = 0; i < BLOCKS; i++)
		kfree(s.block[i]);
}

static void
stress_all(void)
{
	struct thread *t[THREADS];
	unsigned sum = 0;

	counter = 0;
	sem_init(&tokens, 2);
	for (unsigned i = 0; i < THREADS; i++) {
		expected[i] = 0;
		t[i] = thread_create("stress", stress, (void *)(uintptr_t)i);
		CHECK(t[i] != NULL);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		CHECK_EQ(thread_join(t[i]), 0);
		sum += expected[i];
	}
	work_flush();
	CHECK_EQ(counter, sum);
	CHECK_EQ(tokens.count, 2);
	CHECK(mutex_owner(&mutex) == NULL && list_empty(&mutex.queue.waiters));
	CHECK(list_empty(&tokens.queue.waiters));
}

/* Twice: the second time no frame more is in use than after the first. */
void
test_sched_stress(void)
{
	struct pmm_stats first, second;

	stress_all();
	pmm_stats(&first);
	stress_all();
	pmm_stats(&second);
	CHECK(second.free + 16 >= first.free); /* caches may have grown by a slab or two */
}
