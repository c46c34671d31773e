/*
 * spinlock.c - the slow ways of the spinlock; the fast ones are inline in kern/spinlock.h.
 *
 * There is one CPU, and whoever holds a spinlock has interrupts off: a lock that is found taken
 * was taken by the very code that now asks for it, which would wait for ever.  With more CPUs
 * this is where waiting for the others goes.
 */
#include <kern/spinlock.h>

void
spin_contended(struct spinlock *l, uint64_t rip)
{
	if (panic_in_progress())
		return; /* the holder will not run again: take it over */
	panic("spinlock \"%s\" taken at %#lx is already held, since %#lx", l->name, rip,
	      l->owner_rip);
}

void
spin_not_held(const struct spinlock *l)
{
	const uint64_t rip = (uint64_t)__builtin_return_address(0);

	panic("spinlock \"%s\" released at %#lx is not held; last taken at %#lx", l->name, rip,
	      l->owner_rip);
}

void
spin_break(struct spinlock *l)
{
	if (LOCK_ORDER)
		lock_order_drop(l);
	l->locked = 0;
}
