/*
 * percpu.h - what each CPU has for itself; GS base points to it while the kernel runs.
 *
 * Ring 3 has a GS base of its own: SWAPGS exchanges the two on the way in and out (trap.asm,
 * syscall.asm).  There is one CPU today, so C code may as well name the variable; what else is per CPU
 * (tagged [c] where it is defined) and how it moves here: docs/traps.md, "Towards more CPUs".
 */
#pragma once
#include <kern/irq.h>

struct task;

struct cpu {
	struct task *
		task; /* [c] the running one, NULL in kernel threads; syscall.asm knows the offset */
	uint64_t kernel_rsp; /* [c] where SYSCALL finds the task's kernel stack; the same */
	uint64_t
		user_rsp; /* [c] the program's RSP, for the first two instructions of a call; the same */
	uint16_t interrupted_cs;  /* [c] where the interrupt that is being handled came from */
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
