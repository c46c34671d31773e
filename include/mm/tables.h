/*
 * tables.h - inside mm/: the page-table primitives that vmm.c shares with its neighbours.
 */
#pragma once
#include <kern/base.h>
#include <mm/pmm.h>
#include <x86/pte.h>

#define LEVEL_PT   1
#define LEVEL_PD   2
#define LEVEL_PDPT 3
#define LEVEL_PML4 4

#define TABLE_ENTRIES 512

/* Bytes that one entry of a table of @level stands for. */
static inline uint64_t
level_size(unsigned level)
{
	return PAGE_SIZE << (9 * (level - 1));
}

/* --- entries, for vmm.c and vmm_large.c; all of it with vmm.c's lock held ------------------- */

extern pte_t *vmm_root;	       /* [I] the PML4 */
extern unsigned vmm_max_level; /* [I] of a leaf: LEVEL_PDPT with 1 GiB pages, else LEVEL_PD */

static inline pte_t *
table_at(pte_t e)
{
	return phys_to_virt(e & PTE_ADDR);
}

static inline bool
is_table(pte_t e)
{
	return (e & (PTE_P | PTE_PS)) == PTE_P;
}

static inline bool
is_leaf(pte_t e, unsigned level)
{
	return level == LEVEL_PT || (e & PTE_PS) != 0;
}

static inline paddr_t
leaf_addr(pte_t e, unsigned level)
{
	return e & PTE_ADDR & ~(level_size(level) - 1);
}

/* The entry of a 4 KiB page as that of a larger one with the same rights and type, and back. */
static inline pte_t
to_large(pte_t e)
{
	return (e & ~PTE_PAT4K) | (e & PTE_PAT4K ? PTE_PAT_LARGE : 0) | PTE_PS;
}

static inline pte_t
to_small(pte_t e)
{
	return (e & ~(PTE_PS | PTE_PAT_LARGE)) | (e & PTE_PAT_LARGE ? PTE_PAT4K : 0);
}

/* The entry that decides about @va: a leaf, or the first one not present.  *@level says where. */
pte_t *vmm_find_entry(vaddr_t va, unsigned *level);
/* The entry for @va at @level, whatever it holds; NULL when the walk ends above. */
pte_t *vmm_entry_at(vaddr_t va, unsigned level);

/*
 * Make sure that no large page reaches across @va, so that a change can begin or end there.  0 or
 * -ENOMEM; what was split before memory ran out stays so until vmm_merge().
 */
int vmm_split_at(vaddr_t va);
/* Make large pages of what is alike in the tables that [va, last] touches; flushes as needed. */
void vmm_merge(vaddr_t va, vaddr_t last);
/* The level, @wanted at most, at which a page can go in at @va: empty tables below are removed. */
unsigned vmm_make_room(vaddr_t va, unsigned wanted);

/* --- tables ------------------------------------------------------------------------------- */

/*
 * Take @pml4, a zeroed frame, for the kernel's tables.  @large: the largest level at which a page
 * may be mapped (LEVEL_PT to LEVEL_PDPT).  @nx, @global: PTE_NX and PTE_G, or 0 where the CPU lacks
 * them.  Loads nothing into the CPU.
 */
void vmm_tables_init(paddr_t pml4, unsigned large, pte_t nx, pte_t global) INIT;
/* Tables are reached at an address higher by @delta from now on (direct map instead of identity). */
void vmm_tables_moved(uint64_t delta) INIT;

/* Make the table behind the PML4's entry for @va: it stays.  0 or -ENOMEM. */
int vmm_make_table(vaddr_t va);
/* Map one 4 KiB page of the kernel half that is not mapped now.  0 or -ENOMEM. */
int vmm_map_page(vaddr_t va, paddr_t pa, unsigned prot);
/* Unmap one 4 KiB page and return the frame it showed, PADDR_NONE if none. */
paddr_t vmm_unmap_page(vaddr_t va);
/* Give the frames behind [va, va+len) back and unmap it. */
void vmm_unmap_and_free(vaddr_t va, size_t len);
/* Fill [va, va+len) with new frames of @owner.  0, or -ENOMEM with nothing mapped. */
int vmm_populate(vaddr_t va, size_t len, enum pmm_owner owner);
