/*
 * pmm_zero.c - frames filled with zeros in advance, by the idle thread.
 *
 * Zeroing is most of what a fresh page costs (611 instructions of some 660), and it can be done when
 * nobody has anything better to do.  The pool is small; its frames count as free and are given
 * out as they are when there are no others, and go back to the bits when a run is looked for in vain.
 * So it can neither starve memory nor break it up.
 */
#include <mm/frames.h>
#include <lib/string.h>
#include <x86/cpu.h>

#define POOL_MAX 64			/* frames */
#define FREE_MIN (8 * (size_t)POOL_MAX) /* with fewer the pool is not filled */
#define CHUNK	 512			/* bytes zeroed between looks at the time */

static paddr_t pool[POOL_MAX]; /* [c] zeroed; whoever writes to a free frame, writes to a mine */
static size_t depth;	       /* [c] of pool[] */
static size_t hits, misses;    /* [c] */

paddr_t
pmm_zero_take(void)
{
	return depth > 0 ? pool[--depth] : PADDR_NONE;
}

/* Is the frame still as it was made?  Asked in debug builds only. */
static UNUSED bool
still_zero(paddr_t pa)
{
	const uint64_t *p = phys_to_virt(pa);

	for (size_t i = 0; i < PAGE_SIZE / sizeof(*p); i++) {
		if (p[i] != 0)
			return false;
	}
	return true;
}

paddr_t
pmm_alloc_zeroed(enum pmm_owner owner)
{
	const uint64_t flags = irq_save();
	paddr_t pa = PADDR_NONE;

	if (!pmm_refused())
		pa = pmm_zero_take();
	if (pa != PADDR_NONE) {
		struct pmm_range *r = pmm_range_of(pa);

		hits++;
		(void)pmm_claim(r, pmm_index(r, pa), owner);
		irq_restore(flags);
		debug_assert(still_zero(pa)); /* else somebody wrote to a frame that was not his */
		return pa;
	}
	misses++;
	irq_restore(flags);
	pa = pmm_alloc(owner);
	if (pa != PADDR_NONE)
		page_zero(phys_to_virt(pa));
	return pa;
}

/* False when @stop became something else than 0. */
static bool
zero_unless(paddr_t pa, const volatile uint8_t *stop)
{
	uint8_t *p = phys_to_virt(pa);

	for (size_t at = 0; at < PAGE_SIZE; at += CHUNK) {
		if (*stop)
			return false;
		memset(p + at, 0, CHUNK);
	}
	return true;
}

bool
pmm_zero_one(const volatile uint8_t *stop)
{
	paddr_t pa;
	uint64_t flags;
	bool done;

	if (depth == POOL_MAX || pmm_free_count() < FREE_MIN)
		return false;
	pa = pmm_borrow();
	if (pa == PADDR_NONE)
		return false;
	done = zero_unless(pa, stop); /* with interrupts on */
	flags = irq_save();
	if (done)
		pool[depth++] = pa; /* interrupts only take from it, so there is room */
	else
		pmm_unborrow(pa);
	irq_restore(flags);
	return true;
}

size_t
pmm_zero_count(enum pmm_zone zone)
{
	size_t n = 0;

	for (size_t i = 0; i < depth; i++)
		n += pmm_range_of(pool[i])->zone == zone;
	return n;
}

void
pmm_zero_stats(struct pmm_stats *out)
{
	out->zeroed = depth;
	out->zero_hits = hits;
	out->zero_misses = misses;
}
