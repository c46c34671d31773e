/*
 * test_locks.c - mutex with a way out, rwlock, completion: who gets it, in which order, and that no
 * wake is lost.
 */
#include "tests.h"
#include <kern/clock.h>
#include <kern/rwlock.h>
#include <kern/sync.h>
#include <kern/thread.h>
#include <kern/timer.h>
#include <lib/string.h>

#define WAITERS 4

static struct mutex mutex = MUTEX_INIT(mutex, "test");
static struct rwlock rw = RWLOCK_INIT(rw, "test rw");
static volatile unsigned order[16], nr_order;

static struct thread *
start(const char *name, void (*fn)(void *), void *arg)
{
	struct thread *t = thread_create(name, fn, arg);

	CHECK(t != NULL);
	return t;
}

static struct thread *
start_sleeper(const char *name, void (*fn)(void *), void *arg)
{
	struct thread *t = start(name, fn, arg);

	while (t->state != THREAD_SLEEPING)
		sched_yield();
	return t;
}

/* --- mutex ---------------------------------------------------------------------------------- */

static void
note_with_mutex(void *arg)
{
	mutex_lock(&mutex);
	order[nr_order++] = (unsigned)(uintptr_t)arg;
	mutex_unlock(&mutex);
}

/* It goes to the one that waits longest, at the unlock: who unlocks cannot have it again at once. */
void
test_mutex_hand_over(void)
{
	struct thread *t[WAITERS];

	nr_order = 0;
	mutex_lock(&mutex);
	for (unsigned i = 0; i < WAITERS; i++)
		t[i] = start_sleeper("waiter", note_with_mutex, (void *)(uintptr_t)i);
	mutex_unlock(&mutex);
	CHECK(mutex_owner(&mutex) == t[0]);
	CHECK(!mutex_trylock(&mutex));
	for (unsigned i = 0; i < WAITERS; i++) {
		CHECK_EQ(thread_join(t[i]), 0);
		CHECK_EQ(order[i], i);
	}
	CHECK_EQ(mutex.owner, 0);
}

static void
lock_for_20_ms(void *arg)
{
	thread_exit(-mutex_lock_timeout(&mutex, 20));
}

static void
lock_killable(void *arg)
{
	thread_exit(-mutex_lock_killable(&mutex));
}

/* Those who give up leave the queue, and the mutex to those who stayed. */
void
test_mutex_give_up(void)
{
	struct thread *late, *killed, *stays;

	nr_order = 0;
	mutex_lock(&mutex);
	late = start_sleeper("late", lock_for_20_ms, NULL);
	killed = start_sleeper("killed", lock_killable, NULL);
	stays = start_sleeper("stays", note_with_mutex, (void *)7);
	CHECK_EQ(thread_join(late), ETIMEDOUT);
	CHECK_EQ(thread_kill(killed->id), 0);
	CHECK_EQ(thread_join(killed), EINTR);
	CHECK(mutex_held(&mutex) && stays->state == THREAD_SLEEPING);
	mutex_unlock(&mutex);
	CHECK_EQ(thread_join(stays), 0);
	CHECK_EQ(order[0], 7);
	CHECK_EQ(mutex.owner, 0);
	CHECK_EQ(mutex_lock_timeout(&mutex, 0), 0);
	mutex_unlock(&mutex);
	CHECK_EQ(mutex_lock_killable(&mutex), 0);
	mutex_unlock(&mutex);
}

/* The last waiter gave up and left MUTEX_WAITERS behind: the next unlock finds nobody. */
void
test_mutex_waiters_gone(void)
{
	struct thread *t;

	mutex_lock(&mutex);
	t = start("late", lock_for_20_ms, NULL);
	CHECK_EQ(thread_join(t), ETIMEDOUT);
	mutex_unlock(&mutex);
	CHECK_EQ(mutex.owner, 0);
}

static volatile unsigned inside, counted;

/* Every way to take it, at random, some giving up. */
static void
take_any_way(void *arg)
{
	uint64_t random = (uintptr_t)arg * 0x9e3779b97f4a7c15 + 1;

	for (unsigned i = 0; i < 400; i++) {
		bool got = true;

		random = random * 6364136223846793005 + 1442695040888963407;
		switch (random >> 61) {
		case 0: got = mutex_trylock(&mutex); break;
		case 1: got = mutex_lock_timeout(&mutex, (random >> 40) % 12) == 0; break;
		case 2: got = mutex_lock_killable(&mutex) == 0; break;
		default: mutex_lock(&mutex);
		}
		if (!got)
			continue;
		CHECK_EQ(++inside, 1);
		counted++;
		if (random >> 59 & 1)
			sched_yield();
		else if ((random >> 50) % 64 == 0)
			(void)sleep_ms(3);
		CHECK_EQ(inside--, 1);
		mutex_unlock(&mutex);
	}
	thread_exit(0);
}

