/*
 * lock.h - taking a lock word in as few instructions as the CPU allows.
 *
 * The way that is hardly ever taken lies out of line, and lock_contended (switch.asm) saves every
 * register before it calls spin_contended(): to the compiler there is no call here, so that the
 * functions that take locks need not keep their values out of the way of one.
 */
#pragma once
#include <lib/base.h>

#ifdef HOST_TEST
static inline void
lock_word_take(volatile uint32_t *word, uint64_t *owner)
{
	if (__atomic_exchange_n(word, 1, __ATOMIC_ACQUIRE) != 0)
		__builtin_trap(); /* ends the test */
	*owner = 0;
}
#else
/*
 * Exchange 1 into *@word; if that was 1 already, call spin_contended(@word, where).  *@owner becomes
 * the address of this code.
 */
static inline void
lock_word_take(volatile uint32_t *word, uint64_t *owner)
{
	uint32_t old = 1;

	__asm__ volatile("xchgl %0, %1\n\t"
			 "testl %0, %0\n\t"
			 "jnz 1f\n"
			 "2:\tmovq $2b, %2\n\t"
			 ".pushsection .text.lock, \"ax\"\n"
			 "1:\tpushq $2b\n\t"
			 "pushq %3\n\t"
			 "call lock_contended\n\t"
			 "jmp 2b\n\t"
			 ".popsection"
			 : "+r"(old), "+m"(*word), "=m"(*owner)
			 : "r"(word)
			 : "memory", "cc");
}
#endif
