/*
 * aspace_tables.h - inside mm/: the page tables of programs, for aspace*.c.  aspace.lock is held.
 */
#pragma once
#include <mm/aspace.h>
#include <mm/tables.h>

/* A page that may not be touched (PROT_NONE) stays, in an entry that is not present. */
#define PTE_KEPT BIT(9)

static inline bool
shows_page(pte_t e)
{
	return (e & (PTE_P | PTE_KEPT)) != 0;
}

/* The entry of the page of @va; tables above it are made if @make.  NULL: none, or no memory. */
pte_t *aspace_entry(struct aspace *as, vaddr_t va, bool make);
/*
 * The entry of @va, or of the first page behind it, below @end, whose page table is there; *@va moves to
 * that.  It and those that follow up to the end of the table may be used as an array.  NULL: none.
 */
pte_t *aspace_next_entry(struct aspace *as, vaddr_t *va, vaddr_t end);
/* Entries left in the table of which @va's is one, and below @end. */
static inline size_t
entries_left(vaddr_t va, vaddr_t end)
{
	const vaddr_t table_end = ALIGN_DOWN(va, level_size(LEVEL_PD)) + level_size(LEVEL_PD);

	return (MIN(end, table_end) - va) / PAGE_SIZE;
}
/* All pages of [start, end) go. */
void aspace_zap(struct aspace *as, vaddr_t start, vaddr_t end);
/* The bits of an entry for a page of @v, writable or not. */
pte_t aspace_bits(const struct vma *v, bool writable);
/* After entries of [start, end) lost rights. */
void aspace_flush(const struct aspace *as, vaddr_t start, vaddr_t end);
/* Give back what aspace_entry() made, and the topmost table; the pages are gone already. */
void aspace_free_tables(struct aspace *as);
/* [to, to + len) shows what [from, from + len) did, which shows it no more.  0; -ENOMEM, and nothing moved. */
int aspace_move_pages(struct aspace *as, vaddr_t from, vaddr_t to, size_t len);

/* --- ranges (aspace.c) ------------------------------------------------------------------------ */

/* The first range that ends behind @va, or NULL. */
struct vma *aspace_find_from(struct aspace *as, vaddr_t va);
struct vma *aspace_next(struct aspace *as, struct vma *v);
/* Cut the range that @va lies within in two there.  0 or -ENOMEM. */
int aspace_split(struct aspace *as, vaddr_t va);
/* @v, whose end is that of a mapping, becomes one with its neighbours where they are alike; the one it is in now. */
struct vma *aspace_merge(struct aspace *as, struct vma *v);
void aspace_insert(struct aspace *as, struct vma *v);
/* Out of the list, its object given back, freed; its pages are gone already. */
void aspace_remove(struct aspace *as, struct vma *v);
