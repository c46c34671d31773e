/*
 * aspace_tables.c - page tables of programs: found, filled, emptied, copied.
 *
 * Programs have pages of 4 KiB only.  A walk looks for a page table once and then goes along its entries.
 * A page that a program sees is held once for each entry that shows it (mm/frame.h).
 */
#include "aspace_tables.h"
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/kmalloc.h>
#include <mm/tlb.h>
#include <x86/cpu.h>

#define FIRST_TABLES	 12 /* a small program needs about as many */
#define FLUSH_ONE_BY_ONE 32 /* pages; more, and all translations go */

/* A new page table.  It is remembered, so that at the end nobody has to look for it.  PADDR_NONE = no memory. */
static paddr_t
new_table(struct aspace *as)
{
	paddr_t pa;

	if (as->nr_tables == as->room) {
		const size_t room = as->room != 0 ? as->room * 2 : FIRST_TABLES;
		paddr_t *more = kmalloc(room * sizeof(*more));

		if (more == NULL)
			return PADDR_NONE;
		if (as->nr_tables > 0)
			memcpy(more, as->tables, as->nr_tables * sizeof(*more));
		kfree(as->tables);
		as->tables = more;
		as->room = room;
	}
	pa = pmm_alloc_zeroed(PMM_PAGE_TABLE);
	if (pa != PADDR_NONE)
		as->tables[as->nr_tables++] = pa;
	return pa;
}

pte_t *
aspace_entry(struct aspace *as, vaddr_t va, bool make)
{
	pte_t *e = table_at(as->pml4) + pte_index(va, LEVEL_PML4);

	for (unsigned level = LEVEL_PML4; level > LEVEL_PT; level--) {
		if ((*e & PTE_P) == 0) {
			const paddr_t pa = make ? new_table(as) : PADDR_NONE;

			if (pa == PADDR_NONE)
				return NULL;
			*e = pa | PTE_P | PTE_W | PTE_U | PTE_A;
		}
		e = table_at(*e) + pte_index(va, level - 1);
	}
	return e;
}

pte_t *
aspace_next_entry(struct aspace *as, vaddr_t *va, vaddr_t end)
{
	while (*va < end) {
		pte_t *e = table_at(as->pml4) + pte_index(*va, LEVEL_PML4);
		unsigned level = LEVEL_PML4;

		while (level > LEVEL_PT && (*e & PTE_P) != 0) {
			level--;
			e = table_at(*e) + pte_index(*va, level);
		}
		if (level == LEVEL_PT)
			return e;
		*va = ALIGN_DOWN(*va, level_size(level)) + level_size(level);
	}
	return NULL;
}

pte_t
aspace_bits(const struct vma *v, bool writable)
{
	return PTE_P | PTE_U | PTE_A | (writable ? PTE_W | PTE_D : 0) |
	       (v->prot & PROT_EXEC || !cpu_features.nx ? 0 : PTE_NX);
}

void
aspace_flush(const struct aspace *as, vaddr_t start, vaddr_t end)
{
	if (!aspace_loaded(as))
		return; /* loading CR3 drops what programs had */
	if ((end - start) / PAGE_SIZE > FLUSH_ONE_BY_ONE) {
		write_cr3(as->pml4);
		return;
	}
	for (vaddr_t va = start; va < end; va += PAGE_SIZE)
		tlb_flush_page(va);
}

/* Frames that no entry shows any more, but which the CPU may still know under [start, end). */
struct gone {
	paddr_t frames[FLUSH_ONE_BY_ONE];
	size_t nr;
	vaddr_t start, end;
};

/* First the translations go, then the frames: somebody else may have them at once. */
static void
let_go(struct aspace *as, struct gone *g)
{
	if (g->nr == 0)
		return;
	aspace_flush(as, g->start, g->end);
	frame_put_all(g->frames, g->nr);
	as->resident -= g->nr;
	g->nr = 0;
}

void
aspace_zap(struct aspace *as, vaddr_t start, vaddr_t end)
{
	struct gone g = {.nr = 0};
	vaddr_t va = start;
	pte_t *e;

	while ((e = aspace_next_entry(as, &va, end)) != NULL) {
		for (size_t n = entries_left(va, end); n > 0; n--, e++, va += PAGE_SIZE) {
			if (!shows_page(*e))
				continue;
			if (g.nr == 0)
				g.start = va;
			g.frames[g.nr++] = *e & PTE_ADDR;
			g.end = va + PAGE_SIZE;
			*e = 0;
			if (g.nr == ARRAY_SIZE(g.frames))
				let_go(as, &g);
		}
	}
	let_go(as, &g);
}

/* The page tables for what [from, from + len) shows, at @to.  0 or -ENOMEM. */
static int
make_tables(struct aspace *as, vaddr_t from, vaddr_t to, size_t len)
{
	vaddr_t va = from;
	pte_t *e;

	while ((e = aspace_next_entry(as, &va, from + len)) != NULL) {
		for (size_t n = entries_left(va, from + len); n > 0; n--, e++, va += PAGE_SIZE) {
			if (shows_page(*e) && aspace_entry(as, to + (va - from), true) == NULL)
				return -ENOMEM;
		}
	}
	return 0;
}

int
aspace_move_pages(struct aspace *as, vaddr_t from, vaddr_t to, size_t len)
{
	vaddr_t va = from;
	pte_t *e;

	if (make_tables(as, from, to, len) != 0)
		return -ENOMEM; /* nothing has moved */
	while ((e = aspace_next_entry(as, &va, from + len)) != NULL) {
		for (size_t n = entries_left(va, from + len); n > 0; n--, e++, va += PAGE_SIZE) {
			if (!shows_page(*e))
				continue;
			*aspace_entry(as, to + (va - from), false) = *e;
			*e = 0;
		}
	}
	aspace_flush(as, from, from + len);
	return 0;
}

int
aspace_peek(struct aspace *as, vaddr_t va, void *buf, size_t n)
{
	const pte_t *e;
	int result = -EFAULT;

	mutex_lock(&as->lock);
	e = aspace_entry(as, va, false);
	if (e != NULL && (*e & PTE_P) != 0) {
		memcpy(buf, (const uint8_t *)phys_to_virt(*e & PTE_ADDR) + va % PAGE_SIZE, n);
		result = 0;
	}
	mutex_unlock(&as->lock);
	return result;
}

bool
aspace_resident(struct aspace *as, vaddr_t va)
{
	const pte_t *e;
	bool there;

	mutex_lock(&as->lock);
	e = aspace_entry(as, va, false);
	there = e != NULL && shows_page(*e);
	mutex_unlock(&as->lock);
	return there;
}

void
aspace_free_tables(struct aspace *as)
{
	for (size_t i = 0; i < as->nr_tables; i++)
		pmm_free(as->tables[i]);
	kfree(as->tables);
	pmm_free(as->pml4);
}
