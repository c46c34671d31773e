/*
 * debug.h - what only a build with DEBUG=1 has: the stack protector's guard, UBSan's reports.
 *
 * Implementation: kernel/debug/.  Theory: docs/testing.md, "The kernel that checks itself".
 */
#pragma once
#include <kern/base.h>

#ifdef DEBUG
#define STACK_GUARD 1
#else
#define STACK_GUARD 0
#endif

/* See stack_guard_init(). */
void stack_guard_choose(void);

/*
 * Choose a new guard, at random as far as the CPU can.  Who is in a function with a guard of its own
 * now must never return from it: called first of all by kernel_main(), which does not.
 */
static inline void
stack_guard_init(void)
{
	if (STACK_GUARD)
		stack_guard_choose();
}

/* Compilers look at this before a function with an array returns: one for all threads. */
extern uintptr_t __stack_chk_guard; /* [I] after stack_guard_init() */
NORETURN void __stack_chk_fail(void);
