/*
 * pmm.h - physical page allocator: the only source of whole page frames.
 *
 * Implementation: mm/pmm.c and its neighbours pmm_*.c.  Design and drawing: docs/memory.md.
 * Units: paddr_t is bytes; counts are 4 KiB frames; ranges are [start, end).
 * Context: any, interrupt handlers included, once pmm_init() has returned; not NMI and #MC handlers.
 */
#pragma once
#include <kern/base.h>

/*
 * Who holds a frame: one byte for each frame of RAM.  Bits 5-0 are a number, the rest says what may
 * be done with the frame; neither bit set = free, and the number tells who had it last.
 * A new owner: a line before PMM_OWNERS_END and a name in pmm_info.c.
 */
#define PMM_FIXED 0x40 /* in use from the start; pmm_free() refuses it, pmm_release() takes it */
#define PMM_TAKEN 0x80 /* in use, from pmm_alloc() and its kin */
#define PMM_ID	  0x3f

enum pmm_owner {
	PMM_NOBODY = 0, /* free, and never used */
	PMM_FIRMWARE = PMM_FIXED | 1,
	PMM_KERNEL, /* the kernel image */
	PMM_INITRD,
	PMM_LOADER, /* tables and data that the loader left */
	PMM_LOG,    /* the log that the next boot finds (kern/log_keep.h) */
	PMM_FRAMES, /* this allocator's own tables */
	PMM_FIXED_END,
	PMM_PAGE_TABLE = PMM_TAKEN | (PMM_FIXED_END & PMM_ID),
	PMM_SLAB,    /* objects of up to SLAB_OBJECT_MAX bytes */
	PMM_LARGE,   /* larger blocks of kmalloc() */
	PMM_STACK,   /* of kernel threads */
	PMM_VMALLOC, /* vmm_alloc() */
	PMM_USER,    /* pages of programs */
	PMM_CACHE,   /* contents of files and disks */
	PMM_TEST,    /* self-tests, memtest, bench */
	PMM_OWNERS_END,
	PMM_NOT_RAM = 0xff, /* what pmm_frame_owner() says where there is no frame */
};
#define PMM_NR_OWNERS (PMM_OWNERS_END & PMM_ID)

/* By what devices can reach: 24 address bits (ISA DMA), 32 bits, all.  A frame is in one of them. */
enum pmm_zone { PMM_ZONE_DMA, PMM_ZONE_32, PMM_ZONE_HIGH, PMM_NR_ZONES };

/* Build the tables from the clean memory map.  Panics only when no RAM can hold them.  0. */
int pmm_init(void);

/*
 * Take one frame, contents undefined; the caller owns it until pmm_free().  PADDR_NONE when memory
 * is exhausted.  @owner: one of those with PMM_TAKEN.
 */
paddr_t pmm_alloc(enum pmm_owner owner);
/* The same, filled with zeros; quick while the idle thread has some ready. */
paddr_t pmm_alloc_zeroed(enum pmm_owner owner);
/* The same as pmm_alloc(), in @zone or one that more devices can reach. */
paddr_t pmm_alloc_zone(enum pmm_owner owner, enum pmm_zone zone);
/*
 * Take @nr adjacent frames, the first aligned to @align bytes (a power of 2, at least a page), all
 * below @limit (bytes; 0 = anywhere).  PADDR_NONE when there is no such run.
 */
paddr_t pmm_alloc_range(enum pmm_owner owner, size_t nr, size_t align, paddr_t limit);

/*
 * Give back.  Panics, naming the address and whose it is or was, on a frame that is free already,
 * reserved, or was never RAM.
 */
void pmm_free(paddr_t frame);
void pmm_free_range(paddr_t first, size_t nr);

/*
 * Hand out what was reserved by pmm_init() and is not needed any more: whole frames of the kernel
 * image or the initrd.  Panics on frames that are not reserved.
 */
void pmm_release(paddr_t start, paddr_t end);
/* The same for all that the loader left below 1 MiB: its page tables and data. */
void pmm_release_boot(void);
/*
 * A frame that was reserved and is not needed as such becomes @owner's (one with PMM_TAKEN), as if it had been allocated; pmm_free() takes it later.
 * Panics when it is not reserved.
 */
void pmm_adopt(paddr_t frame, enum pmm_owner owner);

/*
 * For the idle thread, with preemption off: zero one frame more for pmm_alloc_zeroed().  Gives up
 * within 64 stores once *@stop is not 0.  False when there is nothing to do.
 */
bool pmm_zero_one(const volatile uint8_t *stop);

struct pmm_stats {
	size_t total; /* frames of RAM under management */
	size_t free;
	size_t reserved; /* of total: owners with PMM_FIXED */
	size_t peak_used;
	paddr_t highest;	       /* end of the highest RAM frame, bytes */
	size_t zeroed;		       /* of free: filled with zeros already */
	size_t zero_hits, zero_misses; /* pmm_alloc_zeroed(): from those; not */
};
void pmm_stats(struct pmm_stats *out);

/*
 * Frames by owner's number (PMM_ID), all at the same moment: their sum is all RAM.  Number 0 is what
 * is free.
 */
void pmm_owner_counts(size_t by[PMM_NR_OWNERS]);
size_t pmm_owner_count(enum pmm_owner owner);
/* A few words; "nobody" for numbers that no owner has. */
const char *pmm_owner_name(uint8_t owner);
/* The byte of the frame that @addr lies in: an enum pmm_owner, for a free one without its upper bits. */
uint8_t pmm_frame_owner(paddr_t addr);

struct pmm_zone_info {
	const char *name;
	size_t total, free; /* frames */
};
void pmm_zone_info(enum pmm_zone zone, struct pmm_zone_info *out);

/* Is this frame RAM that the allocator manages? */
bool pmm_is_ram(paddr_t addr);
/* For tests and `mem`: is it free now? */
bool pmm_is_free(paddr_t addr);
/* For vmm_init(): the tables, reached through phys_to_virt() so far, have moved by @delta. */
void pmm_use_direct_map(uint64_t delta);
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
