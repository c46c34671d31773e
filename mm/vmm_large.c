/*
 * vmm_large.c - large pages: taken apart when a part changes, made again when the parts are alike.
 *
 * Everything here is called with vmm.c's lock held.  None of it changes what an address means; what
 * changes is the number of translations that the CPU needs for it, and the frames that tables take.
 * Spec: Intel SDM vol. 3A, "Details of TLB Use" (one address, pages of two sizes in the TLB).
 */
#include <mm/fail.h>
#include <mm/pmm.h>
#include <mm/tables.h>
#include <mm/tlb.h>

/* Replace the large page in *@e by a table of the next smaller pages, alike. */
static int
split(pte_t *e, unsigned level, vaddr_t va)
{
	const paddr_t table = fail_now(FAIL_TABLE) ? PADDR_NONE : pmm_alloc(PMM_PAGE_TABLE);
	const paddr_t base = leaf_addr(*e, level);
	pte_t flags = *e & ~(PTE_ADDR & ~(pte_t)PTE_PAT_LARGE);

	if (table == PADDR_NONE)
		return -ENOMEM;
	if (level - 1 == LEVEL_PT)
		flags = to_small(flags);
	for (unsigned i = 0; i < TABLE_ENTRIES; i++)
		table_at(table)[i] = (base + i * level_size(level - 1)) | flags;
	*e = table | PTE_P | PTE_W | PTE_A | (*e & PTE_U);
	/* One INVLPG is enough: if the CPU has the page in parts, it knows that they belong together. */
	tlb_flush_page(va);
	return 0;
}

int
vmm_split_at(vaddr_t va)
{
	for (;;) {
		unsigned level;
		pte_t *e = vmm_find_entry(va, &level);

		if ((*e & PTE_P) == 0 || IS_ALIGNED(va, level_size(level)))
			return 0;
		if (split(e, level, va) != 0)
			return -ENOMEM;
	}
}

/*
 * If the 512 entries of the table in *@e map adjacent pages alike, put one page of @level in its
 * place and give the table back.  Everything is flushed, since the small translations may be cached.
 */
static bool
merge_table(pte_t *e, unsigned level)
{
	const paddr_t table = *e & PTE_ADDR;
	const pte_t *entries = table_at(*e);
	const pte_t first = entries[0];

	if ((first & PTE_P) == 0 || !is_leaf(first, level - 1) ||
	    !IS_ALIGNED(leaf_addr(first, level - 1), level_size(level)))
		return false;
	for (unsigned i = 1; i < TABLE_ENTRIES; i++) {
		if (entries[i] != first + i * level_size(level - 1))
			return false;
	}
	*e = level - 1 == LEVEL_PT ? to_large(first) : first;
	tlb_flush_all();
	pmm_free(table);
	return true;
}

/* Merge what can be merged around @va, from small to large. */
static void
merge_at_locked(vaddr_t va)
{
	for (unsigned level = LEVEL_PD; level <= vmm_max_level; level++) {
		pte_t *e = vmm_entry_at(va, level);

		if (e == NULL || (*e & PTE_P) == 0 ||
		    (!is_leaf(*e, level) && !merge_table(e, level)))
			return;
	}
}

void
vmm_merge(vaddr_t va, vaddr_t last)
{
	for (;;) {
		const vaddr_t block_last = va | (level_size(LEVEL_PD) - 1);

		merge_at_locked(va);
		if (block_last >= last)
			return;
		va = block_last + 1;
	}
}

/* A table without a single entry stands in the way of a large page: away with it. */
static bool
drop_empty_table(pte_t *e)
{
	const paddr_t table = *e & PTE_ADDR;

	for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
		if (table_at(*e)[i] & PTE_P)
			return false;
	}
	*e = 0;
	tlb_flush_all(); /* the entry itself is cached, though no translation is */
	pmm_free(table);
	return true;
}

unsigned
vmm_make_room(vaddr_t va, unsigned wanted)
{
	unsigned found;

	(void)vmm_find_entry(va, &found);
	while (found < wanted) {
		if (!drop_empty_table(vmm_entry_at(va, found + 1)))
			return found;
		found++;
	}
	return wanted;
}
