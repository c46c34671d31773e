/*
 * frames.h - inside mm/: what the frame allocator is made of, for pmm*.c.
 *
 * Fields marked [c] are touched with interrupts off and no lock: they belong to the CPU, and with
 * more of them there is one for each.  [pmm] is under pmm_lock.
 */
#pragma once
#include <kern/spinlock.h>
#include <lib/bitmap.h>
#include <mm/fail.h>
#include <mm/pmm.h>

#define PMM_LOW_END MIB(1)  /* start-up code of other CPUs must lie below */
#define PMM_DMA_END MIB(16) /* ISA DMA reaches no further */
#define PMM_32_END  GIB(4)

#define PMM_LEVELS     6    /* 64^6 frames: 256 TiB, more than the direct map can show */
#define PMM_MIN_LEVELS 3    /* so that nobody need ask whether levels 1 and 2 are there */
#define PMM_GROUP      4096 /* frames under one word of level 1 */
#define PMM_STACK      64
#define PMM_BATCH      32 /* frames moved at once between stack and bits */

/* Bound that is not known.  Others are below PMM_GROUP. */
#define PMM_ANY_RUN UINT16_MAX

/* A piece of RAM within one zone.  A frame's number in it is its index. */
struct pmm_range {
	paddr_t base;		 /* [I] address of frame 0 */
	size_t nr;		 /* [I] frames */
	uint8_t *owner;		 /* [c] enum pmm_owner by frame; without flags = free */
	size_t depth;		 /* [c] of stack[] */
	size_t stack[PMM_STACK]; /* [c] free frames that have no bit, the one freed last on top */
	uint64_t *level[PMM_LEVELS]; /* [pmm] 0: 1 = free; k: word n of level k - 1 is not 0 */
	unsigned levels;	     /* [I] the topmost is one word */
	enum pmm_zone zone;	     /* [I] */
	size_t nr_bits;		     /* [pmm] bits set in level 0 */
	/*
	 * [pmm] bound[g + 1]: no run of more free frames begins in group g.  Found by searches that
	 * failed, so that the next need not look again; forgotten when a frame of that group or of the
	 * next becomes free.
	 */
	uint16_t *bound;
};

struct pmm_counts {
	size_t by[PMM_OWNERS_END]; /* [c] frames in use, by owner's byte: most of it is not used */
	size_t peak;		   /* [c] frames in use at most so far */
	ssize_t headroom;	   /* [c] how many fewer are in use now; not negative */
};

extern struct spinlock pmm_lock;
extern struct pmm_range
	*pmm_ranges; /* [I] in order of use; behind the last one of no frames and a full stack */
extern size_t pmm_nr_ranges;	      /* [I] */
extern struct pmm_range *pmm_current; /* [c] allocations come from here */
extern struct pmm_counts pmm_counts;
extern size_t pmm_total; /* [I] frames */

static inline size_t
pmm_free_count(void)
{
	return pmm_total - pmm_counts.peak + (size_t)pmm_counts.headroom;
}

/* Not below r->nr when @frame lies elsewhere or is not the start of a frame. */
static inline size_t
pmm_index(const struct pmm_range *r, paddr_t frame)
{
	const uint64_t offset = frame - r->base;

	return offset >> PAGE_SHIFT | offset << (64 - PAGE_SHIFT);
}

static inline size_t
pmm_nr_groups(const struct pmm_range *r)
{
	return (r->nr + PMM_GROUP - 1) / PMM_GROUP;
}

/* Is it a frame that pmm_alloc() gave out? */
static inline bool
pmm_taken(uint8_t owner)
{
	return (owner & PMM_TAKEN) != 0;
}

/* Frame @i was free and in no bit and on no stack.  Interrupts off. */
static inline paddr_t
pmm_claim(struct pmm_range *r, size_t i, enum pmm_owner owner)
{
	r->owner[i] = (uint8_t)owner;
	pmm_counts.by[owner]++;
	if (unlikely(--pmm_counts.headroom < 0)) {
		pmm_counts.headroom = 0;
		pmm_counts.peak++;
	}
	return r->base + i * PAGE_SIZE;
}

/* Frame @i, of @owner, is nobody's now; where to keep it is up to the caller.  Interrupts off. */
static inline void
pmm_disclaim(struct pmm_range *r, size_t i, uint8_t owner)
{
	r->owner[i] &= (uint8_t)~PMM_TAKEN;
	pmm_counts.by[owner]--;
	pmm_counts.headroom++;
}

/* The one place for tests that make allocations fail: pmm_alloc() and all its kin ask it first. */
static inline bool
pmm_refused(void)
{
	return fail_now(FAIL_FRAME);
}

/* End of the highest RAM frame, bytes.  (pmm_init.c) */
paddr_t pmm_highest(void);

/* --- pmm.c ------------------------------------------------------------------------------- */

/* The range that @pa lies in, or NULL.  A handful of comparisons: as many as there are ranges. */
struct pmm_range *pmm_range_of(paddr_t pa);
/* A free frame that stays free for the counts, for the pool; not below 1 MiB.  PADDR_NONE. */
paddr_t pmm_borrow(void);
/* Back onto its stack.  Interrupts are off, pmm_lock is open. */
void pmm_unborrow(paddr_t frame);
/* Say why @frame cannot be freed.  Interrupts and locks are as before the call that failed. */
NORETURN void pmm_free_error(paddr_t frame);

/* --- pmm_bits.c: the levels; each function keeps all of them right ----------------------- */

/* Fill the empty stack of @r from its bits.  Returns how many there were, up to PMM_BATCH. */
size_t pmm_bits_refill_locked(struct pmm_range *r) REQUIRES(pmm_lock);
/* Turn the @nr frames at the bottom of the stack into bits. */
void pmm_bits_spill_locked(struct pmm_range *r, size_t nr) REQUIRES(pmm_lock);
/* [from, to) becomes free / is taken; it was not / was before. */
void pmm_bits_set_locked(struct pmm_range *r, size_t from, size_t to) REQUIRES(pmm_lock);
void pmm_bits_clear_locked(struct pmm_range *r, size_t from, size_t to) REQUIRES(pmm_lock);

/* --- pmm_zero.c -------------------------------------------------------------------------- */

/* A frame of the pool of zeroed ones, still free for the counts; PADDR_NONE if it is empty. */
paddr_t pmm_zero_take(void);
size_t pmm_zero_count(enum pmm_zone zone);
void pmm_zero_stats(struct pmm_stats *out);

/* --- pmm_range.c ------------------------------------------------------------------------- */

/* All that is free becomes bits, so that runs are seen.  Returns the frames that were not. */
size_t pmm_collect(void);
