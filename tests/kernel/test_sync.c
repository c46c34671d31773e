/*
 * test_sync.c - spinlock, wait queue, mutex, semaphore, work queue.
 */
#include "tests.h"
#include <kern/clock.h>
#include <kern/spinlock.h>
#include <kern/sync.h>
#include <kern/thread.h>
#include <kern/timer.h>
#include <kern/wait.h>
#include <kern/work.h>
#include <lib/string.h>

/* --- spinlock ------------------------------------------------------------------------------- */

static struct spinlock spin = SPINLOCK_INIT("test");

static void NO_LOCK_ANALYSIS
lock_spin_twice(void *arg)
{
	(void)arg;
	(void)spin_lock(&spin);
	(void)spin_lock(&spin);
}

static void NO_LOCK_ANALYSIS
unlock_spin(void *arg)
{
	(void)arg;
	spin_unlock(&spin, 0);
}

/* Taking a lock that one holds would wait for ever: it panics, and says which lock. */
void
test_spin_recursion(void)
{
	CHECK_EQ(selftest_catch(lock_spin_twice, NULL), SELFTEST_PANIC);
	CHECK(spin_held(&spin));
	spin_break(&spin);
	CHECK(strstr(selftest_panic_text(), "\"test\"") != NULL);
	CHECK(strstr(selftest_panic_text(), "already held") != NULL);
	CHECK_EQ(selftest_catch(unlock_spin, NULL), SELFTEST_PANIC);
	CHECK(strstr(selftest_panic_text(), "not held") != NULL);
	CHECK(irqs_on());
}

/* Interrupts are off while it is held, and afterwards as they were before. */
void
test_spin_irq(void)
{
	uint64_t outer, inner;
	struct spinlock other = SPINLOCK_INIT("test other");

	CHECK(irqs_on());
	outer = spin_lock(&spin);
	const bool off = !irqs_on();
	inner = spin_lock(&other);
	spin_unlock(&other, inner);
	const bool still_off = !irqs_on();
	spin_unlock(&spin, outer);
	CHECK(off && still_off && irqs_on());
}

static struct spinlock early = SPINLOCK_INIT("pmm"), late = SPINLOCK_INIT("timer");

static void NO_LOCK_ANALYSIS
take_in_wrong_order(void *arg)
{
	(void)arg;
	(void)spin_lock(&late);
	(void)spin_lock(&early);
}

static void NO_LOCK_ANALYSIS
take_mutex_inside(void *arg)
{
	(void)spin_lock(&spin);
	mutex_lock(arg);
}

/* Debug builds notice locks taken in the wrong order, even when nothing bad comes of it. */
void
test_spin_order(void)
{
	struct mutex inner;

	if (!LOCK_ORDER)
		return;
	CHECK_EQ(selftest_catch(take_in_wrong_order, NULL), SELFTEST_PANIC);
	spin_break(&early);
	spin_break(&late);
	CHECK(strstr(selftest_panic_text(), "\"pmm\" is taken at take_in_wrong_order+") != NULL);
	mutex_init(&inner, "test");
	CHECK_EQ(selftest_catch(take_mutex_inside, &inner), SELFTEST_PANIC);
	spin_break(&spin);
	CHECK(strstr(selftest_panic_text(),
		     "while spinlock \"test\" is held, since take_mutex_inside+") != NULL);
}

/* --- wait queue ----------------------------------------------------------------------------- */

static struct wait_queue queue = WAIT_QUEUE_INIT(queue);
static volatile unsigned order[8], nr_order;
static volatile bool open[8];

void
test_wait_timeout(void)
{
	const uint64_t start = clock_ns();

	CHECK_EQ(wait_event_timeout(&queue, false, 30), -ETIMEDOUT);
	CHECK(clock_ns() - start >= 30 * NS_PER_MS);
	CHECK_EQ(wait_event_timeout(&queue, true, 0), 0);
	CHECK_EQ(wait_event_timeout(&queue, false, 0), -ETIMEDOUT);
	CHECK(list_empty(&queue.waiters));
}

/* A wake between the look at the condition and the sleep is not lost. */
void
test_wait_no_lost_wake(void)
{
	const uint64_t start = clock_ns();

	wait_begin(&queue);
	CHECK_EQ(wake_one(&queue), 1);
	CHECK_EQ(wait_sleep(start + 5 * NS_PER_SEC), 0);
	wait_end(&queue);
	CHECK(clock_ns() - start < 4 * NS_PER_SEC);
	CHECK_EQ(wake_one(&queue), 0);
}