void
test_mutex_stress(void)
{
	struct thread *t[WAITERS];

	inside = counted = 0;
	for (unsigned i = 0; i < WAITERS; i++)
		t[i] = start("any way", take_any_way, (void *)(uintptr_t)(i + 1));
	for (unsigned i = 0; i < WAITERS; i++)
		CHECK_EQ(thread_join(t[i]), 0);
	CHECK(counted > 400 && mutex.owner == 0 && list_empty(&mutex.queue.waiters));
}

/* --- rwlock --------------------------------------------------------------------------------- */

static volatile bool leave;
static volatile unsigned reading;

static void
read_until_told(void *arg)
{
	rw_read_lock(&rw);
	order[nr_order++] = (unsigned)(uintptr_t)arg;
	reading++;
	while (!leave)
		(void)sleep_ms(1);
	reading--;
	rw_read_unlock(&rw);
}

static void
write_once(void *arg)
{
	rw_write_lock(&rw);
	order[nr_order++] = (unsigned)(uintptr_t)arg;
	CHECK_EQ(reading, 0);
	rw_write_unlock(&rw);
}

/* Readers share; a writer that waits is before later readers, and these go in together after it. */
void
test_rw_phases(void)
{
	struct thread *r1, *w1, *w2, *r2, *r3;

	nr_order = reading = 0;
	leave = false;
	rw_read_lock(&rw);
	r1 = start("reader", read_until_told, (void *)1);
	while (reading != 1)
		sched_yield();
	w1 = start_sleeper("writer", write_once, (void *)2);
	w2 = start_sleeper("writer", write_once, (void *)3);
	r2 = start_sleeper("reader", read_until_told, (void *)4);
	r3 = start_sleeper("reader", read_until_told, (void *)5);
	CHECK_EQ(reading, 1);
	rw_read_unlock(&rw);
	leave = true;
	CHECK_EQ(thread_join(r1), 0);
	CHECK_EQ(thread_join(w1), 0);
	CHECK_EQ(thread_join(r2), 0);
	CHECK_EQ(thread_join(r3), 0);
	CHECK_EQ(thread_join(w2), 0);
	CHECK_EQ(order[0], 1);
	CHECK_EQ(order[1], 2);		      /* the first writer, */
	CHECK_EQ(order[2] + order[3], 4 + 5); /* both readers, */
	CHECK_EQ(order[4], 3);		      /* the second writer */
	CHECK_EQ(rw.state, 0);
	CHECK(rw.writer == NULL);
}

static volatile unsigned pair[2];

static void
read_and_write(void *arg)
{
	uint64_t random = (uintptr_t)arg * 0x9e3779b97f4a7c15 + 1;

	for (unsigned i = 0; i < 400; i++) {
		random = random * 6364136223846793005 + 1442695040888963407;
		if (random >> 62 == 0) {
			rw_write_lock(&rw);
			pair[0]++;
			if (random >> 59 & 1)
				sched_yield();
			pair[1]++;
			rw_write_unlock(&rw);
			continue;
		}
		rw_read_lock(&rw);
		CHECK_EQ(pair[0], pair[1]);
		if (random >> 59 & 1)
			sched_yield();
		CHECK_EQ(pair[0], pair[1]);
		rw_read_unlock(&rw);
	}
}

/* Nobody ever sees a half-written pair, and nobody is left waiting. */
void
test_rw_stress(void)
{
	struct thread *t[6];

	pair[0] = pair[1] = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++)
		t[i] = start("rw", read_and_write, (void *)(uintptr_t)(i + 1));
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++)
		CHECK_EQ(thread_join(t[i]), 0);
	CHECK(pair[0] > 100 && pair[0] == pair[1]);
	CHECK(rw.state == 0 && list_empty(&rw.readers) && list_empty(&rw.writers));
}

static volatile bool stop;

static void
read_again_and_again(void *arg)
{
	while (!stop) {
		rw_read_lock(&rw);
		clock_delay_us(300);
		sched_yield();
		rw_read_unlock(&rw);
	}
}

