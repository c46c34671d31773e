/*
 * stack_guard.c - the stack protector's two names (-fstack-protector-strong).
 *
 * A function that has an array on its stack puts the guard between the array and the return address,
 * and compares it before it returns.  The guard is a plain variable (-mstack-protector-guard=global):
 * the compilers' default, a word at %fs or %gs, would need per-CPU segments from the first
 * instruction on.  Compiled without the protector itself.
 */
#include <kern/debug.h>
#include <kern/ksym.h>
#include <x86/cpu.h>

/* Until stack_guard_init(), for entry code.  The 0 ends strings that would be copied over it. */
uintptr_t __stack_chk_guard = 0x8f3a61d27be4c500;

void
stack_guard_choose(void)
{
	uint64_t random = rdtsc() * 0x9e3779b97f4a7c15ULL; /* Knuth, TAOCP vol. 3, 6.4 */
	uint64_t more = 0;

	if ((cpuid(1, 0).ecx & CPUID_1_ECX_RDRAND) != 0 && rdrand(&more))
		random ^= more;
	__stack_chk_guard = random & ~(uintptr_t)0xff;
}

void
__stack_chk_fail(void)
{
	/* The call, not what follows it. */
	const char *name = ksym_lookup((uint64_t)__builtin_return_address(0) - 1, NULL);

	panic("stack smashed in %s(): an array overran", name != NULL ? name : "?");
}
