/*
 * locks.c - `stress`: what locks protect stays consistent, and everybody gets them.
 */
#include "stress.h"
#include <kern/spinlock.h>
#include <kern/sync.h>

#define TOKENS	3
#define WAIT_MS 2

static struct mutex mutex = MUTEX_INIT(mutex, "test stress");
static struct spinlock spin = SPINLOCK_INIT("test stress");
static struct semaphore tokens;
static volatile uint64_t by_mutex[2],
	by_spin[2]; /* [mutex], [spin] equal whenever nobody holds it */
static volatile uint64_t mutex_turns, spin_turns; /* [a] */
static volatile int holders;			  /* [a] of tokens */

int
stress_locks_begin(void)
{
	by_mutex[0] = by_mutex[1] = by_spin[0] = by_spin[1] = 0;
	mutex_turns = spin_turns = 0;
	holders = 0;
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

void
stress_locks_step(struct stress_worker *w)
{
	switch (stress_below(w, 4)) {
	case 0: under_mutex(w, false); break;
	case 1: under_mutex(w, true); break;
	case 2: under_spinlock(); break;
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
	STRESS_CHECK(tokens.count == TOKENS && holders == 0, "%d of %d tokens came back",
		     tokens.count, TOKENS);
}
