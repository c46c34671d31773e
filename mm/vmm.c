/*
 * vmm.c - the kernel's page tables, changed by map, unmap and protect.
 *
 * One PML4 with the layout of mm/layout.h.  Tables are frames reached through the direct map.  The
 * lower half of the PML4 is for user space; tables there carry PTE_U, those of the upper half
 * never do, so a single wrong leaf entry cannot open the kernel.
 *
 * A large page is split when a part of it changes, and made again when vmm_protect() has made its
 * parts alike.  A table is given back in two cases: a large page takes the place of its 512 equal
 * entries, or of 512 empty ones.  So nobody may follow an entry to a table without vmm_lock, or at
 * least interrupts off (vmm_walk.c): with one CPU that keeps everybody else out, and with more the
 * shootdown that precedes the freeing would wait for the walker.
 *
 * Every change of an entry that was present is followed by a flush (tlb.c) before the lock is
 * released.  Spec: Intel SDM vol. 3A, "4-Level Paging", "Invalidation of TLBs and
 * Paging-Structure Caches".
 */
#include <mm/vmm.h>
#include <kern/spinlock.h>
#include <mm/fail.h>
#include <mm/pmm.h>
#include <mm/tables.h>
#include <mm/tlb.h>

#define TYPE_BITS (PTE_PWT | PTE_PCD) /* and PAT, whose place depends on the level */

static struct spinlock vmm_lock = SPINLOCK_INIT("vmm");
pte_t *vmm_root;
unsigned vmm_max_level;
static paddr_t kernel_pml4;	       /* [I] */
static pte_t leaf_bits[VM_PROT_LIMIT]; /* [I] entry of a 4 KiB page at 0, by rights and type */

/* --- entries ------------------------------------------------------------------------------ */

static inline pte_t
leaf_flags(unsigned prot, unsigned level)
{
	const pte_t f = leaf_bits[prot];

	return level == LEVEL_PT ? f : to_large(f);
}

/* Accessed and dirty are preset: the CPU need not write them back, and equal pages look alike. */
static pte_t INIT
make_leaf_bits(unsigned prot, pte_t nx, pte_t global)
{
	pte_t f = PTE_P | PTE_A | PTE_D | pat_bits(prot >> VM_TYPE_SHIFT);

	if (prot & VM_WRITE)
		f |= PTE_W;
	if (prot & VM_USER)
		f |= PTE_U;
	if (prot & VM_GLOBAL)
		f |= global;
	if ((prot & VM_EXEC) == 0)
		f |= nx;
	return f;
}

void
vmm_tables_init(paddr_t pml4, unsigned large, pte_t nx, pte_t global)
{
	assert(large >= LEVEL_PT && large <= LEVEL_PDPT);
	kernel_pml4 = pml4;
	vmm_root = phys_to_virt(pml4);
	vmm_max_level = large;
	for (unsigned prot = 0; prot < VM_PROT_LIMIT; prot++)
		leaf_bits[prot] = make_leaf_bits(prot, nx, global);
}

paddr_t
vmm_kernel_pml4(void)
{
	return kernel_pml4;
}

void
vmm_tables_moved(uint64_t delta)
{
	vmm_root = (pte_t *)((uintptr_t)vmm_root + delta);
}

pte_t *
vmm_find_entry(vaddr_t va, unsigned *level)
{
	pte_t *e = vmm_root + pte_index(va, LEVEL_PML4);
	unsigned at = LEVEL_PML4;

	while (at > LEVEL_PT && is_table(*e)) {
		at--;
		e = table_at(*e) + pte_index(va, at);
	}
	*level = at;
	return e;
}

pte_t *
vmm_entry_at(vaddr_t va, unsigned level)
{
	pte_t *e = vmm_root + pte_index(va, LEVEL_PML4);

	for (unsigned at = LEVEL_PML4; at > level; at--) {
		if (!is_table(*e))
			return NULL;
		e = table_at(*e) + pte_index(va, at - 1);
	}
	return e;
}

static bool
make_table(pte_t *e, vaddr_t va)
{
	const paddr_t table = fail_now(FAIL_TABLE) ? PADDR_NONE : pmm_alloc_zeroed(PMM_PAGE_TABLE);

	if (table == PADDR_NONE)
		return false;
	*e = table | PTE_P | PTE_W | PTE_A | (va < DIRECT_MAP_BASE ? PTE_U : 0);
	return true;
}

/*
 * The entry for @va at @level, tables above it made as needed, or the present large page that stands
 * in the way; NULL when memory is short.
 */
static pte_t *
make_entry(vaddr_t va, unsigned level)
{
	pte_t *e = vmm_root + pte_index(va, LEVEL_PML4);

	for (unsigned at = LEVEL_PML4; at > level; at--) {
		if (unlikely(!is_table(*e))) {
			if (*e & PTE_P)
				return e;
			if (!make_table(e, va))
				return NULL;
		}
		e = table_at(*e) + pte_index(va, at - 1);
	}
	return e;
}

int
vmm_make_table(vaddr_t va)
{
	return make_entry(va, LEVEL_PDPT) != NULL ? 0 : -ENOMEM;
}

