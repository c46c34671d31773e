/*
 * lapic.h - this CPU's local APIC: what stands between the interrupt controllers and the CPU.
 *
 * Implementation: kernel/x86/lapic.c, lapic_timer.c.  Registers: x86/lapic_regs.h.
 */
#pragma once
#include <kern/base.h>
#include <x86/lapic_regs.h>

/* [I] NULL until mapped.  32-bit accesses only. */
extern volatile uint32_t *lapic_regs;

/*
 * Make sure that a local APIC that is on lets the 8259A's interrupts through.  Needs the kernel map;
 * thread context, interrupts off.  True if something had to be changed.
 */
bool lapic_virtual_wire(void);

/* Map it.  NULL, or why it cannot be used.  Context: thread. */
const char *lapic_probe(void);
/* Its physical address, as the CPU says. */
paddr_t lapic_address(void);
/* This CPU's id, by which interrupts are addressed to it. */
uint32_t lapic_id(void);

/* How a LINT pin is wired. */
struct lapic_lint {
	bool nmi; /* else nothing that we use comes in there */
	bool low;
};
/*
 * Accept interrupts for good: spurious vector, errors, LINT pins; those of the 8259A are shut out.
 * After lapic_probe() had no objection; interrupts off, nothing in service.
 */
void lapic_enable(const struct lapic_lint lint[2]);
/* Was lapic_enable() called? */
bool lapic_in_use(void);
/* Let the 8259A's interrupts in, or shut them out.  After lapic_enable(). */
void lapic_open_lint0(bool open);
/* Send @vector to this CPU.  One that is pending already stays a single one.  Context: any. */
void lapic_self_ipi(unsigned vector);
/* Is @vector being served, that is, does it wait for an EOI?  False while the local APIC is not used. */
bool lapic_in_service(unsigned vector);
/* End of the interrupt that is being served. */
static inline void
lapic_eoi(void)
{
	lapic_regs[LAPIC_EOI] = 0;
}

/*
 * The timer.  lapic_timer_measure() sets it going, without interrupts, where there is a local APIC that is
 * mapped; lapic_timer_init() computes its rate from how far it has come, tries it, and offers it as a
 * clock_event.  Thread context; the second after lapic_enable(), interrupts on.  0, -ENODEV (no TSC
 * to measure by), -ERANGE (an impossible rate) or -EIO (no interrupt arrives).
 */
void lapic_timer_measure(void);
int lapic_timer_init(void);
/* Counts per second; 0 = not known. */
uint64_t lapic_timer_hz(void);
