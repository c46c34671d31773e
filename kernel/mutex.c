/*
 * mutex.c - the slow ways of the mutex; the fast ones are inline in kern/sync.h.
 *
 * The word m->owner and the queue belong together by one rule, which holds whenever the queue's lock
 * is free: **somebody is on the queue => MUTEX_WAITERS is set (and so the word is not 0).**
 *
 *	         mutex_lock: 0 -> me                    mutex_lock_slow: sets the bit, queues
 *	 free  ---------------------->  owned by A  --------------------------->  owned by A, waiters
 *	  ^    <----------------------                                                    |
 *	  |      mutex_unlock: me -> 0       mutex_unlock_slow: first waiter B is the owner |
 *	  |                                                                                v
 *	  +--- mutex_unlock_slow: the waiters gave up ---  owned by B  <---- bit kept if more wait
 *
 * No wake is lost: a waiter sets the bit and queues itself in one go, under the queue's lock.  From
 * then on the owner's quick unlock (me -> 0) fails, because the word is not what it expects; the slow one
 * takes the queue's lock and finds the waiter.  If the owner was quicker, the word is 0, and the waiter
 * takes the mutex instead of queueing: with the word 0 there can be nobody before it.
 *
 * Nobody starves: an unlock with waiters gives the mutex to the one that waits longest, before any
 * other code can see it free.  While somebody waits the word is never 0, so nobody passes the queue:
 * each waits for those before it and no others.
 *
 * A waiter that gives up (timeout, kill) looks under the queue's lock whether the mutex became its own
 * meanwhile, and keeps it then.  The bit may stay behind without waiters: one slow unlock clears it.
 */
#include <kern/sync.h>
#include <kern/sched.h>
#include <kern/watchdog.h>

void
mutex_init(struct mutex *m, const char *name)
{
	m->owner = 0;
	m->name = name;
	wait_queue_init(&m->queue);
}

static bool take_or_queue_locked(struct mutex *m, struct thread *t) REQUIRES(m->queue.lock);

/* Own @m if it is free after all (true), else say that somebody waits, and queue @t. */
static bool
take_or_queue_locked(struct mutex *m, struct thread *t)
{
	uintptr_t old = m->owner, new;

	do {
		new = old == 0 ? (uintptr_t)t : old | MUTEX_WAITERS;
	} while (!__atomic_compare_exchange_n(&m->owner, &old, new, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	if (old == 0)
		return true;
	wait_enqueue(&m->queue.waiters, t);
	return false;
}

/* @t no longer wants to wait.  0 if @m was given to it just now, else @why. */
static int
give_up(struct mutex *m, struct thread *t, int why)
{
	const uint64_t flags = spin_lock(&m->queue.lock);

	if (mutex_owner(m) == t)
		why = 0;
	else
		list_del(&t->wait_node);
	spin_unlock(&m->queue.lock, flags);
	return why;
}

int
mutex_lock_slow(struct mutex *m, uint64_t deadline_ns, bool killable)
{
	struct thread *t = thread_self();
	uint64_t flags;
	int result;
	bool mine;

	if (mutex_owner(m) == t)
		panic("mutex \"%s\" is locked twice by thread \"%s\"", m->name, t->name);
	flags = spin_lock(&m->queue.lock);
	mine = take_or_queue_locked(m, t);
	spin_unlock(&m->queue.lock, flags);
	if (mine)
		return 0;
	watchdog_block(BLOCK_MUTEX, m, m->name);
	result = sched_sleep(deadline_ns, killable);
	watchdog_unblock();
	if (result != 0)
		return give_up(m, t, result);
	assert(mutex_owner(m) == t);
	return 0;
}

void
mutex_unlock_slow(struct mutex *m)
{
	uint64_t flags;

	if (mutex_owner(m) != thread_self())
		panic("mutex \"%s\" is unlocked by thread \"%s\" but belongs to \"%s\"", m->name,
		      thread_self()->name, m->owner != 0 ? mutex_owner(m)->name : "nobody");
	flags = spin_lock(&m->queue.lock);
	if (list_empty(&m->queue.waiters)) {
		__atomic_store_n(&m->owner, 0, __ATOMIC_RELEASE);
	} else {
		struct thread *t = list_first(&m->queue.waiters, struct thread, wait_node);
		const bool last = t->wait_node.next == &m->queue.waiters;

		__atomic_store_n(&m->owner, (uintptr_t)t | (last ? 0 : MUTEX_WAITERS),
				 __ATOMIC_RELEASE);
		(void)wake_locked(&m->queue, 1);
	}
	spin_unlock(&m->queue.lock, flags);
}

/* For a caller at @site. */
static int NO_LOCK_ANALYSIS
lock_until(struct mutex *m, uint64_t deadline_ns, bool killable, uint64_t site)
{
	int result = 0;

	if (LOCK_ORDER)
		lock_order_want(m, m->name, site);
	if (!mutex_exchange(m, 0, (uintptr_t)thread_self()))
		result = mutex_lock_slow(m, deadline_ns, killable);
	if (LOCK_ORDER && result == 0)
		lock_order_have(m, m->name, site);
	return result;
}

int NO_LOCK_ANALYSIS
mutex_lock_timeout(struct mutex *m, uint64_t timeout_ms)
{
	return lock_until(m, wait_deadline(timeout_ms), false,
			  (uint64_t)__builtin_return_address(0));
}

int NO_LOCK_ANALYSIS
mutex_lock_killable(struct mutex *m)
{
	return lock_until(m, WAIT_FOREVER, true, (uint64_t)__builtin_return_address(0));
}
