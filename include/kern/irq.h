/*
 * irq.h - interrupt lines: who handles them, how often they came.
 *
 * Implementation: kernel/irq.c over an irq_chip for each range of lines: the two 8259A, the I/O APICs, the
 * local APIC.  Drivers name a line, never a chip or a vector.  Theory and drawing: docs/traps.md.
 *
 * Lines 0-15 are those of the ISA bus, whichever chip delivers them, and keep vectors 20h-2Fh.
 * Lines from 16 on are pins of I/O APICs, numbered as ACPI does (GSI); they get a vector when they
 * are registered.  The last ones come from within the CPU's own local APIC.
 */
#pragma once
#include <kern/base.h>

#define IRQ_ISA_LINES	16
#define IRQ_GSI_LINES	64 /* lines [IRQ_ISA_LINES, IRQ_GSI_LINES) are GSIs */
#define IRQ_LAPIC_TIMER 64
#define IRQ_LAPIC_ERROR 65
#define IRQ_MAX		66

/* Which vector is whose.  The vector's upper half is its priority at the local APIC. */
#define IRQ_VECTOR_BASE	       0x20 /* 16 ISA lines */
#define IRQ_VECTOR_DYNAMIC     0x30 /* [30h, F0h) are given out, but for 80h */
#define IRQ_VECTOR_DYNAMIC_END 0xf0
#define IRQ_VECTOR_SOFTWARE    0x80 /* INT 80h is a system call by custom */
#define IRQ_VECTOR_LAPIC_TIMER 0xfd
#define IRQ_VECTOR_LAPIC_ERROR 0xfe
#define IRQ_VECTOR_SPURIOUS    0xff /* of the local APIC; no line, no EOI */
#define IRQ_NONE	       0xff /* in irq_of_vector */

/* What an interrupt controller must be able to do.  Called with interrupts off. */
struct irq_chip {
	const char *name;
	void (*mask)(unsigned irq);
	void (*unmask)(unsigned irq);
	bool (*masked)(unsigned irq);
	/* For lines 7 and 15: has it taken the interrupt back?  Then it has sent the EOI that this still needs. */
	bool (*is_spurious)(unsigned irq);
	void (*eoi)(unsigned irq);
	/* Where the line comes in and how, for people: "0 pin 4 edge high". */
	void (*describe)(unsigned irq, char *buf, size_t size);
};

/*
 * From now on @chip has the lines [@first, @first + @n); those that are registered are unmasked
 * there.  The chip before must be silenced by the caller, with interrupts off around both.
 */
void irq_set_chip(const struct irq_chip *chip, unsigned first, unsigned n);
/*
 * Install @fn for @irq and unmask it.  @fn runs with interrupts off; it moves data and wakes.
 * Returns 0, -EINVAL (no such line on this machine), -EBUSY (taken) or -ENOSPC (no vector left).
 */
int irq_register(unsigned irq, const char *name, void (*fn)(void *arg), void *arg);
/* Mask @irq and forget its handler. */
void irq_unregister(unsigned irq);
/* The vector that @irq raises; 0 while it has none. */
unsigned irq_vector(unsigned irq);
/* The line that @vector belongs to, or IRQ_NONE. */
unsigned irq_of_vector(unsigned vector);

/* For the trap code: whose a vector is, or NULL; called with that, interrupts off. */
struct irq_line;
extern struct irq_line *irq_by_vector[256];
void irq_dispatch(struct irq_line *l);

/*
 * A vector for a line, or, later, for a message-signalled interrupt.  The lowest one that is free, or
 * -ENOSPC.  Context: any.
 */
int irq_vector_alloc(void);
void irq_vector_free(unsigned vector);

/* Mask @irq, handler and all, or let it come again if it still has one.  Context: any. */
void irq_hold(unsigned irq, bool hold);
/* Are we inside an interrupt handler? */
extern unsigned irq_depth; /* [c] */
static inline bool
in_irq(void)
{
	return irq_depth != 0;
}

struct irq_stat {
	const char *name; /* NULL = no handler */
	const char *chip; /* NULL = no such line */
	uint64_t count;
	uint64_t spurious;
	unsigned vector; /* 0 = none */
	bool masked;
	char where[40]; /* how it is connected */
};
void irq_stat(unsigned irq, struct irq_stat *out);
/* Its count alone, which costs nothing; @irq is below IRQ_MAX.  Context: any. */
uint64_t irq_count(unsigned irq);
