/*
 * inspect.h - reads the registers that only the shell's `regs` and `cpu` want to see.  Any context.
 *
 * Spec: Intel SDM vol. 2 (instructions), vol. 3A "Control Registers" and "Segment Registers".
 */
#pragma once
#include <lib/base.h>
#include <x86/cpu.h>

static inline uint64_t
read_cr8(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr8, %0" : "=r"(v));
	return v;
}

/* Segment register @s: ss, ds, es, fs or gs; read_cs() is in x86/cpu.h. */
#define DEFINE_READ_SEGMENT(s)                                  \
	static inline uint16_t read_##s(void)                   \
	{                                                       \
		uint16_t v;                                     \
                                                                \
		__asm__ volatile("mov %%" #s ", %0" : "=r"(v)); \
		return v;                                       \
	}
DEFINE_READ_SEGMENT(ss)
DEFINE_READ_SEGMENT(ds)
DEFINE_READ_SEGMENT(es)
DEFINE_READ_SEGMENT(fs)
DEFINE_READ_SEGMENT(gs)
#undef DEFINE_READ_SEGMENT

/* The stack pointer, about. */
static inline uint64_t
read_rsp(void)
{
	uint64_t v;

	__asm__ volatile("mov %%rsp, %0" : "=r"(v));
	return v;
}

/* Extended control register 0.  Only with CR4.OSXSAVE set. */
static inline uint64_t
read_xcr0(void)
{
	uint32_t lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return ((uint64_t)hi << 32) | lo;
}