/* The same for a page table's entry where the table is there; else NULL.  The fast way of one page. */
static inline pte_t *
pt_entry(vaddr_t va)
{
	pte_t *e = vmm_root + pte_index(va, LEVEL_PML4);

	if (unlikely(!is_table(*e)))
		return NULL;
	e = table_at(*e) + pte_index(va, LEVEL_PDPT);
	if (unlikely(!is_table(*e)))
		return NULL;
	e = table_at(*e) + pte_index(va, LEVEL_PD);
	if (unlikely(!is_table(*e)))
		return NULL;
	return table_at(*e) + pte_index(va, LEVEL_PT);
}

/* Map one page where nothing is.  0, -EEXIST or -ENOMEM. */
static inline int
map_one_locked(vaddr_t va, pte_t entry)
{
	pte_t *e = pt_entry(va);

	if (unlikely(e == NULL)) {
		e = make_entry(va, LEVEL_PT);
		if (e == NULL)
			return -ENOMEM;
	}
	if (unlikely(*e & PTE_P))
		return -EEXIST;
	*e = entry;
	return 0;
}

/* Clear page table entry @e of @va; returns the frame it showed, PADDR_NONE if none. */
static inline paddr_t
unmap_one_locked(pte_t *e, vaddr_t va)
{
	const pte_t old = *e;

	if ((old & PTE_P) == 0)
		return PADDR_NONE;
	*e = 0;
	tlb_flush_page(va);
	return old & PTE_ADDR;
}

/* --- ranges ------------------------------------------------------------------------------- */

/* Largest level that fits at @va and @pa with @len left. */
static unsigned
best_level(vaddr_t va, paddr_t pa, uint64_t len)
{
	unsigned level = vmm_max_level;

	while (level > LEVEL_PT &&
	       (len < level_size(level) || !IS_ALIGNED(va | pa, level_size(level))))
		level--;
	return level;
}

/* Is everything in [va, last] mapped (@present), or nothing? */
static bool
range_is_locked(vaddr_t va, vaddr_t last, bool present)
{
	for (;;) {
		unsigned level;
		const pte_t *e = vmm_find_entry(va, &level);
		const vaddr_t entry_last = va | (level_size(level) - 1);

		if (((*e & PTE_P) != 0) != present)
			return false;
		if (entry_last >= last)
			return true;
		va = entry_last + 1;
	}
}

/* No page reaches beyond [va, last]. */
static void
unmap_locked(vaddr_t va, vaddr_t last)
{
	unsigned removed = 0;

	for (;;) {
		unsigned level;
		pte_t *e = vmm_find_entry(va, &level);
		const vaddr_t entry_last = va | (level_size(level) - 1);

		if (*e & PTE_P) {
			*e = 0;
			if (++removed <= TLB_PAGES_MAX)
				tlb_flush_page(va);
		}
		if (entry_last >= last)
			break;
		va = entry_last + 1;
	}
	if (removed > TLB_PAGES_MAX)
		tlb_flush_all();
}

/*
 * Fill entries of one table, from the one for @va on, with pages of @level: to the table's end, the
 * end of [va, va+len), or an entry that is taken by a table of smaller pages.  Returns the bytes
 * mapped, 0 when memory is short.
 */
static size_t
map_in_table(vaddr_t va, paddr_t pa, size_t len, unsigned level, unsigned prot)
{
	const uint64_t size = level_size(level);
	const pte_t flags = leaf_flags(prot, level);
	pte_t *e = make_entry(va, level);
	size_t done = 0;

	if (e == NULL)
		return 0;
	do {
		*e++ = (pa + done) | flags;
		done += size;
	} while (len - done >= size && pte_index(va + done, level) != 0 && (*e & PTE_P) == 0);
	return done;
}

/* Nothing is mapped there.  After -ENOMEM nothing is, either; tables made on the way stay. */
static int
map_locked(vaddr_t va, paddr_t pa, size_t len, unsigned prot)
{
	size_t done = 0;

	while (done < len) {
		const unsigned best = best_level(va + done, pa + done, len - done);
		const size_t n = map_in_table(va + done, pa + done, len - done,
					      vmm_make_room(va + done, best), prot);

		if (n == 0) {
			if (done > 0)
				unmap_locked(va, va + done - 1);
			return -ENOMEM;
		}
		done += n;
	}
	return 0;
}

/* Change the leaves of [va, last]; all are present and none reaches beyond. */
static void
protect_locked(vaddr_t va, vaddr_t last, unsigned prot)
{
	unsigned changed = 0;

	for (;;) {
		unsigned level;
		pte_t *e = vmm_find_entry(va, &level);
		const vaddr_t entry_last = va | (level_size(level) - 1);
		const pte_t type = TYPE_BITS | (level == LEVEL_PT ? PTE_PAT4K : PTE_PAT_LARGE);

		*e = leaf_addr(*e, level) | (*e & type) | leaf_flags(prot, level);
		if (++changed <= TLB_PAGES_MAX)
			tlb_flush_page(va);
		if (entry_last >= last)
			break;
		va = entry_last + 1;
	}
	if (changed > TLB_PAGES_MAX)
		tlb_flush_all();
}

