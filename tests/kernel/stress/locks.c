/*
 * locks.c - `stress`: what locks protect stays consistent, and everybody gets them.
 */
#include "stress.h"
#include <kern/clock.h>
#include <kern/rwlock.h>
#include <kern/spinlock.h>
#include <kern/sync.h>
#include <kern/timer.h>

#define TOKENS	    3
#define WAIT_MS	    2
#define COMPLETE_NS (3 * NS_PER_MS) /* at most; some waits end before */

static struct mutex mutex = MUTEX_INIT(mutex, "test stress");
static struct spinlock spin = SPINLOCK_INIT("test stress");
static struct rwlock rw = RWLOCK_INIT(rw, "test stress");
static struct semaphore tokens;
static volatile uint64_t by_mutex[2],
	by_spin[2]; /* [mutex], [spin] equal whenever nobody holds it */
static volatile uint64_t mutex_turns, spin_turns;    /* [a] */
static volatile int holders;			     /* [a] of tokens */
static volatile uint64_t by_writer[2], writer_turns; /* [rw] */
static volatile int readers;			     /* [a] inside */

int
stress_locks_begin(void)
{
	by_mutex[0] = by_mutex[1] = by_spin[0] = by_spin[1] = 0;
	mutex_turns = spin_turns = 0;
	by_writer[0] = by_writer[1] = writer_turns = 0;
	holders = readers = 0;
	sem_init(&tokens, TOKENS);
	return 0;
}

static void
under_mutex(struct stress_worker *w, bool try)
{
	bool equal;

	if (!try)
		mutex_lock(&mutex);
	else if (!mutex_trylock(&mutex))
		return;
	equal = by_mutex[0] == by_mutex[1];
	by_mutex[0]++;
	if (stress_below(w, 8) == 0)
		sched_yield();
	by_mutex[1]++;
	mutex_unlock(&mutex);
	__atomic_fetch_add(&mutex_turns, 1, __ATOMIC_RELAXED);
	STRESS_CHECK(equal, "two threads were inside the mutex");
}

static void
under_spinlock(void)
{
	const uint64_t flags = spin_lock(&spin);
	const bool equal = by_spin[0] == by_spin[1];

	by_spin[0]++;
	by_spin[1]++;
	spin_unlock(&spin, flags);
	__atomic_fetch_add(&spin_turns, 1, __ATOMIC_RELAXED);
	STRESS_CHECK(equal, "two threads were inside the spinlock");
}

static void
with_token(struct stress_worker *w)
{
	int now;

	if (stress_below(w, 2) == 0 ? !sem_try_down(&tokens)
				    : sem_down_timeout(&tokens, WAIT_MS) != 0)
		return;
	now = __atomic_add_fetch(&holders, 1, __ATOMIC_RELAXED);
	if (stress_below(w, 16) == 0)
		sched_yield();
	__atomic_fetch_sub(&holders, 1, __ATOMIC_RELAXED);
	sem_up(&tokens);
	STRESS_CHECK(now <= TOKENS, "%d hold the %d tokens", now, TOKENS);
}

static void
as_writer(struct stress_worker *w)
{
	bool alone;

	rw_write_lock(&rw);
	alone = by_writer[0] == by_writer[1] && readers == 0;
	by_writer[0]++;
	if (stress_below(w, 8) == 0)
		sched_yield();
	alone &= readers == 0;
	by_writer[1]++;
	writer_turns++;
	rw_write_unlock(&rw);
	STRESS_CHECK(alone, "a writer was not alone behind the rwlock");
}

static void
as_reader(struct stress_worker *w)
{
	uint64_t turns;
	bool stable;

	rw_read_lock(&rw);
	__atomic_fetch_add(&readers, 1, __ATOMIC_RELAXED);
	turns = by_writer[0];
	stable = turns == by_writer[1];
	if (stress_below(w, 8) == 0)
		sched_yield();
	stable &= turns == by_writer[0] && turns == by_writer[1];
	__atomic_fetch_sub(&readers, 1, __ATOMIC_RELAXED);
	rw_read_unlock(&rw);
	STRESS_CHECK(stable, "a writer was behind the rwlock with readers");
}

static void
say_done(void *arg)
{
	complete(arg);
}

/* A timer says that it is done; both are on this stack, so a wait that gives up calls it off. */
static void
wait_for_timer(struct stress_worker *w)
{
	struct completion c = COMPLETION_INIT(c);
	struct timer t;
	int result;
	bool called_off;

	timer_setup(&t, say_done, &c);
	timer_arm(&t, clock_ns() + stress_below(w, COMPLETE_NS));
	result = completion_wait_timeout(&c, 1 + stress_below(w, WAIT_MS));
	called_off = timer_cancel(&t);
	STRESS_CHECK(result == 0 || result == -ETIMEDOUT, "a completion's wait returned %d",
		     result);
	if (result == 0)
		STRESS_CHECK(!called_off, "a wait ended before its completion");
	else
		STRESS_CHECK(called_off != completion_done(&c),
			     "a completion that nobody waited for: %s",
			     called_off ? "called off and done" : "neither called off nor done");
}

void
stress_locks_step(struct stress_worker *w)
{
	switch (stress_below(w, 16)) {
	case 0 ... 3: under_mutex(w, false); break;
	case 4 ... 6: under_mutex(w, true); break;
	case 7 ... 8: under_spinlock(); break;
	case 9: as_writer(w); break;
	case 10 ... 12: as_reader(w); break;
	case 13: wait_for_timer(w); break;
	default: with_token(w);
	}
}

void
stress_locks_finish(void)
{
	STRESS_CHECK(by_mutex[0] == mutex_turns && by_mutex[1] == mutex_turns,
		     "mutex: %lu and %lu of %lu turns counted", by_mutex[0], by_mutex[1],
		     mutex_turns);
	STRESS_CHECK(by_spin[0] == spin_turns && by_spin[1] == spin_turns,
		     "spinlock: %lu and %lu of %lu turns counted", by_spin[0], by_spin[1],
		     spin_turns);
	STRESS_CHECK(by_writer[0] == writer_turns && by_writer[1] == writer_turns && readers == 0,
		     "rwlock: %lu and %lu of %lu turns counted, %d readers", by_writer[0],
		     by_writer[1], writer_turns, readers);
	STRESS_CHECK(tokens.count == TOKENS && holders == 0, "%d of %d tokens came back",
		     tokens.count, TOKENS);
}
