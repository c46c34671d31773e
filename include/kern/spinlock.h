/*
 * spinlock.h - the lock for data that interrupt handlers touch too, or that is held for a few
 * instructions only.
 *
 * A ticket lock: whoever asks first gets it first.  Taking it turns interrupts off on this CPU, so a
 * handler can never meet a lock that its own CPU holds.  Never sleep while holding one.  Order and
 * ranks: docs/locking.md.
 */
#pragma once
#include <kern/base.h>
#include <kern/lock_order.h>
#include <x86/cpu.h>
#include <x86/lock.h>

struct CAPABILITY("spinlock") spinlock {
	struct ticket_lock tickets; /* [a] first: lock_contended gets its address */
	uint64_t owner_rip;	    /* [self] where it was taken; for messages */
	const char *name;	    /* [I] */
};

#define SPINLOCK_INIT(n)                                       \
	{                                                      \
		.tickets = {0, 0}, .owner_rip = 0, .name = (n) \
	}

/*
 * Another @ticket is being served: with one CPU that means that we hold it ourselves.  Panics then, or
 * takes it over when a panic is being reported; with more CPUs it waits.  Returns as the owner.
 */
void spin_contended(struct spinlock *l, uint64_t rip, uint16_t ticket);
/* It was not locked. */
NORETURN void spin_not_held(const struct spinlock *l);

/* CPUs that run.  While it is 1, nobody waits for a spinlock. */
extern unsigned spin_cpus; /* [I] */

/* Returns the RFLAGS to hand to spin_unlock().  Taking a lock that this CPU holds panics, naming both sites. */
static inline uint64_t spin_lock(struct spinlock *l) ACQUIRE(*l);
static inline void spin_unlock(struct spinlock *l, uint64_t flags) RELEASE(*l);

static ALWAYS_INLINE uint64_t NO_LOCK_ANALYSIS
spin_lock(struct spinlock *l)
{
	const uint64_t flags = irq_save();

	ticket_take(&l->tickets, &l->owner_rip); /* or spin_contended() */
	if (LOCK_ORDER)
		lock_order_take(l);
	return flags;
}

static ALWAYS_INLINE void NO_LOCK_ANALYSIS
spin_unlock(struct spinlock *l, uint64_t flags)
{
	if (unlikely(!ticket_is_taken(&l->tickets)))
		spin_not_held(l);
	if (LOCK_ORDER)
		lock_order_drop(l);
	ticket_release(&l->tickets);
	irq_restore(flags);
}

static inline bool
spin_held(const struct spinlock *l)
{
	return ticket_is_taken(&l->tickets);
}

/* After a panic began nobody else runs: open the lock so that the report can be printed. */
void spin_break(struct spinlock *l);
