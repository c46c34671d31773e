/*
 * dr.h - the debug registers: breakpoints that the CPU itself watches for.
 *
 * Spec: Intel SDM vol. 3B, "Debug Registers".
 */
#pragma once
#include <lib/base.h>

#define DR7_L0 BIT(0) /* DR0 holds the address of an instruction; #DB before it is executed */

static inline void
write_dr0(uint64_t va)
{
	__asm__ volatile("mov %0, %%dr0" ::"r"(va) : "memory");
}

static inline void
write_dr7(uint64_t v)
{
	__asm__ volatile("mov %0, %%dr7" ::"r"(v) : "memory");
}