static void
wait_turn(void *arg)
{
	const unsigned me = (unsigned)(uintptr_t)arg;

	(void)wait_event(&queue, open[me]);
	order[nr_order++] = me;
}

/* wake_one() takes the one that waits longest; wake_all() all, in order. */
void
test_wait_order(void)
{
	struct thread *t[6];

	nr_order = 0;
	for (unsigned i = 0; i < 6; i++) {
		open[i] = false;
		t[i] = thread_create("waiter", wait_turn, (void *)(uintptr_t)i);
		CHECK(t[i] != NULL);
		while (t[i]->state != THREAD_SLEEPING)
			sched_yield();
	}
	for (unsigned i = 0; i < 6; i++)
		open[i] = true;
	CHECK_EQ(wake_one(&queue), 1);
	CHECK_EQ(thread_join(t[0]), 0);
	CHECK_EQ(wake_all(&queue), 5);
	for (unsigned i = 1; i < 6; i++)
		CHECK_EQ(thread_join(t[i]), 0);
	for (unsigned i = 0; i < 6; i++)
		CHECK_EQ(order[i], i);
}

static volatile unsigned ping, pong;

static void
answer(void *arg)
{
	for (unsigned i = 1; i <= (unsigned)(uintptr_t)arg; i++) {
		(void)wait_event(&queue, ping == i);
		pong = i;
		(void)wake_all(&queue);
	}
}

/* Two threads wake each other a thousand times; one lost wake, and they stand still. */
void
test_wait_ping_pong(void)
{
	struct thread *t;

	ping = pong = 0;
	t = thread_create("answer", answer, (void *)1000);
	CHECK(t != NULL);
	for (unsigned i = 1; i <= 1000; i++) {
		ping = i;
		(void)wake_all(&queue);
		CHECK_EQ(wait_event_timeout(&queue, pong == i, 5000), 0);
	}
	CHECK_EQ(thread_join(t), 0);
}

/* --- mutex ---------------------------------------------------------------------------------- */

#define CONTENDERS 4
#define ROUNDS	   300

static struct mutex mutex = MUTEX_INIT(mutex, "test");
static volatile unsigned inside, shared;

static void
contend(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned seen;

		mutex_lock(&mutex);
		CHECK_EQ(++inside, 1);
		seen = shared;
		if (i % 8 == 0)
			sched_yield(); /* the others run into it */
		else if (i % 100 == 3)
			(void)sleep_us(100);
		shared = seen + 1;
		CHECK_EQ(inside--, 1);
		mutex_unlock(&mutex);
	}
}

/* Never two inside, no increment lost, nobody left waiting. */
void
test_mutex_contention(void)
{
	struct thread *t[CONTENDERS];

	inside = shared = 0;
	for (unsigned i = 0; i < CONTENDERS; i++) {
		t[i] = thread_create("contender", contend, NULL);
		CHECK(t[i] != NULL);
	}
	for (unsigned i = 0; i < CONTENDERS; i++)
		CHECK_EQ(thread_join(t[i]), 0);
	CHECK_EQ(shared, CONTENDERS * ROUNDS);
	CHECK(mutex_owner(&mutex) == NULL && list_empty(&mutex.queue.waiters));
}

static volatile bool hog_stop;

static void
hog(void *arg)
{
	(void)arg;
	while (!hog_stop) {
		mutex_lock(&mutex);
		clock_delay_us(500);
		mutex_unlock(&mutex);
	}
}

/* One who takes it again at once does not starve one who waits. */
void
test_mutex_no_starvation(void)
{
	struct thread *t;

	hog_stop = false;
	t = thread_create("hog", hog, NULL);
	CHECK(t != NULL);
	for (unsigned i = 0; i < 20; i++) {
		CHECK_EQ(sleep_ms(1), 0);
		mutex_lock(&mutex);
		mutex_unlock(&mutex);
	}
	hog_stop = true;
	CHECK_EQ(thread_join(t), 0);
}

static void NO_LOCK_ANALYSIS
lock_mutex_twice(void *arg)
{
	(void)arg;
	mutex_lock(&mutex);
	mutex_lock(&mutex);
}

static void NO_LOCK_ANALYSIS
unlock_mutex(void *arg)
{
	(void)arg;
	mutex_unlock(&mutex);
}

