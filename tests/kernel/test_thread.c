/*
 * test_thread.c - life and death of threads; many of them: test_many.c
 */
#include "tests.h"
#include <kern/clock.h>
#include <kern/thread.h>
#include <lib/string.h>

static void
nothing(void *arg)
{
	(void)arg;
}

static volatile int slept;

static void
sleep_long(void *arg)
{
	(void)arg;
	slept = 1;
	slept = sleep_ms(1000 * 1000);
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
	static struct thread_info info[40];
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

/* Sleep at the bottom of @levels frames, each larger than 1000 bytes. */
static __attribute__((noinline)) void
use_stack(void *levels)
{
	volatile uint8_t big[1000];

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)i;
	if (levels != NULL)
		use_stack((uint8_t *)levels - 1);
	else
		(void)sleep_ms(1000 * 1000);
	big[0] = 0; /* no tail call */
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
	struct thread *t = thread_create("deep", use_stack, (void *)5);
	static struct thread_info info[40];
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

static uint64_t
stack_used_by(unsigned id)
{
	static struct thread_info info[40];
	const size_t n = MIN(thread_snapshot(info, ARRAY_SIZE(info)), ARRAY_SIZE(info));
	const struct thread_info *i = find_info(info, n, id);

	CHECK(i != NULL);
	return i->stack_used;
}

/* A stack that is used again tells only of its new user, however deep the old ones went. */
void
test_thread_watermark(void)
{
	for (uintptr_t levels = 12; levels > 0; levels -= 4) {
		struct thread *deep = thread_create("deep", use_stack, (void *)levels), *flat;
		const void *stack = deep != NULL ? deep->stack : NULL;
		uint64_t used;

		CHECK(deep != NULL);
		CHECK_EQ(sleep_ms(30), 0);
		used = stack_used_by(deep->id);
		CHECK(used > levels * 1000 && used < levels * 1200 + 2000);
		CHECK_EQ(thread_kill(deep->id), 0);
		CHECK_EQ(thread_join(deep), 0);
		flat = thread_create("flat", sleep_long, NULL);
		CHECK(flat != NULL);
		CHECK(flat->stack == stack); /* the one freed last */
		CHECK_EQ(sleep_ms(30), 0);
		CHECK(stack_used_by(flat->id) < 1000);
		CHECK_EQ(thread_kill(flat->id), 0);
		CHECK_EQ(thread_join(flat), 0);
	}
}
