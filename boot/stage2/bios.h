/*
 * bios.h - calls from 32-bit C into the real-mode BIOS.
 *
 * bios_int() goes to real mode, performs `int n` with the registers given, and comes back; A20,
 * GDT and IDT of stage 2 are in force again afterwards.  The BIOS runs with interrupts enabled.
 * Pointers that the BIOS gets are real-mode ones: what they point to lies below 1 MiB.
 */
#pragma once
#include <lib/base.h>

/* In the order of POPAD, so that entry.asm loads it at once.  Must lie below 64 KiB (a local does). */
struct bios_regs {
	uint32_t edi, esi, ebp, esp_unused, ebx, edx, ecx, eax;
	uint16_t es, ds, flags, pad;
};

void bios_int(uint8_t n, struct bios_regs *r);

static inline bool
bios_carry(const struct bios_regs *r)
{
	return r->flags & 1;
}
