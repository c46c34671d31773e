/*
 * percpu.h - what each CPU has for itself.
 *
 * There is one CPU today, so its struct cpu is a variable; with more, GS base points to each one's
 * own and this_cpu() reads it there.  What else is per CPU (tagged [c] where it is defined) and how
 * it moves here: docs/traps.md, "Towards more CPUs".
 */
#pragma once
#include <kern/irq.h>

struct cpu {
	unsigned id;		  /* [I] 0 = the one that booted */
	uint32_t apic_id;	  /* [I] of its local APIC; 0 where none is used */
	uint64_t irqs[IRQ_MAX];	  /* [c] interrupts handled, by line */
	uint64_t apic_spurious;	  /* [c] interrupts that its local APIC took back */
	uint64_t apic_errors;	  /* [c] error interrupts of its local APIC */
	uint32_t apic_error_bits; /* [c] what they reported, ORed: the bits of the ESR */
};

extern struct cpu cpu_boot;

static inline struct cpu *
this_cpu(void)
{
	return &cpu_boot;
}
