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

struct CAPABILITY("spinlock") spinlock {
	volatile uint32_t locked; /* [a] */
	uint64_t owner_rip;	  /* where it was taken; for panic messages */
	const char *name;
};

#define SPINLOCK_INIT(n)                                                                           \
	{                                                                                          \
		.locked = 0, .owner_rip = 0, .name = (n)                                           \
	}

/* Returns the RFLAGS to hand to spin_unlock().  Taking a lock that this CPU holds panics, naming both sites. */
uint64_t spin_lock(struct spinlock *l) ACQUIRE(*l);
void spin_unlock(struct spinlock *l, uint64_t flags) RELEASE(*l);
bool spin_held(const struct spinlock *l);
/* After a panic began nobody else runs: open the lock so that the report can be printed. */
void spin_break(struct spinlock *l);
