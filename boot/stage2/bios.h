/*
 * bios.h - calls from 32-bit C into the real-mode BIOS.
 *
 * bios_int() goes to real mode, performs `int n` with the registers given, and comes back; A20,
 * GDT and IDT of stage 2 are in force again afterwards.  The BIOS runs with interrupts enabled.
 * Pointers that the BIOS gets are real-mode ones: what they point to lies below 1 MiB.
 */
#pragma once
#include <lib/base.h>

/* In POPAD's order, so that entry.asm loads it at once.  Must lie below 64 KiB: a local does. */
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

/* The BIOS's variables at 400h.  Spec: IBM PC/AT Technical Reference, "BIOS Data Area". */
extern volatile uint8_t bios_data[256]; /* placed by stage2.ld */

#define BDA_EBDA_SEGMENT 0x0e
#define BDA_VIDEO_MODE	 0x49
#define BDA_COLUMNS	 0x4a
#define BDA_CURSOR	 0x50 /* of page 0: column, row << 8 */
#define BDA_CRTC_PORT	 0x63

static inline uint16_t
bda16(uint32_t offset)
{
	return (uint16_t)(bios_data[offset] | bios_data[offset + 1] << 8);
}
