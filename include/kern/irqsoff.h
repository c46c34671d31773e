/*
 * irqsoff.h - for how long interrupts, or preemption, are off at most: a build that measures it.
 *
 * `make IRQSOFF=1 BUILD=build/irqsoff` stamps the TSC wherever interrupts go off and on - irq_save()
 * and its kin, and the entry and exit of every trap - and keeps the longest stretch with the code at
 * both its ends; likewise for preempt_disable().  A normal build has none of it.
 *
 * Implementation: kernel/irqsoff.c.  Shell: `irqsoff`.  docs/scheduling.md.
 */
#pragma once
#include <lib/base.h>

#ifdef IRQSOFF
#define IRQSOFF_TRACE 1
#else
#define IRQSOFF_TRACE 0
#endif

/* Interrupts have just gone off / are about to go on.  Interrupts are off.  Only the outermost count. */
void irqsoff_begin(void);
void irqsoff_end(void);
/* Preemption has just been disabled / is about to be enabled, by the outermost of its callers. */
void preemptoff_begin(void);
void preemptoff_end(void);

/* The longest stretch: TSC cycles, and the code where it began and ended.  0 cycles: none. */
struct off_stretch {
	uint64_t cycles;
	uint64_t from, to;
};
/* What was measured since irqsoff_reset().  False in a build that does not measure. */
bool irqsoff_read(struct off_stretch *irqs, struct off_stretch *preempt);
void irqsoff_reset(void);