/* Two readers that overlap all the time do not keep a writer out. */
void
test_rw_writer_not_starved(void)
{
	struct thread *t[2];

	stop = false;
	for (unsigned i = 0; i < 2; i++)
		t[i] = start("reader", read_again_and_again, NULL);
	for (unsigned i = 0; i < 20; i++) {
		rw_write_lock(&rw);
		rw_write_unlock(&rw);
		sched_yield();
	}
	stop = true;
	for (unsigned i = 0; i < 2; i++)
		CHECK_EQ(thread_join(t[i]), 0);
}

static void NO_LOCK_ANALYSIS
write_twice(void *arg)
{
	rw_write_lock(&rw);
	rw_write_lock(&rw);
}

static void NO_LOCK_ANALYSIS
leave_write(void *arg)
{
	rw_write_unlock(&rw);
}

static void NO_LOCK_ANALYSIS
leave_read(void *arg)
{
	rw_read_unlock(&rw);
}

void
test_rw_misuse(void)
{
	CHECK_EQ(selftest_catch(write_twice, NULL), SELFTEST_PANIC);
	CHECK(strstr(selftest_panic_text(), "\"test rw\"") != NULL);
	CHECK_EQ(selftest_catch(leave_write, NULL), -1);
	CHECK_EQ(selftest_catch(leave_write, NULL), SELFTEST_PANIC);
	CHECK(strstr(selftest_panic_text(), LOCK_ORDER ? "nobody has it" : "does not write") !=
	      NULL);
	CHECK_EQ(selftest_catch(leave_read, NULL), SELFTEST_PANIC);
	CHECK(strstr(selftest_panic_text(), LOCK_ORDER ? "nobody has it" : "nobody reads") != NULL);
	CHECK_EQ(rw.state, 0);
}

/* --- completion ----------------------------------------------------------------------------- */

static void
complete_from_irq(void *arg)
{
	complete(arg);
}

static void
wait_and_note(void *arg)
{
	completion_wait(arg);
	nr_order++;
}

static void
wait_killable(void *arg)
{
	thread_exit(-completion_wait_killable(arg));
}

/* Said before or after the wait; one wait for each complete(), all for complete_all(). */
void
test_completion(void)
{
	struct completion c = COMPLETION_INIT(c);
	struct thread *t[3];
	struct timer timer;

	CHECK_EQ(completion_wait_timeout(&c, 10), -ETIMEDOUT);
	complete(&c);
	CHECK(completion_done(&c));
	completion_wait(&c);
	CHECK(!completion_done(&c));
	timer_setup(&timer, complete_from_irq, &c);
	timer_arm(&timer, clock_ns() + 20 * NS_PER_MS);
	CHECK_EQ(completion_wait_timeout(&c, 5000), 0);
	nr_order = 0;
	for (unsigned i = 0; i < 3; i++)
		t[i] = start_sleeper("waiter", wait_and_note, &c);
	complete(&c);
	CHECK_EQ(thread_join(t[0]), 0);
	CHECK_EQ(nr_order, 1);
	complete_all(&c);
	for (unsigned i = 1; i < 3; i++)
		CHECK_EQ(thread_join(t[i]), 0);
	completion_wait(&c);
	CHECK_EQ(completion_wait_timeout(&c, 0), 0);
	complete(&c); /* changes nothing any more */
	CHECK_EQ(c.done, COMPLETE_ALL);
}

void
test_completion_kill(void)
{
	struct completion c = COMPLETION_INIT(c);
	struct thread *t = start_sleeper("waiter", wait_killable, &c);

	CHECK_EQ(thread_kill(t->id), 0);
	CHECK_EQ(thread_join(t), EINTR);
	complete(&c); /* nobody waits: it is kept */
	CHECK_EQ(c.done, 1);
}

/* A unit that was given to a waiter is that waiter's, even if another asks before it runs. */
void
test_sem_hand_over(void)
{
	struct semaphore s;
	struct completion c = COMPLETION_INIT(c);
	struct thread *t = start_sleeper("waiter", wait_and_note, &c);

	complete(&c);
	CHECK_EQ(completion_wait_timeout(&c, 0), -ETIMEDOUT);
	CHECK_EQ(thread_join(t), 0);
	sem_init(&s, 0);
	sem_up(&s);
	CHECK(sem_try_down(&s));
	CHECK(!sem_try_down(&s));
}
