/*
 * lock_order.h - debug builds: are locks taken in the one order, and does nobody sleep who must not?
 *
 * Implementation: kernel/lock_order.c.  The rules: docs/locking.md.  Builds without DEBUG=1 contain
 * none of it: LOCK_ORDER is 0 there, and the compiler drops what stands behind it.  Every violation
 * is a panic that names both places.
 */
#pragma once
#include <lib/base.h>
#include <x86/cpu.h>

#ifdef DEBUG
#define LOCK_ORDER 1
#else
#define LOCK_ORDER 0
#endif

#define LOCK_HELD_MAX 8

/* A lock that is held: who, and since when. */
struct held_lock {
	const void *lock;
	const char *name;
	uint64_t site;	/* address of the code that took it */
	uint64_t stamp; /* TSC then */
};

/* What one CPU (spinlocks) or one thread (mutexes and rwlocks) holds, in the order of taking. */
struct held_locks {
	struct held_lock held[LOCK_HELD_MAX];
	unsigned nr;
};

struct spinlock;
struct thread;

extern struct held_locks lock_spinning; /* [c] the spinlocks of this CPU */

/* Spinlock @l was taken / is about to be released. */
void lock_order_take(const struct spinlock *l);
void lock_order_drop(const struct spinlock *l);
/* The spinlock held that was taken as number @i, from 0; NULL if there is none.  Debug builds. */
const struct spinlock *lock_order_held(unsigned i);

/*
 * A lock that sleeps, and its name: _want before it is taken at @site, which checks; _have once
 * the calling thread holds it; _release before it is given back at @site, which panics when the calling
 * thread does not hold it.  _not_yours is that panic alone.
 */
void lock_order_want(const void *lock, const char *name, uint64_t site);
void lock_order_have(const void *lock, const char *name, uint64_t site);
void lock_order_release(const void *lock, const char *name, uint64_t site);
NORETURN void lock_order_not_yours(const void *lock, const char *name, uint64_t site);
/* Which thread holds @lock?  NULL when that is not known.  sched_lock held. */
struct thread *lock_order_holder_locked(const void *lock);
/* The calling thread ends: it must hold nothing.  Panics, or forgets what it held when @forgive. */
void lock_order_exit(bool forgive);

/* What both kinds are checked with: may @lock, called @name, be taken at @site with @h held? */
void lock_order_check(const struct held_locks *h, const void *lock, const char *name,
		      uint64_t site);
void lock_order_add(struct held_locks *h, const struct held_lock *l);
/* Take @lock off @h, and into @out what stood there.  False if it is not on it. */
bool lock_order_remove(struct held_locks *h, const void *lock, struct held_lock *out);

/* The code at @site may sleep, doing @what. */
void lock_order_may_sleep(const char *what, uint64_t site);

#define might_sleep(what)                                          \
	do {                                                       \
		if (LOCK_ORDER)                                    \
			lock_order_may_sleep(what, current_rip()); \
	} while (0)