void
test_mutex_misuse(void)
{
	CHECK_EQ(selftest_catch(lock_mutex_twice, NULL), SELFTEST_PANIC);
	CHECK(strstr(selftest_panic_text(), "locked twice") != NULL);
	CHECK(mutex_held(&mutex));
	CHECK(!mutex_trylock(&mutex));
	CHECK_EQ(selftest_catch(unlock_mutex, NULL), -1);
	CHECK_EQ(selftest_catch(unlock_mutex, NULL), SELFTEST_PANIC);
	CHECK(strstr(selftest_panic_text(), "nobody") != NULL);
}

/* --- semaphore ------------------------------------------------------------------------------ */

static struct semaphore items, slots;
static volatile unsigned produced, consumed, ring[4];

static void
consume(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 500; i++) {
		CHECK_EQ(sem_down(&items), 0);
		CHECK_EQ(ring[i % 4], i);
		consumed++;
		sem_up(&slots);
	}
}

/* Bounded buffer: producer and consumer through two semaphores. */
void
test_sem_producer_consumer(void)
{
	struct thread *t;

	produced = consumed = 0;
	sem_init(&items, 0);
	sem_init(&slots, 4);
	t = thread_create("consumer", consume, NULL);
	CHECK(t != NULL);
	for (unsigned i = 0; i < 500; i++) {
		CHECK_EQ(sem_down(&slots), 0);
		ring[i % 4] = i;
		produced++;
		CHECK(produced - consumed <= 4);
		sem_up(&items);
	}
	CHECK_EQ(thread_join(t), 0);
	CHECK_EQ(consumed, 500);
	CHECK_EQ(items.count, 0);
	CHECK_EQ(slots.count, 4);
}

static void
up_from_irq(void *arg)
{
	sem_up(arg);
}

void
test_sem_timeout(void)
{
	struct semaphore s;
	struct timer timer;
	const uint64_t start = clock_ns();

	sem_init(&s, 1);
	CHECK(sem_try_down(&s));
	CHECK(!sem_try_down(&s));
	CHECK_EQ(sem_down_timeout(&s, 30), -ETIMEDOUT);
	CHECK(clock_ns() - start >= 30 * NS_PER_MS);
	timer_setup(&timer, up_from_irq, &s);
	timer_arm(&timer, clock_ns() + 20 * NS_PER_MS);
	CHECK_EQ(sem_down_timeout(&s, 5000), 0);
	CHECK_EQ(s.count, 0);
}

static void
down_then_exit(void *arg)
{
	thread_exit(sem_down(arg) == -EINTR ? 1 : 2);
}

void
test_sem_kill(void)
{
	struct semaphore s;
	struct thread *t;

	sem_init(&s, 0);
	t = thread_create("downer", down_then_exit, &s);
	CHECK(t != NULL);
	CHECK_EQ(sleep_ms(20), 0);
	CHECK_EQ(thread_kill(t->id), 0);
	CHECK_EQ(thread_join(t), 1);
	CHECK(list_empty(&s.queue.waiters));
}

/* --- work queue ----------------------------------------------------------------------------- */

static volatile unsigned work_log[16], work_pos;
static volatile bool work_in_irq;

static void note_work(struct work *w);

static struct work works[4] = {
	WORK_INIT(works[0], note_work),
	WORK_INIT(works[1], note_work),
	WORK_INIT(works[2], note_work),
	WORK_INIT(works[3], note_work),
};

static void
note_work(struct work *w)
{
	work_in_irq = work_in_irq || in_irq() || !irqs_on();
	work_log[work_pos++ % 16] = (unsigned)(w - works);
}

static void
queue_from_irq(void *arg)
{
	(void)work_queue(arg);
}

/* In order, in a thread, once per queueing; an interrupt handler may queue. */
void
test_work_order(void)
{
	struct timer timer;

	work_pos = 0;
	work_in_irq = false;
	preempt_disable();
	for (unsigned i = 0; i < 3; i++)
		CHECK(work_queue(&works[i]));
	CHECK(!work_queue(&works[1])); /* waits already */
	preempt_enable();
	work_flush();
	CHECK_EQ(work_pos, 3);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(work_log[i], i);
	timer_setup(&timer, queue_from_irq, &works[3]);
	timer_arm(&timer, clock_ns());
	CHECK_EQ(sleep_ms(30), 0);
	work_flush();
	CHECK_EQ(work_pos, 4);
	CHECK_EQ(work_log[3], 3);
	CHECK(!work_in_irq);
}
