/*
 * fail.h - allocations that fail on purpose, so that what happens then can be tried.
 *
 * Each allocator asks fail_now() first.  Nothing fails until fail_arm(), and then only allocations
 * of one thread that fit the plan.  Implementation: mm/fail.c; theory: docs/memory.md, "Failure
 * injection".  At the prompt: `fail`.
 */
#pragma once
#include <kern/base.h>

/* Which allocator was asked. */
enum fail_kind {
	FAIL_KMALLOC, /* kmalloc(), kzalloc(), krealloc() */
	FAIL_SLAB,    /* slab_alloc() */
	FAIL_FRAME,   /* pmm_alloc(), pmm_alloc_zeroed(), pmm_alloc_range() */
	FAIL_PAGES,   /* vmm_alloc() */
	FAIL_STACK,   /* kstack_alloc() */
	FAIL_TABLE,   /* a page table */
	FAIL_KINDS
};
/* "kmalloc", "slab", "frame", "pages", "stack", "table". */
extern const char *const fail_kind_names[FAIL_KINDS];

struct thread;

/* Which allocations are counted, and which of those fail. */
struct fail_plan {
	const struct thread *thread;   /* only those of this one, outside interrupt handlers */
	unsigned kinds;		       /* BIT(kind) for each; 0 = all */
	uint64_t site_start, site_end; /* only below code in [start, end); end 0 = anywhere */
	uint64_t nth;		       /* the nth fails; 0 = none does */
	uint64_t every;		       /* each @every-th fails; 0 = none does */
};

#define FAIL_CHAIN_MAX 16

struct fail_state {
	bool armed;
	struct fail_plan plan;
	uint64_t counted; /* allocations that fitted the plan */
	uint64_t failed;  /* of those */
	uint64_t
		chain[FAIL_CHAIN_MAX]; /* who asked for the last one that failed, innermost first */
	unsigned chain_len;
};

/* From now on @plan holds; counts begin at 0.  Context: thread. */
void fail_arm(const struct fail_plan *plan);
/* Nothing fails any more; returns how many did.  Context: thread. */
uint64_t fail_disarm(void);
void fail_get_state(struct fail_state *out);
/* The code of the function @name as [*start, *end).  0 or -ENOENT.  Context: any. */
int fail_find_site(const char *name, uint64_t *start, uint64_t *end);

extern bool fail_armed; /* [a] */
bool fail_check(enum fail_kind kind);

/* Shall this allocation fail?  Context: any. */
static inline bool
fail_now(enum fail_kind kind)
{
	return unlikely(fail_armed) && fail_check(kind);
}
