/*
 * irq_vector.c - which interrupt vectors are free.
 *
 * [30h, F0h) are given out, lowest first, but for 80h.  Below are exceptions and the ISA lines,
 * above the local APIC's own.
 */
#include <kern/irq.h>
#include <kern/spinlock.h>
#include <lib/bitmap.h>

static struct spinlock lock = SPINLOCK_INIT("irq vectors");
static uint64_t taken[BITMAP_WORDS(256)] = {
	[IRQ_VECTOR_SOFTWARE / 64] = BIT(IRQ_VECTOR_SOFTWARE % 64),
}; /* [lock] */

int
irq_vector_alloc(void)
{
	const uint64_t flags = spin_lock(&lock);
	const size_t v = bitmap_find_clear(taken, IRQ_VECTOR_DYNAMIC, IRQ_VECTOR_DYNAMIC_END);

	if (v != BITMAP_NONE)
		bitmap_set(taken, v);
	spin_unlock(&lock, flags);
	return v != BITMAP_NONE ? (int)v : -ENOSPC;
}

void
irq_vector_free(unsigned vector)
{
	uint64_t flags;

	assert(vector >= IRQ_VECTOR_DYNAMIC && vector < IRQ_VECTOR_DYNAMIC_END &&
	       vector != IRQ_VECTOR_SOFTWARE);
	flags = spin_lock(&lock);
	if (!bitmap_test(taken, vector)) {
		spin_unlock(&lock, flags);
		panic("irq: vector %#x is freed twice", vector);
	}
	bitmap_clear(taken, vector);
	spin_unlock(&lock, flags);
}
