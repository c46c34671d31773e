/*
 * test_sched.c - who runs, and for how long: preemption, punctual sleeps; shares: test_share.c.
 *
 * On a busy host the whole machine stands still now and then, and its ticks come late.  Never early
 * holds always; late is judged by how late the ticks themselves were.
 */
#include "tests.h"
#include <kern/clock.h>
#include <kern/thread.h>
#include <lib/string.h>

#define SPINNERS  3
#define NR_SLEEPS 9

static volatile bool stop;
static volatile uint64_t turns[SPINNERS];

static void
spin(void *arg)
{
	volatile uint64_t *count = arg;

	while (!stop && !thread_killed())
		(*count)++;
}

static void
start_spinners(struct thread **t)
{
	stop = false;
	preempt_disable(); /* none has a head start */
	for (unsigned i = 0; i < SPINNERS; i++) {
		turns[i] = 0;
		t[i] = thread_create("spin", spin, (void *)&turns[i]);
		CHECK(t[i] != NULL);
	}
	preempt_enable();
}

static void
stop_spinners(struct thread **t)
{
	stop = true;
	for (unsigned i = 0; i < SPINNERS; i++)
		CHECK_EQ(thread_join(t[i]), 0);
}

/* Sorts, and returns the one in the middle. */
static uint64_t
median(uint64_t *v, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		for (unsigned j = i; j > 0 && v[j - 1] > v[j]; j--) {
			const uint64_t x = v[j];

			v[j] = v[j - 1];
			v[j - 1] = x;
		}
	}
	return v[n / 2];
}

static bool
all_went_on(const uint64_t *before)
{
	for (unsigned i = 0; i < SPINNERS; i++) {
		if (turns[i] == before[i])
			return false;
	}
	return true;
}

/* A thread that never yields does not keep the others from running. */
void
test_sched_preempt(void)
{
	struct thread *t[SPINNERS];
	uint64_t before[SPINNERS];

	start_spinners(t);
	(void)sleep_ms(50);
	for (unsigned i = 0; i < SPINNERS; i++)
		before[i] = turns[i];
	for (unsigned i = 0; i < 100 && !all_went_on(before); i++)
		(void)sleep_ms(20);
	CHECK(all_went_on(before));
	stop_spinners(t);
}

void
test_sched_preempt_disable(void)
{
	struct thread *t[SPINNERS];
	uint64_t during, end;

	start_spinners(t);
	CHECK_EQ(sleep_ms(20), 0);
	preempt_disable();
	preempt_disable();
	during = turns[0] + turns[1] + turns[2];
	end = clock_ticks() + 4;
	while (clock_ticks() < end)
		cpu_relax();
	preempt_enable();
	CHECK_EQ(turns[0] + turns[1] + turns[2], during); /* still disabled once */
	preempt_enable();				  /* overdue: the switch comes now */
	CHECK(turns[0] + turns[1] + turns[2] > during);
	stop_spinners(t);
}

static volatile unsigned yield_log[64];
static volatile unsigned yield_pos;

static void
yielder(void *arg)
{
	const unsigned me = (unsigned)(uintptr_t)arg;

	for (unsigned i = 0; i < 10; i++) {
		yield_log[yield_pos++] = me;
		sched_yield();
	}
}

/* Threads that yield take strict turns. */
void
test_sched_yield(void)
{
	struct thread *a, *b;

	yield_pos = 0;
	preempt_disable(); /* both start together */
	a = thread_create("yield a", yielder, (void *)1);
	b = thread_create("yield b", yielder, (void *)2);
	preempt_enable();
	CHECK(a != NULL && b != NULL);
	CHECK_EQ(thread_join(a), 0);
	CHECK_EQ(thread_join(b), 0);
	CHECK_EQ(yield_pos, 20);
	for (unsigned i = 0; i < 20; i++)
		CHECK_EQ(yield_log[i], i % 2 + 1);
}

/* Lateness of one sleep in ns; UINT64_MAX when it was early. */
static uint64_t
sleep_once(uint64_t us)
{
	const uint64_t start = clock_ns();
	uint64_t took;

	if (sleep_us(us) != 0)
		return UINT64_MAX;
	took = clock_ns() - start;
	return took >= us * 1000 ? took - us * 1000 : UINT64_MAX;
}

/* The median: a host that takes the CPU away just after the tick makes outliers. */
static void
sleep_series(void)
{
	uint64_t late[NR_SLEEPS], worst;

	(void)clock_worst_tick_ns();
	for (unsigned i = 0; i < NR_SLEEPS; i++)
		late[i] = sleep_once(1000 + i * 3700);
	worst = clock_worst_tick_ns();
	for (unsigned i = 0; i < NR_SLEEPS; i++)
		CHECK(late[i] != UINT64_MAX);
	if (median(late, NR_SLEEPS) > worst + NS_PER_MS)
		selftest_fail(__FILE__, __LINE__, "%lu us late, ticks up to %lu us apart",
			      late[NR_SLEEPS / 2] / 1000, worst / 1000);
}

/* Never early, and late by at most one tick: with nothing else to do... */
void
test_sched_sleep_accuracy(void)
{
	sleep_series();
}

/* ... and while others want all of the CPU. */
void
test_sched_sleep_under_load(void)
{
	struct thread *t[SPINNERS];

	start_spinners(t);
	sleep_series();
	stop_spinners(t);
}

void
test_sched_sleep_never_early(void)
{
	for (unsigned us = 0; us < 60; us++)
		CHECK(sleep_once(us * 397) != UINT64_MAX);
}

/* Is there a thread that wants the CPU, like one of `spawn spin`? */
static bool
somebody_busy(void)
{
	static struct thread_info threads[32];
	const size_t n = thread_snapshot(threads, ARRAY_SIZE(threads));

	for (size_t i = 0; i < MIN(n, ARRAY_SIZE(threads)); i++) {
		if (threads[i].state == THREAD_READY && strcmp(threads[i].name, "idle") != 0)
			return true;
	}
	return n > ARRAY_SIZE(threads);
}

/* The idle thread gets what nobody wants. */
void
test_sched_idle(void)
{
	const uint64_t start = clock_ns(), idle = sched_idle_ns();
	uint64_t passed, idled;

	CHECK_EQ(sleep_ms(100), 0);
	passed = clock_ns() - start;
	idled = sched_idle_ns() - idle;
	CHECK(idled <= passed);
	if (somebody_busy())
		log_notice("sched.idle: half judged, other threads are busy");
	else
		CHECK(idled > passed / 2);
}
