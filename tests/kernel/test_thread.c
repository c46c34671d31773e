/*
 * test_thread.c - life and death of threads.
 */
#include "tests.h"
#include <kern/clock.h>
#include <kern/thread.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>

static void
nothing(void *arg)
{
	(void)arg;
}

static void
exit_42(void *arg)
{
	(void)arg;
	thread_exit(42);
}

static volatile int slept;

static void
sleep_long(void *arg)
{
	(void)arg;
	slept = 1;
	slept = sleep_ms(1000 * 1000);
}

static size_t
objects_in_use(void)
{
	struct slab_info info;
	size_t n = 0;

	for (size_t i = 0; slab_info(i, &info); i++)
		n += info.in_use;
	return n;
}

static size_t
frames_free(void)
{
	struct pmm_stats stats;

	pmm_stats(&stats);
	return stats.free;
}

static void
create_and_join(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct thread *t = thread_create("short", i & 1 ? exit_42 : nothing, NULL);

		CHECK(t != NULL);
		CHECK_EQ(thread_join(t), i & 1 ? 42 : 0);
	}
}

/* 200 threads come and go, and leave no frame and no object behind. */
void
test_thread_no_leak(void)
{
	size_t frames, objects;

	create_and_join(20); /* caches and page tables reach their size */
	frames = frames_free();
	objects = objects_in_use();
	create_and_join(200);
	CHECK_EQ(objects_in_use(), objects);
	CHECK_EQ(frames_free(), frames);
}

/* Many at once: each has a stack and an id of its own. */
void
test_thread_many(void)
{
	enum { N = 30 };
	struct thread *t[N];

	for (unsigned i = 0; i < N; i++) {
		t[i] = thread_create("many", sleep_long, NULL);
		CHECK(t[i] != NULL);
		for (unsigned j = 0; j < i; j++)
			CHECK(t[i]->stack != t[j]->stack && t[i]->id != t[j]->id);
	}
	CHECK_EQ(sleep_ms(20), 0);
	for (unsigned i = 0; i < N; i++)
		CHECK_EQ(thread_kill(t[i]->id), 0);
	for (unsigned i = 0; i < N; i++)
		CHECK_EQ(thread_join(t[i]), 0);
}

static bool
exists(unsigned id)
{
	struct thread_info info[40];
	const size_t n = MIN(thread_snapshot(info, ARRAY_SIZE(info)), ARRAY_SIZE(info));

	for (size_t i = 0; i < n; i++) {
		if (info[i].id == id)
			return true;
	}
	return false;
}

static void
wait_gone(unsigned id)
{
	for (unsigned i = 0; i < 100 && exists(id); i++)
		CHECK_EQ(sleep_ms(10), 0);
	CHECK(!exists(id));
}

/* A detached thread is cleaned up by "main", whether it ends before or after. */
void
test_thread_detach(void)
{
	struct thread *t = thread_create("detached", nothing, NULL);
	unsigned id;

	CHECK(t != NULL);
	id = t->id;
	thread_detach(t);
	wait_gone(id);

	t = thread_create("ended", nothing, NULL);
	CHECK(t != NULL);
	id = t->id;
	CHECK_EQ(sleep_ms(20), 0);
	CHECK_EQ(t->state, THREAD_ZOMBIE);
	thread_detach(t);
	wait_gone(id);
}

void
test_thread_join_timeout(void)
{
	struct thread *t = thread_create("sleeper", sleep_long, NULL);

	CHECK(t != NULL);
	CHECK_EQ(thread_join_timeout(t, 30), -ETIMEDOUT);
	CHECK_EQ(thread_kill(t->id), 0);
	CHECK_EQ(thread_join(t), 0);
}

/* A sleeper ends its sleep with -EINTR. */
void
test_thread_kill(void)
{
	struct thread *t = thread_create("victim", sleep_long, NULL);
	unsigned id;

	CHECK(t != NULL);
	id = t->id;
	slept = 0;
	while (slept == 0)
		CHECK_EQ(sleep_ms(1), 0);
	CHECK_EQ(thread_kill(id), 0);
	CHECK_EQ(thread_join(t), 0);
	CHECK_EQ(slept, -EINTR);
	CHECK_EQ(thread_kill(id), -ENOENT);
	CHECK_EQ(thread_kill(1), -EPERM); /* main */
	CHECK_EQ(thread_kill(2), -EPERM); /* idle */
}

static void
spin_until_killed(void *arg)
{
	(void)arg;
	while (!thread_killed())
		cpu_relax();
	thread_exit(7);
}

void
test_thread_kill_spinner(void)
{
	struct thread *t = thread_create("spinner", spin_until_killed, NULL);

	CHECK(t != NULL);
	CHECK_EQ(sleep_ms(20), 0);
	CHECK_EQ(thread_kill(t->id), 0);
	CHECK_EQ(thread_join(t), 7);
}

static void
use_stack(void *arg)
{
	volatile uint8_t big[6000];

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)i;
	(void)sleep_ms(1000 * 1000);
	(void)arg;
}

static const struct thread_info *
find_info(const struct thread_info *info, size_t n, unsigned id)
{
	for (size_t i = 0; i < n; i++) {
		if (info[i].id == id)
			return &info[i];
	}
	return NULL;
}

/* What ps shows: names, states, how deep the stack went, what a thread sleeps in. */
void
test_thread_snapshot(void)
{
	struct thread *t = thread_create("deep", use_stack, NULL);
	struct thread_info info[40];
	const struct thread_info *i;
	size_t n;

	CHECK(t != NULL);
	CHECK_EQ(sleep_ms(30), 0);
	n = MIN(thread_snapshot(info, ARRAY_SIZE(info)), ARRAY_SIZE(info));
	i = find_info(info, n, t->id);
	CHECK(i != NULL);
	CHECK(strcmp(i->name, "deep") == 0);
	CHECK_EQ(i->state, THREAD_SLEEPING);
	CHECK(i->stack_used > 6000 && i->stack_used < 8000);
	CHECK(i->wait_sym != NULL && strcmp(i->wait_sym, "use_stack") == 0);
	i = find_info(info, n, thread_self()->id);
	CHECK(i != NULL && i->state == THREAD_RUNNING && i->wait_sym == NULL);
	i = find_info(info, n, 1);
	CHECK(i != NULL && strcmp(i->name, "main") == 0);
	CHECK(i->stack_used > 500 && i->stack_used < KSTACK_SIZE - 1024);
	CHECK_EQ(thread_kill(t->id), 0);
	CHECK_EQ(thread_join(t), 0);
}
