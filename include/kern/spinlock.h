/*
 * spinlock.h - the lock for data that interrupt handlers touch too, or that is held for a few
 * instructions only.
 *
 * Taking it turns interrupts off on this CPU, so a handler can never meet a lock that its own CPU
 * holds.  Never sleep while holding one.  Order and ranks: docs/locking.md.
 */
#pragma once
#include <kern/base.h>
#include <x86/cpu.h>
#include <x86/lock.h>

struct CAPABILITY("spinlock") spinlock {
	volatile uint32_t locked; /* [a] first: lock_word_take() hands out its address */
	uint64_t owner_rip;	  /* [self] where it was taken; for panic messages */
	const char *name;	  /* [I] */
};

#define SPINLOCK_INIT(n)                                 \
	{                                                \
		.locked = 0, .owner_rip = 0, .name = (n) \
	}

/* The lock is taken: with one CPU that means by ourselves.  Panics, or opens it when a panic is being reported. */
void spin_contended(struct spinlock *l, uint64_t rip);
/* It was not locked. */
NORETURN void spin_not_held(const struct spinlock *l);

/* kernel/lock_order.c: is the one lock order kept?  Checked in builds with DEBUG=1. */
#ifdef DEBUG
#define LOCK_ORDER 1
#else
#define LOCK_ORDER 0
#endif
/* @l was taken / is about to be released. */
void lock_order_take(const struct spinlock *l);
void lock_order_drop(const struct spinlock *l);
/* The caller does @what ("mutex taken"), which may sleep. */
void lock_order_none(const char *what);

/* Returns the RFLAGS to hand to spin_unlock().  Taking a lock that this CPU holds panics, naming both sites. */
static inline uint64_t spin_lock(struct spinlock *l) ACQUIRE(*l);
static inline void spin_unlock(struct spinlock *l, uint64_t flags) RELEASE(*l);

static inline uint64_t NO_LOCK_ANALYSIS
spin_lock(struct spinlock *l)
{
	const uint64_t flags = irq_save();

	lock_word_take(&l->locked, &l->owner_rip); /* or spin_contended() */
	if (LOCK_ORDER)
		lock_order_take(l);
	return flags;
}

static inline void NO_LOCK_ANALYSIS
spin_unlock(struct spinlock *l, uint64_t flags)
{
	if (unlikely(l->locked == 0))
		spin_not_held(l);
	if (LOCK_ORDER)
		lock_order_drop(l);
	__atomic_store_n(&l->locked, 0, __ATOMIC_RELEASE);
	irq_restore(flags);
}

static inline bool
spin_held(const struct spinlock *l)
{
	return l->locked != 0;
}

/* After a panic began nobody else runs: open the lock so that the report can be printed. */
void spin_break(struct spinlock *l);
