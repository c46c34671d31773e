/*
 * irq.c - from an interrupt line to its handler.
 */
#include <kern/irq.h>
#include <kern/spinlock.h>

struct line {
	void (*fn)(void *); /* [lock] NULL = nobody */
	void *arg;	    /* [lock] */
	const char *name;   /* [lock] */
	uint64_t count;	    /* [c] */
	uint64_t spurious;  /* [c] */
	uint64_t stray;	    /* [c] came with nobody to handle it */
};

static struct spinlock lock = SPINLOCK_INIT("irq");
static struct line lines[IRQ_MAX];
static const struct irq_chip *chip; /* [I] */
unsigned irq_depth;

void
irq_set_chip(const struct irq_chip *new_chip)
{
	chip = new_chip;
}

int
irq_register(unsigned irq, const char *name, void (*fn)(void *), void *arg)
{
	uint64_t flags;
	int result = 0;

	if (irq >= IRQ_MAX || fn == NULL)
		return -EINVAL;
	flags = spin_lock(&lock);
	if (lines[irq].fn != NULL) {
		result = -EBUSY;
	} else {
		lines[irq].fn = fn;
		lines[irq].arg = arg;
		lines[irq].name = name;
		if (chip != NULL)
			chip->unmask(irq);
	}
	spin_unlock(&lock, flags);
	return result;
}

void
irq_unregister(unsigned irq)
{
	uint64_t flags;

	if (irq >= IRQ_MAX)
		return;
	flags = spin_lock(&lock);
	if (chip != NULL)
		chip->mask(irq);
	lines[irq].fn = NULL;
	lines[irq].name = NULL;
	spin_unlock(&lock, flags);
}

/* Nobody asked for this line: it must not come again and again. */
static void
stray(unsigned irq)
{
	chip->mask(irq);
	if (lines[irq].stray++ == 0)
		log_warn("irq: line %u has no handler, masked", irq);
}

void
irq_dispatch(unsigned irq)
{
	struct line *l = &lines[irq];

	/* Only the lowest line of each 8259A can be spurious.  Spec: Intel 8259A, "Interrupt Sequence". */
	if (unlikely((irq & 7) == 7) && chip->is_spurious(irq)) {
		l->spurious++;
		return;
	}
	irq_depth++;
	l->count++;
	if (likely(l->fn != NULL))
		l->fn(l->arg);
	else
		stray(irq);
	chip->eoi(irq);
	irq_depth--;
}

void
irq_stat(unsigned irq, struct irq_stat *out)
{
	const struct line *l = &lines[irq < IRQ_MAX ? irq : 0];

	*out = (struct irq_stat){.name = l->name, .count = l->count, .spurious = l->spurious};
}
