/*
 * threads.c - `stress`: threads that come and go, wake each other, and leave work to the worker.
 */
#include "stress.h"
#include <kern/clock.h>
#include <kern/spinlock.h>
#include <kern/wait.h>
#include <kern/work.h>
#include <mm/kmalloc.h>

#define WORK_MAX  64 /* pieces outstanding, before somebody waits for them */
#define SETTLE_MS 10000

/* --- threads ----------------------------------------------------------------------------------- */

static volatile unsigned alive; /* [a] detached children that have not ended */

int
stress_threads_begin(void)
{
	alive = 0;
	return 0;
}

static void
child_with_code(void *arg)
{
	if ((uintptr_t)arg % 4 == 0)
		sched_yield();
	thread_exit((int)(uintptr_t)arg);
}

static void
child_that_sleeps(void *arg)
{
	(void)arg;
	thread_exit(sleep_ms(3600 * 1000) == -EINTR ? 5 : 6);
}

static void
child_on_its_own(void *arg)
{
	(void)arg;
	__atomic_fetch_sub(&alive, 1, __ATOMIC_RELAXED);
}

static void
create_and_detach(struct stress_worker *w)
{
	struct thread *t;

	__atomic_fetch_add(&alive, 1, __ATOMIC_RELAXED);
	t = thread_create("stress child", child_on_its_own, NULL);
	if (t == NULL) {
		__atomic_fetch_sub(&alive, 1, __ATOMIC_RELAXED);
		w->refused++;
		return;
	}
	thread_detach(t);
}

static void
create_and_join(struct stress_worker *w)
{
	const int code = (int)stress_below(w, 1000);
	struct thread *t = thread_create("stress child", child_with_code, (void *)(uintptr_t)code);
	int result;

	if (t == NULL) {
		w->refused++;
		return;
	}
	result = thread_join(t);
	STRESS_CHECK(result == code, "a thread that exits with %d gave %d", code, result);
}

static void
create_and_kill(struct stress_worker *w)
{
	struct thread *t = thread_create("stress child", child_that_sleeps, NULL);
	int result;

	if (t == NULL) {
		w->refused++;
		return;
	}
	if (stress_below(w, 2) == 0)
		sched_yield();
	result = thread_kill(t->id);
	STRESS_CHECK(result == 0, "thread_kill(%u) gave %d", t->id, result);
	result = thread_join(t);
	STRESS_CHECK(result == 5, "a killed thread's sleep did not say -EINTR, but exited with %d",
		     result);
}

void
stress_threads_step(struct stress_worker *w)
{
	switch (stress_below(w, 4)) {
	case 0: create_and_kill(w); break;
	case 1: create_and_detach(w); break;
	default: create_and_join(w);
	}
}

void
stress_threads_finish(void)
{
	for (unsigned ms = 0; alive != 0 && ms < SETTLE_MS; ms += 10)
		(void)sleep_ms(10);
	(void)sleep_ms(10); /* the reaper frees the last ones */
	STRESS_CHECK(alive == 0, "%u detached threads never ended", alive);
}

/* --- waits ------------------------------------------------------------------------------------- */

/* Letters that the workers post to each other. */
static struct mailbox {
	struct spinlock lock;
	struct wait_queue queue;
	volatile unsigned letters; /* [lock] */
	uint64_t posted, taken;	   /* [lock] */
} boxes[STRESS_WORKERS];

int
stress_waits_begin(void)
{
	for (unsigned i = 0; i < STRESS_WORKERS; i++) {
		boxes[i] = (struct mailbox){.lock = SPINLOCK_INIT("test mailbox")};
		wait_queue_init(&boxes[i].queue);
	}
	return 0;
}

static void
post(struct mailbox *b)
{
	const uint64_t flags = spin_lock(&b->lock);

	b->letters++;
	b->posted++;
	spin_unlock(&b->lock, flags);
	(void)wake_one(&b->queue);
}

static bool
fetch(struct mailbox *b)
{
	const uint64_t flags = spin_lock(&b->lock);
	const bool any = b->letters > 0;

	if (any) {
		b->letters--;
		b->taken++;
	}
	spin_unlock(&b->lock, flags);
	return any;
}

/* Only the owner of a box takes from it, so what it waited for is still there. */
static void
wait_for_letter(struct mailbox *b)
{
	const uint64_t start = clock_ns();
	const int result = wait_event_timeout(&b->queue, b->letters > 0, 1);

	if (result == 0)
		STRESS_CHECK(fetch(b), "woken by a letter that is not there");
	else
		STRESS_CHECK(result == -ETIMEDOUT && clock_ns() - start >= NS_PER_MS,
			     "a wait for 1 ms ended after %lu ns with %d", clock_ns() - start,
			     result);
}

void
stress_waits_step(struct stress_worker *w)
{
	struct mailbox *mine = &boxes[w->me];

	switch (stress_below(w, 8)) {
	case 0:
	case 1:
	case 2: post(&boxes[stress_below(w, STRESS_WORKERS)]); break;
	case 3: sched_yield(); break;
	case 4:
		preempt_disable();
		(void)fetch(mine);
		preempt_enable();
		break;
	default:
		if (!fetch(mine) && stress_below(w, 64) == 0)
			wait_for_letter(mine);
	}
}

void
stress_waits_finish(void)
{
	for (unsigned i = 0; i < STRESS_WORKERS; i++) {
		const struct mailbox *b = &boxes[i];

		STRESS_CHECK(b->posted == b->taken + b->letters,
			     "box %u: %lu letters posted, %lu taken, %u left", i, b->posted,
			     b->taken, b->letters);
		STRESS_CHECK(list_empty(&b->queue.waiters), "box %u: somebody still waits", i);
	}
}

/* --- work -------------------------------------------------------------------------------------- */

static volatile unsigned outstanding;	/* [a] */
static volatile uint64_t asked, worked; /* [a] */

int
stress_work_begin(void)
{
	outstanding = 0;
	asked = worked = 0;
	return 0;
}

static void
do_work(struct work *work)
{
	kfree(work);
	__atomic_fetch_add(&worked, 1, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&outstanding, 1, __ATOMIC_RELAXED);
}

void
stress_work_step(struct stress_worker *w)
{
	struct work *work = kmalloc(sizeof(*work));

	if (work == NULL) {
		w->refused++;
		return;
	}
	list_init(&work->node);
	work->fn = do_work;
	__atomic_fetch_add(&asked, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&outstanding, 1, __ATOMIC_RELAXED);
	STRESS_CHECK(work_queue(work), "fresh work was said to be queued already");
	if (outstanding >= WORK_MAX)
		work_flush();
}

void
stress_work_finish(void)
{
	work_flush();
	STRESS_CHECK(asked == worked, "%lu pieces of work asked for, %lu done", asked, worked);
}
