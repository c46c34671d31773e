/*
 * pmm.h - physical page allocator: the only source of whole page frames.
 *
 * Implementation: mm/pmm.c.  Design and drawing: docs/memory.md.
 * Units: paddr_t is bytes; counts are 4 KiB frames; ranges are [start, end).
 * Context: any, interrupt handlers included, once pmm_init() has returned.
 */
#pragma once
#include <kern/base.h>

/* Build the bitmap from the clean memory map.  Panics only when no RAM can hold the bitmap.  0. */
int pmm_init(void);

/*
 * Take one frame, contents undefined; the caller owns it until pmm_free().  PADDR_NONE when memory
 * is exhausted.
 */
paddr_t pmm_alloc(void);
/* The same, filled with zeros. */
paddr_t pmm_alloc_zeroed(void);
/*
 * Take @nr adjacent frames, the first aligned to @align bytes (a power of 2, at least a page), all
 * below @limit (bytes; 0 = anywhere).  PADDR_NONE when there is no such run.
 */
paddr_t pmm_alloc_range(size_t nr, size_t align, paddr_t limit);

/* Give back.  Panics, naming the address, on a frame that is free already or was never RAM. */
void pmm_free(paddr_t frame);
void pmm_free_range(paddr_t first, size_t nr);

struct pmm_stats {
	size_t total; /* frames of RAM under management */
	size_t free;
	size_t reserved; /* of total: kernel image, initrd, bitmap, low memory */
	size_t peak_used;
	paddr_t highest; /* end of the highest RAM frame, bytes */
};
void pmm_stats(struct pmm_stats *out);
/* Is this frame RAM that the allocator manages? */
bool pmm_is_ram(paddr_t addr);
/* For tests and `mem`: is it free now? */
bool pmm_is_free(paddr_t addr);
/* For vmm_init(): the tables, reached through phys_to_virt() so far, have moved by @delta. */
void pmm_use_direct_map(uint64_t delta);
/* The loader's page tables and data (all below 1 MiB) are not needed any more: hand them out. */
void pmm_release_boot(void);
/* Call @fn for each range of RAM, reserved frames included, in order of address. */
void pmm_for_each_range(void (*fn)(void *arg, paddr_t start, paddr_t end), void *arg);

/*
 * Address at which physical memory can be read and written: the direct map once vmm_init() is done,
 * the loader's identity map before (then only below 4 GiB).  RAM only.
 */
extern uint64_t direct_map_base;
static inline void *
phys_to_virt(paddr_t pa)
{
	return (void *)(pa + direct_map_base);
}
/* Inverse, for direct-map and kernel-image addresses. */
paddr_t virt_to_phys(const void *va);
