/*
 * lapic_regs.h - registers of the local APIC, and the bits in them.
 *
 * Offsets are in dwords from the base; each register stands alone in 16 bytes.
 * Spec: Intel SDM vol. 3A, "Local APIC Register Address Map".
 */
#pragma once
#include <lib/base.h>

enum {
	LAPIC_ID = 0x20 / 4,
	LAPIC_VERSION = 0x30 / 4,
	LAPIC_TPR = 0x80 / 4,
	LAPIC_PPR = 0xa0 / 4,
	LAPIC_EOI = 0xb0 / 4,
	LAPIC_LDR = 0xd0 / 4,
	LAPIC_DFR = 0xe0 / 4,
	LAPIC_SVR = 0xf0 / 4,
	LAPIC_ISR = 0x100 / 4, /* and 7 more, 32 vectors each */
	LAPIC_TMR = 0x180 / 4,
	LAPIC_IRR = 0x200 / 4,
	LAPIC_ESR = 0x280 / 4,
	LAPIC_ICR_LOW = 0x300 / 4,
	LAPIC_ICR_HIGH = 0x310 / 4,
	LAPIC_LVT_TIMER = 0x320 / 4,
	LAPIC_LVT_THERMAL = 0x330 / 4,
	LAPIC_LVT_PERF = 0x340 / 4,
	LAPIC_LVT_LINT0 = 0x350 / 4,
	LAPIC_LVT_LINT1 = 0x360 / 4,
	LAPIC_LVT_ERROR = 0x370 / 4,
	LAPIC_TIMER_INITIAL = 0x380 / 4,
	LAPIC_TIMER_CURRENT = 0x390 / 4,
	LAPIC_TIMER_DIVIDE = 0x3e0 / 4,
	LAPIC_REGS_SIZE = 0x400, /* bytes */
};

#define LAPIC_ID_SHIFT		 24
#define LAPIC_VERSION_NUMBER(v)	 ((v)&0xff)
#define LAPIC_VERSION_MAX_LVT(v) ((v) >> 16 & 0xff)

/* Spec: "Spurious-Interrupt Vector Register (SVR)". */
#define SVR_ENABLE 0x100

/* Spec: "Local Vector Table (LVT)". */
#define LVT_VECTOR	 0xffU
#define LVT_MODE	 0x700U
#define LVT_FIXED	 0x000U
#define LVT_SMI		 0x200U
#define LVT_NMI		 0x400U
#define LVT_EXTINT	 0x700U /* the vector comes from the 8259A */
#define LVT_PENDING	 0x1000U
#define LVT_LOW		 0x2000U
#define LVT_REMOTE_IRR	 0x4000U
#define LVT_LEVEL	 0x8000U
#define LVT_MASKED	 0x10000U
#define LVT_PERIODIC	 0x20000U /* of the timer */
#define LVT_TSC_DEADLINE 0x40000U /* of the timer */

/* Spec: "Divide Configuration Register": count every cycle of the APIC's clock. */
#define TIMER_DIVIDE_BY_1 0xb

/* Spec: "Interrupt Command Register (ICR)": to oneself, edge, fixed. */
#define ICR_SELF 0x40000U
