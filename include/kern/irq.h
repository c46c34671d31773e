/*
 * irq.h - interrupt lines: who handles them, how often they came.
 *
 * Implementation: kernel/irq.c over an irq_chip (the two 8259A today; IO-APIC later).
 */
#pragma once
#include <kern/base.h>

#define IRQ_MAX		16
#define IRQ_VECTOR_BASE 0x20

struct trapframe;

/* What the interrupt controller must be able to do. */
struct irq_chip {
	const char *name;
	void (*mask)(unsigned irq);
	void (*unmask)(unsigned irq);
	bool (*is_spurious)(unsigned irq); /* and sends the EOI that a spurious one still needs */
	void (*eoi)(unsigned irq);
};

void irq_set_chip(const struct irq_chip *chip);
/*
 * Install @fn for @irq and unmask it.  @fn runs with interrupts off; it moves data and wakes.
 * Returns 0, -EINVAL (no such line) or -EBUSY (taken).
 */
int irq_register(unsigned irq, const char *name, void (*fn)(void *arg), void *arg);
/* Mask @irq and forget its handler. */
void irq_unregister(unsigned irq);
/* Called by the trap code for vectors 20h-2Fh. */
void irq_dispatch(unsigned irq);
/* Are we inside an interrupt handler? */
extern unsigned irq_depth; /* [c] */
static inline bool
in_irq(void)
{
	return irq_depth != 0;
}

struct irq_stat {
	const char *name; /* NULL = no handler */
	uint64_t count;
	uint64_t spurious;
};
void irq_stat(unsigned irq, struct irq_stat *out);
