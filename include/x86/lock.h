/*
 * lock.h - a ticket lock's fast way, in as few instructions as the CPU allows.
 *
 * Whoever wants the lock draws the next ticket and may go in when that number is served: first
 * come, first served, whatever the CPUs' distance to the memory.  With both numbers equal the lock
 * is free.  The way that is hardly ever taken lies out of line, and lock_contended (switch.asm)
 * saves every register before it calls spin_contended(): to the compiler there is no call here, so
 * that the functions that take locks need not keep their values out of the way of one.
 * Spec: Intel SDM vol. 3A, "Locked Atomic Operations": a locked access is a barrier for all others.
 */
#pragma once
#include <lib/base.h>

/* A free lock has next == serving; both wrap around, which lets 65,535 wait. */
struct ticket_lock {
	uint16_t next;	  /* [a] the ticket that the next one draws */
	uint16_t serving; /* [a] written by the owner alone */
};

#ifdef HOST_TEST
void lock_contended_host(struct ticket_lock *l, uint16_t ticket);

static ALWAYS_INLINE void
ticket_take(struct ticket_lock *l, uint64_t *owner)
{
	const uint16_t ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_SEQ_CST);

	if (__atomic_load_n(&l->serving, __ATOMIC_ACQUIRE) != ticket)
		lock_contended_host(l, ticket);
	*owner = 0;
}
#else
/*
 * Draw a ticket; if another number is being served, call spin_contended(@l, where, ticket), after
 * which the lock is ours.  *@owner becomes the address of this code.
 */
static ALWAYS_INLINE void
ticket_take(struct ticket_lock *l, uint64_t *owner)
{
	uint64_t ticket = 1, scratch; /* the upper bits of the ticket's register stay 0 */

	__asm__ volatile("lock xaddw %w0, %2\n\t"
			 "cmpw %w0, %3\n\t"
			 "jne 1f\n"
			 "2:\tmovq $2b, %4\n\t"
			 ".pushsection .text.lock, \"ax\"\n"
			 "1:\tleaq %2, %1\n\t"
			 "pushq %0\n\t"
			 "pushq $2b\n\t"
			 "pushq %1\n\t"
			 "call lock_contended\n\t"
			 "jmp 2b\n\t"
			 ".popsection"
			 : "+r"(ticket), "=&r"(scratch), "+m"(l->next), "+m"(l->serving),
			   "=m"(*owner)
			 :
			 : "memory", "cc");
}
#endif

static inline bool
ticket_is_taken(const struct ticket_lock *l)
{
	return l->next != l->serving;
}

/*
 * Let the next one in.  Only the owner writes this number, so it needs no locked access, and every
 * store is a release.  Spec: Intel SDM vol. 3A, "Memory Ordering in P6 and More Recent Processor Families".
 */
static inline void
ticket_release(struct ticket_lock *l)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	l->serving++;
}
