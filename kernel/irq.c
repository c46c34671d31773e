/*
 * irq.c - from an interrupt line to its handler.
 */
#include <kern/irq.h>
#include <kern/spinlock.h>
#include <lib/string.h>
#include <x86/percpu.h>

struct irq_line {
	void (*fn)(void *);	     /* [lock] stray() when nobody registered */
	void *arg;		     /* [lock] */
	const struct irq_chip *chip; /* [lock] NULL = this machine has no such line */
	const char *name;	     /* [lock] NULL = nobody registered */
	uint64_t spurious;	     /* [c] */
	uint64_t stray;		     /* [c] came with nobody to handle it */
	uint8_t irq;		     /* [I] its own number */
	uint8_t vector;		     /* [lock] 0 = none */
	/* [I] Only the lowest line of an 8259A can be.  Spec: Intel 8259A, "Interrupt Sequence". */
	bool may_be_spurious;
};

static struct spinlock lock = SPINLOCK_INIT("irq");
static struct irq_line lines[IRQ_MAX] = {
	[7].may_be_spurious = true,
	[15].may_be_spurious = true,
};
struct irq_line *irq_by_vector[256]; /* [lock] */
unsigned irq_depth;
struct cpu cpu_boot;

/* Nobody asked for this line: it must not come again and again. */
static void
stray(void *arg)
{
	struct irq_line *l = arg;

	l->chip->mask(l->irq);
	if (l->stray++ == 0)
		log_warn("irq: line %u has no handler, masked", l->irq);
}

static void
forget_handler_locked(struct irq_line *l)
{
	l->fn = stray;
	l->arg = l;
	l->name = NULL;
}

static void
set_vector_locked(struct irq_line *l, unsigned vector)
{
	if (l->vector != 0)
		irq_by_vector[l->vector] = NULL;
	l->vector = (uint8_t)vector;
	if (vector != 0)
		irq_by_vector[vector] = l;
}

/* The vectors that lines have for ever; 0 = one is given out on demand. */
static unsigned
fixed_vector(unsigned irq)
{
	if (irq < IRQ_ISA_LINES)
		return IRQ_VECTOR_BASE + irq;
	switch (irq) {
	case IRQ_LAPIC_TIMER: return IRQ_VECTOR_LAPIC_TIMER;
	case IRQ_LAPIC_ERROR: return IRQ_VECTOR_LAPIC_ERROR;
	default: return 0;
	}
}

void
irq_set_chip(const struct irq_chip *chip, unsigned first, unsigned n)
{
	const uint64_t flags = spin_lock(&lock);

	assert(first <= IRQ_MAX && n <= IRQ_MAX - first);
	for (unsigned irq = first; irq < first + n; irq++) {
		struct irq_line *l = &lines[irq];

		l->chip = chip;
		l->irq = (uint8_t)irq;
		if (l->name != NULL) {
			chip->unmask(irq);
			continue;
		}
		forget_handler_locked(l);
		if (fixed_vector(irq) != 0)
			set_vector_locked(l, fixed_vector(irq));
	}
	spin_unlock(&lock, flags);
}

/* Make sure that the line has a vector.  0 or -ENOSPC. */
static int
need_vector_locked(struct irq_line *l)
{
	int vector;

	if (l->vector != 0)
		return 0;
	vector = irq_vector_alloc();
	if (vector < 0)
		return vector;
	set_vector_locked(l, (unsigned)vector);
	return 0;
}

static int
register_locked(struct irq_line *l, const char *name, void (*fn)(void *), void *arg)
{
	int result;

	if (l->chip == NULL)
		return -EINVAL;
	if (l->name != NULL)
		return -EBUSY;
	result = need_vector_locked(l);
	if (result != 0)
		return result;
	l->fn = fn;
	l->arg = arg;
	l->name = name;
	l->chip->unmask(l->irq);
	return 0;
}

int
irq_register(unsigned irq, const char *name, void (*fn)(void *), void *arg)
{
	uint64_t flags;
	int result;

	if (irq >= IRQ_MAX || name == NULL || fn == NULL)
		return -EINVAL;
	flags = spin_lock(&lock);
	result = register_locked(&lines[irq], name, fn, arg);
	spin_unlock(&lock, flags);
	return result;
}

void
irq_unregister(unsigned irq)
{
	struct irq_line *l;
	uint64_t flags;

	if (irq >= IRQ_MAX)
		return;
	l = &lines[irq];
	flags = spin_lock(&lock);
	if (l->chip != NULL && l->name != NULL) {
		l->chip->mask(irq);
		forget_handler_locked(l);
		if (fixed_vector(irq) == 0) {
			irq_vector_free(l->vector);
			set_vector_locked(l, 0);
		}
	}
	spin_unlock(&lock, flags);
}

unsigned
irq_vector(unsigned irq)
{
	return irq < IRQ_MAX ? lines[irq].vector : 0;
}

unsigned
irq_of_vector(unsigned vector)
{
	const struct irq_line *l =
		vector < ARRAY_SIZE(irq_by_vector) ? irq_by_vector[vector] : NULL;

	return l != NULL ? l->irq : IRQ_NONE;
}

/*
 * The EOI comes last: a level-triggered line that the handler has not silenced comes again at once,
 * rather than being forgotten, and an edge that comes meanwhile waits in the chip.
 */
void
irq_dispatch(struct irq_line *l)
{
	if (unlikely(l->may_be_spurious) && l->chip->is_spurious(l->irq)) {
		l->spurious++;
		return;
	}
	irq_depth++;
	this_cpu()->irqs[l->irq]++;
	l->fn(l->arg);
	l->chip->eoi(l->irq);
	irq_depth--;
}

void
irq_stat(unsigned irq, struct irq_stat *out)
{
	const struct irq_line *l;
	uint64_t flags;

	memset(out, 0, sizeof(*out));
	if (irq >= IRQ_MAX)
		return;
	l = &lines[irq];
	flags = spin_lock(&lock);
	out->name = l->name;
	out->vector = l->vector;
	out->count = this_cpu()->irqs[irq];
	out->spurious = l->spurious;
	if (l->chip != NULL) {
		out->chip = l->chip->name;
		out->masked = l->chip->masked(irq);
		l->chip->describe(irq, out->where, sizeof(out->where));
	}
	spin_unlock(&lock, flags);
}

uint64_t
irq_count(unsigned irq)
{
	return this_cpu()->irqs[irq];
}

void
irq_hold(unsigned irq, bool hold)
{
	const struct irq_line *l = &lines[irq < IRQ_MAX ? irq : 0];
	const uint64_t flags = spin_lock(&lock);

	if (l->chip != NULL && irq < IRQ_MAX && (hold || l->name != NULL)) {
		if (hold)
			l->chip->mask(irq);
		else
			l->chip->unmask(irq);
	}
	spin_unlock(&lock, flags);
}
