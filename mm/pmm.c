/*
 * pmm.c - physical page allocator: taking and giving back one frame.
 *
 * RAM is a handful of ranges, each within one zone, kept in the order in which they are used up:
 * first [16 MiB, 4 GiB), then above, then what ISA DMA can reach, last what start-up code of other
 * CPUs needs.  A range knows its free frames as bits (pmm_bits.c), and in front of those has a short
 * stack of free frame numbers.  pmm_alloc() takes from the top of the stack of the range in use,
 * pmm_free() puts there: the frame freed last is warm and comes next.  Only when the stack is empty
 * or full is a batch of frames moved from or to the bits.
 *
 * The stack is the CPU's own.  What guards it is that interrupts are off for some ten instructions;
 * no lock is needed.  With more CPUs each has a stack for each range, and its own counts, whose sum
 * is what holds; the bits stay common, under pmm_lock.  The owner's byte of a frame is written only by
 * whoever takes it or gives it back.
 *
 * That byte is also what makes freeing safe: only a frame that somebody owns can be given back.
 */
#include <mm/frames.h>
#include <boot/boot_info.h>
#include <kern/boot_trace.h>
#include <mm/shrink.h>
#include <x86/bits.h>
#include <x86/cpu.h>

uint64_t direct_map_base;

struct spinlock pmm_lock = SPINLOCK_INIT("pmm");
struct pmm_range *pmm_ranges;
size_t pmm_nr_ranges;
struct pmm_range *pmm_current;
struct pmm_counts pmm_counts;
size_t pmm_total;

/* --- taking ------------------------------------------------------------------------------ */

static struct pmm_range *ready_range_locked(enum pmm_zone zone) REQUIRES(pmm_lock);

/* The best range of @zone, or of one below, with a frame on its stack; NULL. */
static struct pmm_range *
ready_range_locked(enum pmm_zone zone)
{
	for (struct pmm_range *r = pmm_ranges; r < pmm_ranges + pmm_nr_ranges; r++) {
		if (r->zone <= zone && (r->depth > 0 || pmm_bits_refill_locked(r) > 0))
			return r;
	}
	return NULL;
}

/* There is none: perhaps somebody can give some back.  Each time fewer can, and in the end nobody. */
static __attribute__((noinline, cold)) paddr_t
alloc_after_shrinking(enum pmm_owner owner)
{
	return mm_shrink(1) > 0 ? pmm_alloc(owner) : PADDR_NONE;
}

/* The stack in use is empty, or allocations may fail.  Interrupts are off; @flags are restored. */
static __attribute__((noinline)) paddr_t
alloc_slow(enum pmm_owner owner, uint64_t flags)
{
	paddr_t pa = PADDR_NONE;
	struct pmm_range *r;
	uint64_t inner;

	if (pmm_refused()) {
		irq_restore(flags);
		return PADDR_NONE;
	}
	inner = spin_lock(&pmm_lock);
	r = ready_range_locked(PMM_ZONE_HIGH);
	if (r != NULL) {
		pmm_current = r;
		pa = pmm_claim(r, r->stack[--r->depth], owner);
	} else {
		pa = pmm_zero_take(); /* rather than none at all */
		if (pa != PADDR_NONE) {
			r = pmm_range_of(pa);
			(void)pmm_claim(r, pmm_index(r, pa), owner);
		}
	}
	spin_unlock(&pmm_lock, inner);
	irq_restore(flags);
	return likely(pa != PADDR_NONE) ? pa : alloc_after_shrinking(owner);
}

paddr_t
pmm_alloc(enum pmm_owner owner)
{
	const uint64_t flags = irq_save();
	struct pmm_range *r = pmm_current;
	size_t top;

	debug_assert(pmm_taken((uint8_t)owner));
	if (likely(!fail_armed && !__builtin_sub_overflow(r->depth, 1, &top))) {
		const paddr_t pa = pmm_claim(r, r->stack[top], owner);

		r->depth = top;
		irq_restore(flags);
		return pa;
	}
	return alloc_slow(owner, flags);
}

paddr_t
pmm_alloc_zone(enum pmm_owner owner, enum pmm_zone zone)
{
	if (pmm_refused())
		return PADDR_NONE;
	for (;;) {
		const uint64_t flags = spin_lock(&pmm_lock);
		struct pmm_range *r = ready_range_locked(zone);
		paddr_t pa = PADDR_NONE;

		if (r != NULL)
			pa = pmm_claim(r, r->stack[--r->depth], owner);
		spin_unlock(&pmm_lock, flags);
		if (pa != PADDR_NONE || (pmm_collect() == 0 && mm_shrink(1) == 0))
			return pa;
	}
}

/* --- giving back ------------------------------------------------------------------------- */

/* The range of which @frame is the start of a frame, or the one behind the last. */
static inline struct pmm_range *
range_of_frame(paddr_t frame)
{
	struct pmm_range *r = pmm_ranges;

	while (pmm_index(r, frame) >= r->nr && r->nr != 0)
		r++;
	return r;
}

