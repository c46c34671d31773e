/*
 * copy8.h - eight bytes at once, for the LZ4 decoder.
 *
 * In 32-bit code by an MMX register: two instructions instead of four.  Every CPU with long mode
 * has MMX, and it needs no bit set in CR4.  copy8_begin() clears CR0.EM and CR0.TS, should a BIOS
 * have left them set; copy8_end() empties the x87 stack for its next user.
 * Spec: Intel SDM vol. 1, "MMX State", "EMMS Instruction".
 * On the host (tests/host) it is C, which the sanitizers watch.
 */
#pragma once
#include <lib/base.h>

#define CR0_EM BIT(2) /* no x87: MMX would fault */
#define CR0_TS BIT(3) /* task switched: the same */

struct eight_bytes {
	uint8_t byte[8];
};

#ifdef STAGE2
static inline void
copy8(uint8_t *dst, const uint8_t *src)
{
	__asm__ volatile("movq %1, %%mm0\n\tmovq %%mm0, %0"
			 : "=m"(*(struct eight_bytes *)dst)
			 : "m"(*(const struct eight_bytes *)src));
}

static inline void
copy8_begin(void)
{
	uint32_t cr0;

	__asm__ volatile("movl %%cr0, %0" : "=r"(cr0));
	cr0 &= ~(CR0_EM | CR0_TS);
	__asm__ volatile("movl %0, %%cr0" ::"r"(cr0));
}

static inline void
copy8_end(void)
{
	__asm__ volatile("emms");
}
#else
static inline void
copy8(uint8_t *dst, const uint8_t *src)
{
	const struct eight_bytes v = *(const struct eight_bytes *)src;

	*(struct eight_bytes *)dst = v;
}

static inline void
copy8_begin(void)
{
}

static inline void
copy8_end(void)
{
}
#endif
