/*
 * spinlock.c - the slow ways of the spinlock; the fast ones are inline in kern/spinlock.h.
 *
 * With one CPU, whoever holds a spinlock has interrupts off: a lock that is found taken was taken by
 * the very code that now asks for it, which would wait for ever.  With more it is taken by another
 * CPU, and our number comes up when those before us are done.
 */
#include <kern/spinlock.h>
#include <kern/ksym.h>

unsigned spin_cpus = 1;

static bool
served(const struct spinlock *l, uint16_t ticket)
{
	return __atomic_load_n(&l->tickets.serving, __ATOMIC_ACQUIRE) == ticket;
}

void
spin_contended(struct spinlock *l, uint64_t rip, uint16_t ticket)
{
	if (spin_cpus == 1 && !panic_in_progress())
		panic("spinlock \"%s\" taken at %s is already held, since %s", l->name,
		      ksym_text(rip).s, ksym_text(l->owner_rip).s);
	while (!served(l, ticket)) {
		if (panic_in_progress())
			l->tickets.serving = ticket; /* the holder will not run again */
		cpu_relax();
	}
}

void
spin_not_held(const struct spinlock *l)
{
	const uint64_t rip = (uint64_t)__builtin_return_address(0);

	panic("spinlock \"%s\" released at %s is not held; last taken at %s", l->name,
	      ksym_text(rip).s, ksym_text(l->owner_rip).s);
}

void
spin_break(struct spinlock *l)
{
	if (LOCK_ORDER)
		lock_order_drop(l);
	l->tickets.serving = l->tickets.next;
}
