/*
 * sync.h - what threads wait for each other with: mutex, semaphore, completion.
 *
 * Implementation: kernel/mutex.c, kernel/sync.c.  The reader/writer lock: kern/rwlock.h.  Which one
 * to take when: docs/locking.md.  Context: thread, except where said.
 */
#pragma once
#include <kern/base.h>
#include <kern/thread.h>
#include <kern/wait.h>

/* --- mutex ---------------------------------------------------------------------------------- */

/*
 * One word says it all: 0 is free, else the owner's struct thread, whose lowest bit is set while
 * somebody waits.  Taking a free one and giving back one that nobody waits for is one instruction
 * on it; the rest, and why no wake is lost, is in kernel/mutex.c.
 */
struct CAPABILITY("mutex") mutex {
	volatile uintptr_t owner; /* [a] struct thread * | MUTEX_WAITERS; 0 = free */
	struct wait_queue queue;
	const char *name; /* [I] its rank's row in kernel/lock_order.c */
};

#define MUTEX_WAITERS ((uintptr_t)1)

#define MUTEX_INIT(var, n)                                                     \
	{                                                                      \
		.owner = 0, .queue = WAIT_QUEUE_INIT((var).queue), .name = (n) \
	}

void mutex_init(struct mutex *m, const char *name);
/* Panics when the calling thread holds it already, or when it would have to sleep with interrupts off. */
static inline void mutex_lock(struct mutex *m) ACQUIRE(*m);
/* 0, or without the mutex -ETIMEDOUT after @timeout_ms. */
int mutex_lock_timeout(struct mutex *m, uint64_t timeout_ms) MUST_CHECK TRY_ACQUIRE(false, *m);
/* 0, or without the mutex -EINTR when the thread is being killed while it waits. */
int mutex_lock_killable(struct mutex *m) MUST_CHECK TRY_ACQUIRE(false, *m);
/* Context: any thread, also where it must not sleep. */
static inline bool mutex_trylock(struct mutex *m) TRY_ACQUIRE(true, *m);
/* Panics when the calling thread is not the owner. */
static inline void mutex_unlock(struct mutex *m) RELEASE(*m);

/* The ways out of line: 0 or as above; there are waiters, or the caller is not the owner. */
int mutex_lock_slow(struct mutex *m, uint64_t deadline_ns, bool killable);
void mutex_unlock_slow(struct mutex *m);

/* NULL = free. */
static inline struct thread *
mutex_owner(const struct mutex *m)
{
	return (struct thread *)(m->owner & ~MUTEX_WAITERS);
}

/* By the calling thread? */
static inline bool
mutex_held(const struct mutex *m)
{
	return mutex_owner(m) == thread_self();
}

/* Change the whole word; fails when it is not @old, as it is not while somebody waits. */
static inline bool
mutex_exchange(struct mutex *m, uintptr_t old, uintptr_t new)
{
	return __atomic_compare_exchange_n(&m->owner, &old, new, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

static ALWAYS_INLINE void NO_LOCK_ANALYSIS
mutex_lock(struct mutex *m)
{
	if (LOCK_ORDER)
		lock_order_want(m, m->name, current_rip());
	if (unlikely(!mutex_exchange(m, 0, (uintptr_t)thread_self())))
		(void)mutex_lock_slow(m, WAIT_FOREVER, false);
	if (LOCK_ORDER)
		lock_order_have(m, m->name, current_rip());
}

/* One more lock of a name of which the caller holds one; it keeps to an order of its own among them. */
static ALWAYS_INLINE void NO_LOCK_ANALYSIS
mutex_lock_second(struct mutex *m)
{
	if (unlikely(!mutex_exchange(m, 0, (uintptr_t)thread_self())))
		(void)mutex_lock_slow(m, WAIT_FOREVER, false);
	if (LOCK_ORDER)
		lock_order_have(m, m->name, current_rip());
}

static ALWAYS_INLINE bool NO_LOCK_ANALYSIS
mutex_trylock(struct mutex *m)
{
	if (!mutex_exchange(m, 0, (uintptr_t)thread_self()))
		return false;
	if (LOCK_ORDER)
		lock_order_have(m, m->name, current_rip());
	return true;
}

static ALWAYS_INLINE void NO_LOCK_ANALYSIS
mutex_unlock(struct mutex *m)
{
	if (LOCK_ORDER)
		lock_order_release(m, m->name, current_rip());
	if (unlikely(!mutex_exchange(m, (uintptr_t)thread_self(), 0)))
		mutex_unlock_slow(m);
}

/* --- semaphore ------------------------------------------------------------------------------ */

struct semaphore {
	volatile unsigned count; /* [queue.lock] */
	struct wait_queue queue;
};

void sem_init(struct semaphore *s, unsigned count);
/* 0, or -EINTR when the thread is being killed. */
int sem_down(struct semaphore *s);
/* 0, -ETIMEDOUT after @timeout_ms, or -EINTR. */
int sem_down_timeout(struct semaphore *s, uint64_t timeout_ms);
bool sem_try_down(struct semaphore *s); /* context: any */
/* One more; the longest waiting thread gets it.  Context: any. */
void sem_up(struct semaphore *s);

/* --- completion ----------------------------------------------------------------------------- */

/*
 * "It is done": one side says so, the other waits, in whichever order they come.  May lie on the
 * waiter's stack: once a wait has returned 0, complete() does not touch it any more.  A wait that
 * timed out or was ended by a kill leaves a complete() to come: the owner must call that off first.
 */
struct completion {
	volatile unsigned
		done; /* [queue.lock] how many waits it lets pass; COMPLETE_ALL = any number */
	struct wait_queue queue;
};

#define COMPLETE_ALL UINT32_MAX

#define COMPLETION_INIT(var)                                     \
	{                                                        \
		.done = 0, .queue = WAIT_QUEUE_INIT((var).queue) \
	}

void completion_init(struct completion *c);
/* Let one wait pass, now or later: the longest waiting thread's.  Context: any. */
void complete(struct completion *c);
/* Let all pass, until completion_init().  Context: any. */
void complete_all(struct completion *c);
/* Wait for it, even in a thread that shall die. */
void completion_wait(struct completion *c);
/* 0, or -ETIMEDOUT after @timeout_ms. */
int completion_wait_timeout(struct completion *c, uint64_t timeout_ms) MUST_CHECK;
/* 0, or -EINTR when the thread is being killed. */
int completion_wait_killable(struct completion *c) MUST_CHECK;
/* Has it been said?  Takes nothing.  Context: any. */
static inline bool
completion_done(const struct completion *c)
{
	return c->done > 0;
}
