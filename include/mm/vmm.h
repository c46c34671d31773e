/*
 * vmm.h - the kernel's page tables and kernel mappings.
 *
 * Implementation: mm/vmm.c (tables), mm/kmap.c (address ranges).  W^X: a mapping is never both
 * writable and executable.  Context: any but interrupt handlers, unless said otherwise.
 */
#pragma once
#include <kern/base.h>
#include <x86/pat.h>
#include <x86/pte.h>

/* Rights and cache type of a mapping, or'ed together. */
enum vm_prot {
	VM_READ = 0,
	VM_WRITE = 1 << 0,
	VM_EXEC = 1 << 1,
	VM_USER = 1 << 2,
	VM_GLOBAL = 1 << 3,
	/* Cache type, one of these (docs/memory.md, "Cache types"). */
	VM_TYPE_SHIFT = 4,
	VM_WB = PAT_WB << VM_TYPE_SHIFT,	     /* RAM: cached, written back later */
	VM_WT = PAT_WT << VM_TYPE_SHIFT,	     /* cached, written through */
	VM_UC_MINUS = PAT_UC_MINUS << VM_TYPE_SHIFT, /* uncached, unless an MTRR says WC */
	VM_UC = PAT_UC << VM_TYPE_SHIFT,	     /* device registers: each access as written */
	VM_WC = PAT_WC << VM_TYPE_SHIFT, /* pixels: uncached, writes collected into bursts */
	VM_UNCACHED = VM_UC,
	VM_TYPE_MASK = 7 << VM_TYPE_SHIFT,
	VM_PROT_LIMIT = 8 << VM_TYPE_SHIFT, /* all values are below */
};

/* Leave the loader's tables for our own; switch phys_to_virt() to the direct map.  0 or -ENOMEM. */
int vmm_init(void);

/* The kernel's own PML4; its upper half is that of every program's. */
paddr_t vmm_kernel_pml4(void);

/*
 * Map [va, va+len) to [pa, pa+len), page-aligned, with the largest pages that fit.  Returns 0,
 * -EINVAL (unaligned, W and X together), -EEXIST (something is mapped there), -EBUSY (RAM, which the
 * direct map has as WB, with another cache type) or -ENOMEM; after an error the mappings are as before.
 */
int vmm_map(vaddr_t va, paddr_t pa, size_t len, unsigned prot);
/*
 * Remove; what was not mapped is skipped.  Frames are the caller's to free.  0, or -ENOMEM (splitting
 * a large page at an end of the range) with nothing changed.
 */
int vmm_unmap(vaddr_t va, size_t len);
/*
 * Change the rights of what is mapped; the cache type stays.  Pages that thereby become alike are
 * merged into large ones.  0, -EINVAL, -ENOENT (a hole in the range) or -ENOMEM (splitting a large
 * page); after an error the rights are as before.
 */
int vmm_protect(vaddr_t va, size_t len, unsigned prot);
/* Translate.  0 and *@pa (may be NULL), or -ENOENT.  Context: any. */
int vmm_translate(vaddr_t va, paddr_t *pa);

/* One step of a page walk, for `vmmap`, `pte` and fault reports. */
struct vmm_walk {
	unsigned levels;	/* entries read: 1-4 */
	pte_t entry[4];		/* PML4E, PDPTE, PDE, PTE */
	paddr_t table[4];	/* the table each was read from */
	bool present;		/* the walk reached a page */
	uint64_t page_size;	/* when present */
	paddr_t pa;		/* when present */
	bool write, user, exec; /* what all levels together allow, when present */
	unsigned type;		/* index in MSR_PAT, when present; pat_name() names it */
};
void vmm_walk(vaddr_t va, struct vmm_walk *out); /* context: any */
/* The same in the tables whose PML4 is at @table; ends early where a table cannot be read. */
void vmm_walk_from(paddr_t table, vaddr_t va, struct vmm_walk *out);

/*
 * Call @fn for each run of pages with equal rights and type that is mapped at or above @from, in
 * address order, until it returns false.  What changes meanwhile is seen as it was or as it is.
 */
struct vmm_region {
	vaddr_t start, end; /* the end of the address space is 0 */
	paddr_t pa;	    /* of the first page */
	pte_t flags;	    /* PTE_W, PTE_U, PTE_NX as they effectively are; PTE_G of the leaf */
	unsigned type;	    /* index in MSR_PAT */
	uint64_t page_size;
};
void vmm_for_each_region(vaddr_t from, bool (*fn)(void *arg, const struct vmm_region *r),
			 void *arg);

/*
 * Map physical memory that is not RAM.  Any alignment.  NULL when space is short, or when part of it
 * is RAM or mapped with another cache type now (which the log then says).  To be given back with
 * vmm_unmap_mmio().
 *   vmm_map_device	@type is VM_UC (registers), VM_WC (pixels), VM_WT or VM_UC_MINUS
 *   vmm_map_mmio	the same with VM_UC
 *   vmm_map_firmware	tables that firmware left: cached, read-only; may be RAM
 *   vmm_map_as_is	to look at anything: the type that it is mapped with now, else VM_UC
 */
void *vmm_map_device(paddr_t pa, size_t len, unsigned type);
void *vmm_map_mmio(paddr_t pa, size_t len);
void *vmm_map_firmware(paddr_t pa, size_t len);
void *vmm_map_as_is(paddr_t pa, size_t len);
void vmm_unmap_mmio(void *va, size_t len);

/*
 * Pages of kernel memory, contiguous virtually, zeroed; @len rounded up to pages.  NULL when short.
 */
void *vmm_alloc(size_t len);
void vmm_free(void *va, size_t len);

/*
 * A thread stack of KSTACK_SIZE bytes with unmapped guard pages below and above it, filled with
 * KSTACK_FILL (mm/kstack.h); returns its lowest byte, or NULL.
 */
void *kstack_alloc(void);
void kstack_free(void *stack);
/* Is @va inside a guard page of a kernel stack? */
bool kstack_is_guard(vaddr_t va);

/*
 * Read or write @len bytes at any kernel address without faulting: 0, or -EFAULT if part is
 * unmapped (or read-only).
 */
int vmm_probe_read(void *dst, vaddr_t src, size_t len);
int vmm_probe_write(vaddr_t dst, const void *src, size_t len);