struct pmm_range *
pmm_range_of(paddr_t pa)
{
	struct pmm_range *r = range_of_frame(ALIGN_DOWN(pa, PAGE_SIZE));

	return r->nr != 0 ? r : NULL;
}

void
pmm_free_error(paddr_t frame)
{
	const uint8_t owner = pmm_frame_owner(frame);

	if (owner == PMM_NOT_RAM)
		panic("pmm_free: frame %#lx is not RAM", frame);
	if (!IS_ALIGNED(frame, PAGE_SIZE))
		panic("pmm_free: %#lx is no frame's start; the frame is held by: %s", frame,
		      pmm_owner_name(owner));
	if (owner & PMM_FIXED)
		panic("pmm_free: frame %#lx is reserved: %s", frame, pmm_owner_name(owner));
	if (pmm_taken(owner))
		panic("pmm_free: frame %#lx is in use: %s", frame, pmm_owner_name(owner));
	panic("pmm_free: frame %#lx is free already (double free); last held by: %s", frame,
	      pmm_owner_name(owner));
}

/* Onto the stack of its range.  A better range than the one in use becomes that.  Interrupts off. */
static void
push(struct pmm_range *r, size_t i)
{
	if (unlikely(r->depth == PMM_STACK)) {
		const uint64_t inner = spin_lock(&pmm_lock);

		pmm_bits_spill_locked(r, PMM_BATCH);
		spin_unlock(&pmm_lock, inner);
	}
	r->stack[r->depth++] = i;
	if (r < pmm_current)
		pmm_current = r;
}

/* The stack of @r is full, or the frame is not one to be freed.  Interrupts are off; @flags are restored. */
static __attribute__((noinline)) void
free_slow(paddr_t frame, uint64_t flags, struct pmm_range *r)
{
	const size_t i = pmm_index(r, frame);

	if (r->nr == 0 || !pmm_taken(r->owner[i])) {
		irq_restore(flags); /* first, so that the report and the tests can go on */
		pmm_free_error(frame);
	}
	pmm_disclaim(r, i, r->owner[i]);
	push(r, i);
	irq_restore(flags);
}

void
pmm_free(paddr_t frame)
{
	const uint64_t flags = irq_save();
	struct pmm_range *r = pmm_current;
	size_t i = pmm_index(r, frame), depth;

	if (unlikely(i >= r->nr)) {
		r = range_of_frame(frame);
		i = pmm_index(r, frame);
		pmm_current = MIN(pmm_current, r); /* the better one */
	}
	depth = r->depth;
	if (likely(depth < PMM_STACK)) { /* it is not behind the last range, where that is full */
		const size_t owner = r->owner[i];

		if (likely(test_and_clear_bit7(&r->owner[i]))) {
			pmm_counts.by[owner]--;
			pmm_counts.headroom++;
			r->stack[depth] = i;
			r->depth = depth + 1;
			irq_restore(flags);
			return;
		}
	}
	free_slow(frame, flags, r);
}

/* --- for the pool of zeroed frames ------------------------------------------------------- */

paddr_t
pmm_borrow(void)
{
	const uint64_t flags = spin_lock(&pmm_lock);
	struct pmm_range *r = ready_range_locked(PMM_ZONE_HIGH);
	paddr_t pa = PADDR_NONE;

	if (r != NULL && r->base >= PMM_LOW_END)
		pa = r->base + r->stack[--r->depth] * PAGE_SIZE;
	spin_unlock(&pmm_lock, flags);
	return pa;
}

void
pmm_unborrow(paddr_t frame)
{
	struct pmm_range *r = pmm_range_of(frame);

	push(r, pmm_index(r, frame));
}

/* --- questions --------------------------------------------------------------------------- */

bool
pmm_is_ram(paddr_t addr)
{
	size_t n;
	const struct boot_mem *map = boot_map(&n);

	for (size_t i = 0; i < n; i++) {
		if (map[i].type == BOOT_MEM_RAM && addr - map[i].start < map[i].size)
			return true;
	}
	return false;
}

uint8_t
pmm_frame_owner(paddr_t addr)
{
	const struct pmm_range *r = pmm_range_of(addr);

	return r != NULL ? r->owner[(addr - r->base) / PAGE_SIZE] : PMM_NOT_RAM;
}

bool
pmm_is_free(paddr_t addr)
{
	return (pmm_frame_owner(addr) & (PMM_TAKEN | PMM_FIXED)) == 0;
}

paddr_t
virt_to_phys(const void *va)
{
	const uint64_t v = (uint64_t)va;

	if (v >= KERNEL_VMA)
		return v - KERNEL_VMA;
	assert(v - direct_map_base < DIRECT_MAP_SIZE);
	return v - direct_map_base;
}
