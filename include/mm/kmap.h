/*
 * kmap.h - how the kernel's mapping area is divided (mm/kmap.c, mm/kstack.c).
 */
#pragma once
#include <kern/base.h>

/* Thread stacks at the bottom: 8192 slots of 32 KiB. */
#define KSTACK_AREA_BASE KERNEL_MAP_BASE
#define KSTACK_AREA_SIZE MIB(256)
/* The rest is given out in ranges. */
#define KMAP_BASE	 (KSTACK_AREA_BASE + GIB(1))
#define KMAP_END	 (KERNEL_MAP_BASE + KERNEL_MAP_SIZE)

/* Say that the screen's text memory is mapped (mm/vmm_init.c does that).  Called by vmm_init(). */
void kmap_init(void) INIT;

/* A range as `kmap` shows it. */
struct kmap_info {
	vaddr_t start;
	size_t len;	 /* bytes; a guard page follows */
	paddr_t pa;	 /* PADDR_NONE: memory from vmm_alloc() */
	unsigned type;	 /* index in MSR_PAT */
	uint64_t caller; /* return address of the call that made it */
};
/* Copies the first @max ranges at or above @from, by address; returns how many.  Context: thread. */
size_t kmap_snapshot(vaddr_t from, struct kmap_info *out, size_t max);

struct kmap_stats {
	size_t ranges, bytes; /* now */
	uint64_t searches;    /* so far, for a range by its address */
	uint64_t looked_at;   /* ranges that these looked at */
	size_t longest;	      /* ranges in the fullest bucket of the hash table */
};
void kmap_stats(struct kmap_stats *out);

/* Is @va the start of a range from vmm_alloc()?  Its length, else 0. */
size_t kmap_length(const void *va);
