/*
 * vmm.h - the kernel's page tables and kernel mappings.
 *
 * Implementation: mm/vmm.c (tables), mm/kmap.c (address ranges).  W^X: a mapping is never both
 * writable and executable.  Context: any but interrupt handlers, unless said otherwise.
 */
#pragma once
#include <kern/base.h>
#include <x86/pte.h>

enum vm_prot {
	VM_READ = 0,
	VM_WRITE = 1 << 0,
	VM_EXEC = 1 << 1,
	VM_USER = 1 << 2,
	VM_UNCACHED = 1 << 3, /* for device registers */
	VM_GLOBAL = 1 << 4,
};

/* Leave the loader's tables for our own; switch phys_to_virt() to the direct map.  0 or -ENOMEM. */
int vmm_init(void);

/*
 * Map [va, va+len) to [pa, pa+len), page-aligned, with the largest pages that fit.  Returns 0,
 * -EINVAL (unaligned, W and X together), -EEXIST (something is mapped there; nothing was
 * changed) or -ENOMEM.
 */
int vmm_map(vaddr_t va, paddr_t pa, size_t len, unsigned prot);
/* Remove; what was not mapped is skipped.  Frames are the caller's to free. */
void vmm_unmap(vaddr_t va, size_t len);
/*
 * Change the rights of what is mapped.  0, -EINVAL, -ENOENT (a hole in the range) or -ENOMEM
 * (splitting a large page).
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
};
void vmm_walk(vaddr_t va, struct vmm_walk *out); /* context: any */

/*
 * Call @fn for each run of pages with equal rights that is mapped at or above @from, in address
 * order, until it returns false.
 */
struct vmm_region {
	vaddr_t start, end;
	paddr_t pa;  /* of the first page */
	pte_t flags; /* rights of the leaf entry: PTE_W, PTE_U, PTE_NX as they effectively are */
	uint64_t page_size;
};
void vmm_for_each_region(vaddr_t from, bool (*fn)(void *arg, const struct vmm_region *r),
			 void *arg);

/*
 * Map device memory or firmware tables uncached / cached.  Any alignment.  NULL when space is
 * short.
 */
void *vmm_map_mmio(paddr_t pa, size_t len);
void *vmm_map_firmware(paddr_t pa, size_t len);
void vmm_unmap_mmio(void *va, size_t len);

/*
 * Pages of kernel memory, contiguous virtually, zeroed; @len rounded up to pages.  NULL when short.
 */
void *vmm_alloc(size_t len);
void vmm_free(void *va, size_t len);

/*
 * A thread stack of KSTACK_SIZE bytes with an unmapped guard page below it; returns its lowest
 * byte, or NULL.
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