/* --- the public functions ----------------------------------------------------------------- */

/* Page-aligned, canonical, not empty, not across the hole, no page writable and executable at once. */
static bool
args_ok(vaddr_t va, paddr_t pa, size_t len, unsigned prot)
{
	const vaddr_t last = va + len - 1;

	return IS_ALIGNED(va | pa | len, PAGE_SIZE) && len > 0 && va <= last && va_canonical(va) &&
	       va_canonical(last) && va >> 63 == last >> 63 && (pa + len - 1) <= PTE_ADDR + 0xfff &&
	       pa + len - 1 >= pa && prot < VM_PROT_LIMIT && prot >> VM_TYPE_SHIFT < PAT_TYPES &&
	       (prot & (VM_WRITE | VM_EXEC)) != (VM_WRITE | VM_EXEC) &&
	       !((prot & VM_USER) != 0 && va >> 63 != 0);
}

struct overlap {
	paddr_t start, end;
	bool found;
};

static void
note_overlap(void *arg, paddr_t start, paddr_t end)
{
	struct overlap *o = arg;

	o->found |= start < o->end && o->start < end;
}

/* RAM is in the direct map, cached: two types for one page would make its contents a matter of luck. */
static bool
is_ram(paddr_t pa, size_t len)
{
	struct overlap o = {pa, pa + len, false};

	pmm_for_each_range(note_overlap, &o);
	return o.found;
}

int
vmm_map(vaddr_t va, paddr_t pa, size_t len, unsigned prot)
{
	int result = -EEXIST;
	uint64_t flags;

	if (!args_ok(va, pa, len, prot))
		return -EINVAL;
	if ((prot & VM_TYPE_MASK) != VM_WB && is_ram(pa, len))
		return -EBUSY;
	flags = spin_lock(&vmm_lock);
	if (len == PAGE_SIZE)
		result = map_one_locked(va, pa | leaf_bits[prot]);
	else if (range_is_locked(va, va + len - 1, false))
		result = map_locked(va, pa, len, prot);
	spin_unlock(&vmm_lock, flags);
	return result;
}

int
vmm_unmap(vaddr_t va, size_t len)
{
	pte_t *e = NULL;
	uint64_t flags;
	int result = 0;

	assert(args_ok(va, 0, len, VM_READ));
	flags = spin_lock(&vmm_lock);
	if (len == PAGE_SIZE)
		e = pt_entry(va);
	if (e != NULL) {
		(void)unmap_one_locked(e, va);
	} else if (vmm_split_at(va) != 0 || vmm_split_at(va + len) != 0) {
		vmm_merge(va, va + len - 1);
		result = -ENOMEM;
	} else {
		unmap_locked(va, va + len - 1);
	}
	spin_unlock(&vmm_lock, flags);
	return result;
}

int
vmm_protect(vaddr_t va, size_t len, unsigned prot)
{
	uint64_t flags;
	int result = 0;

	if (!args_ok(va, 0, len, prot) || (prot & VM_TYPE_MASK) != 0)
		return -EINVAL;
	flags = spin_lock(&vmm_lock);
	if (!range_is_locked(va, va + len - 1, true))
		result = -ENOENT;
	else if (vmm_split_at(va) != 0 || vmm_split_at(va + len) != 0)
		result = -ENOMEM;
	else
		protect_locked(va, va + len - 1, prot);
	if (result != -ENOENT)
		vmm_merge(va, va + len - 1);
	spin_unlock(&vmm_lock, flags);
	return result;
}

/* --- single pages, for kmap.c and kstack.c ------------------------------------------------ */

int
vmm_map_page(vaddr_t va, paddr_t pa, unsigned prot)
{
	const uint64_t flags = spin_lock(&vmm_lock);
	const int result = map_one_locked(va, pa | leaf_bits[prot]);

	spin_unlock(&vmm_lock, flags);
	assert(result != -EEXIST);
	return result;
}

paddr_t
vmm_unmap_page(vaddr_t va)
{
	const uint64_t flags = spin_lock(&vmm_lock);
	pte_t *e = pt_entry(va);
	const paddr_t pa = e != NULL ? unmap_one_locked(e, va) : PADDR_NONE;

	spin_unlock(&vmm_lock, flags);
	return pa;
}

void
vmm_unmap_and_free(vaddr_t va, size_t len)
{
	for (vaddr_t a = va; a < va + len; a += PAGE_SIZE) {
		const paddr_t pa = vmm_unmap_page(a);

		if (pa != PADDR_NONE)
			pmm_free(pa);
	}
}

int
vmm_populate(vaddr_t va, size_t len, enum pmm_owner owner)
{
	for (vaddr_t a = va; a < va + len; a += PAGE_SIZE) {
		const paddr_t pa = pmm_alloc(owner);

		if (pa == PADDR_NONE || vmm_map_page(a, pa, VM_WRITE | VM_GLOBAL) != 0) {
			if (pa != PADDR_NONE)
				pmm_free(pa);
			vmm_unmap_and_free(va, a - va);
			return -ENOMEM;
		}
	}
	return 0;
}
