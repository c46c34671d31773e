/*
 * rwlock.c - the reader/writer lock that sleeps.
 *
 * l->state counts the readers inside, or says that a writer is; with nobody waiting, coming and going
 * is one exchange of it.  RW_WAITERS is set exactly while a queue is not empty (under l->lock), and
 * sends everybody the slow way, under that lock: those who come, into a queue, and those who leave
 * last, to hand_over().
 *
 * Fair by phases: when a writer leaves, all readers that wait go in together, or, if none does, the
 * next writer; when the last reader leaves, the writer that waits longest goes in.  So a writer waits
 * for one crowd of readers at most before each writer ahead of it, and a reader for one writer.
 *
 * No wake is lost: whoever must wait sets RW_WAITERS in the same exchange that finds the lock taken,
 * and has queued itself before l->lock is free again.  The one who leaves then finds the bit and must
 * take l->lock.  With the bit set and nobody inside, no quick way leads in: the lock is hand_over()'s.
 */
#include <kern/rwlock.h>
#include <kern/sched.h>
#include <kern/wait.h>
#include <kern/watchdog.h>

#define READERS (RW_WAITERS - 1)

static void hand_over_locked(struct rwlock *l, bool readers_first) REQUIRES(l->lock);
static bool enter_or_queue_locked(struct rwlock *l, struct thread *t, bool write) REQUIRES(l->lock);

void
rw_init(struct rwlock *l, const char *name)
{
	*l = (struct rwlock)RWLOCK_INIT(*l, name);
}

static inline bool
exchange(struct rwlock *l, uint32_t *old, uint32_t new)
{
	return __atomic_compare_exchange_n(&l->state, old, new, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

static void
let_in_locked(struct list *queue)
{
	struct thread *t = list_first(queue, struct thread, wait_node);

	list_del(&t->wait_node);
	sched_wake(t);
}

/* Nobody is inside, and somebody waits: decide who is next. */
static void
hand_over_locked(struct rwlock *l, bool readers_first)
{
	uint32_t state = 0;

	if (list_empty(&l->writers) || (readers_first && !list_empty(&l->readers))) {
		for (; !list_empty(&l->readers); state++)
			let_in_locked(&l->readers);
	} else {
		struct thread *t = list_first(&l->writers, struct thread, wait_node);

		l->writer = t;
		state = RW_WRITER;
		let_in_locked(&l->writers);
	}
	if (!list_empty(&l->readers) || !list_empty(&l->writers))
		state |= RW_WAITERS;
	__atomic_store_n(&l->state, state, __ATOMIC_RELEASE);
}

/* May @l be entered from @state?  Those who wait already are first. */
static inline bool
open_for(uint32_t state, bool write)
{
	return write ? state == 0 : (state & (RW_WRITER | RW_WAITERS)) == 0;
}

/* Enter (true), or queue @t and say so. */
static bool
enter_or_queue_locked(struct rwlock *l, struct thread *t, bool write)
{
	uint32_t old = l->state, new;

	do {
		if (open_for(old, write))
			new = write ? RW_WRITER : old + 1;
		else
			new = old | RW_WAITERS;
	} while (!exchange(l, &old, new));
	if (open_for(old, write))
		return true;
	wait_enqueue(write ? &l->writers : &l->readers, t);
	return false;
}

static void
lock_slow(struct rwlock *l, struct thread *t, bool write)
{
	uint64_t flags;
	bool inside;

	if (l->writer == t)
		panic("rwlock \"%s\" is wanted by thread \"%s\", which writes behind it", l->name,
		      t->name);
	flags = spin_lock(&l->lock);
	inside = enter_or_queue_locked(l, t, write);
	spin_unlock(&l->lock, flags);
	if (inside)
		return;
	watchdog_block(write ? BLOCK_WRITE : BLOCK_READ, l, l->name);
	(void)sched_sleep(WAIT_FOREVER, false);
	watchdog_unblock();
}

/* The code at @site leaves @l without being in it, as @why says. */
NORETURN static void
not_inside(const struct rwlock *l, const char *why, uint64_t site)
{
	if (LOCK_ORDER)
		lock_order_not_yours(l, l->name, site);
	panic("rwlock \"%s\" is left by thread \"%s\", %s", l->name, thread_self()->name, why);
}

void NO_LOCK_ANALYSIS
rw_read_lock(struct rwlock *l)
{
	uint32_t old = l->state;

	if (LOCK_ORDER)
		lock_order_want(l, l->name, (uint64_t)__builtin_return_address(0));
	if (!open_for(old, false) || !exchange(l, &old, old + 1))
		lock_slow(l, thread_self(), false);
	if (LOCK_ORDER)
		lock_order_have(l, l->name, (uint64_t)__builtin_return_address(0));
}

void NO_LOCK_ANALYSIS
rw_read_unlock(struct rwlock *l)
{
	uint32_t left;

	if (unlikely((l->state & READERS) == 0))
		not_inside(l, "but nobody reads", (uint64_t)__builtin_return_address(0));
	if (LOCK_ORDER)
		lock_order_release(l, l->name, (uint64_t)__builtin_return_address(0));
	left = __atomic_sub_fetch(&l->state, 1, __ATOMIC_ACQ_REL);
	if (unlikely(left == RW_WAITERS)) {
		const uint64_t flags = spin_lock(&l->lock);

		hand_over_locked(l, false);
		spin_unlock(&l->lock, flags);
	}
}

void NO_LOCK_ANALYSIS
rw_write_lock(struct rwlock *l)
{
	uint32_t nobody = 0;

	if (LOCK_ORDER)
		lock_order_want(l, l->name, (uint64_t)__builtin_return_address(0));
	if (!exchange(l, &nobody, RW_WRITER))
		lock_slow(l, thread_self(), true);
	l->writer = thread_self();
	if (LOCK_ORDER)
		lock_order_have(l, l->name, (uint64_t)__builtin_return_address(0));
}

void NO_LOCK_ANALYSIS
rw_write_unlock(struct rwlock *l)
{
	uint32_t alone = RW_WRITER;

	if (unlikely(l->writer != thread_self()))
		not_inside(l, "which does not write", (uint64_t)__builtin_return_address(0));
	if (LOCK_ORDER)
		lock_order_release(l, l->name, (uint64_t)__builtin_return_address(0));
	l->writer = NULL;
	if (!exchange(l, &alone, 0)) {
		const uint64_t flags = spin_lock(&l->lock);

		hand_over_locked(l, true);
		spin_unlock(&l->lock, flags);
	}
}
