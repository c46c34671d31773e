/*
 * bits.h - bits of memory changed and looked at in one instruction.
 *
 * One instruction is not interrupted in the middle, so on its own CPU it needs nothing around it;
 * against other CPUs it would want a LOCK prefix.  Spec: Intel SDM vol. 2, "BTR".
 */
#pragma once
#include <lib/base.h>

/* Clear bit 7 of *@byte; was it set?  The CPU accesses four bytes from there on. */
static inline bool
test_and_clear_bit7(uint8_t *byte)
{
#ifdef HOST_TEST
	const bool old = (*byte & 0x80) != 0;

	*byte &= 0x7f;
	return old;
#else
	bool old;

	__asm__ volatile("btrl $7, %1" : "=@ccc"(old), "+m"(*(uint32_t *)byte)::"memory");
	return old;
#endif
}
