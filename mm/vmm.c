/*
 * vmm.c - the kernel's page tables: built once, then changed by map, unmap and protect.
 *
 * One PML4 with the layout of mm/layout.h.  Tables are frames reached through the direct map.  The
 * lower half of the PML4 is for user space; tables there carry PTE_U, those of the upper half
 * never do, so a single wrong leaf entry cannot open the kernel.  Tables of the upper half, once
 * made, stay: the walks of vmm_walk.c need no lock for that reason.
 *
 * INVLPG and CR3: an entry that was not present is cached by no TLB, so making it present needs
 * nothing; every other change is followed by INVLPG, here and nowhere else.  With more CPUs this is
 * the file where the shootdown goes.  Spec: Intel SDM vol. 3A, "4-Level Paging", "Invalidation of
 * TLBs and Paging-Structure Caches".
 */
#include <mm/vmm.h>
#include <kern/spinlock.h>
#include <mm/image.h>
#include <mm/kstack.h>
#include <mm/pmm.h>
#include <mm/tables.h>
#include <x86/cpu.h>

#define LEVEL_PT   1
#define LEVEL_PD   2
#define LEVEL_PDPT 3
#define LEVEL_PML4 4

static struct spinlock vmm_lock = SPINLOCK_INIT("vmm");
static paddr_t kernel_pml4;	 /* [I] */
static unsigned max_level;	 /* [I] largest leaf: 3 with 1 GiB pages, else 2 */
static pte_t nx_bit, global_bit; /* [I] 0 where the CPU lacks them */

static inline uint64_t
level_size(unsigned level)
{
	return PAGE_SIZE << (9 * (level - 1));
}

static inline pte_t *
table_at(paddr_t pa)
{
	return phys_to_virt(pa);
}

static inline bool
is_leaf(pte_t e, unsigned level)
{
	return level == LEVEL_PT || (e & PTE_PS) != 0;
}

static pte_t
leaf_flags(unsigned prot, unsigned level)
{
	pte_t f = PTE_P | PTE_A | PTE_D; /* preset: the CPU need not write them back */

	if (prot & VM_WRITE)
		f |= PTE_W;
	if (prot & VM_USER)
		f |= PTE_U;
	if (prot & VM_GLOBAL)
		f |= global_bit;
	if ((prot & VM_EXEC) == 0)
		f |= nx_bit;
	if (prot & VM_UNCACHED)
		f |= PTE_PCD |
		     PTE_PWT; /* PAT entry 3, UC at reset.  SDM vol. 3A, "Programming the PAT" */
	if (level > LEVEL_PT)
		f |= PTE_PS;
	return f;
}

/*
 * The entry that decides about @va: a leaf, or the first one not present.  *@level says where it
 * is.
 */
static pte_t *
find_entry(vaddr_t va, unsigned *level)
{
	pte_t *e = table_at(kernel_pml4) + pte_index(va, LEVEL_PML4);

	for (*level = LEVEL_PML4; *level > LEVEL_PT; (*level)--) {
		if ((*e & PTE_P) == 0 || (*level < LEVEL_PML4 && is_leaf(*e, *level)))
			break;
		e = table_at(*e & PTE_ADDR) + pte_index(va, *level - 1);
	}
	return e;
}

/* The entry for @va at @level, tables above it made as needed; NULL when memory is short. */
static pte_t *
make_entry(vaddr_t va, unsigned level)
{
	const pte_t flags = PTE_P | PTE_W | PTE_A | (va < DIRECT_MAP_BASE ? PTE_U : 0);
	pte_t *e = table_at(kernel_pml4) + pte_index(va, LEVEL_PML4);

	for (unsigned at = LEVEL_PML4; at > level; at--) {
		if ((*e & PTE_P) == 0) {
			const paddr_t table = pmm_alloc_zeroed();

			if (table == PADDR_NONE)
				return NULL;
			*e = table | flags;
		}
		assert(!(at < LEVEL_PML4 && is_leaf(*e, at))); /* callers split or check first */
		e = table_at(*e & PTE_ADDR) + pte_index(va, at - 1);
	}
	return e;
}

/* Replace the large page in *@e by a table of the next smaller pages with the same rights. */
static int
split(pte_t *e, unsigned level, vaddr_t va)
{
	const paddr_t table = pmm_alloc();
	const pte_t old = *e;
	const paddr_t base = old & PTE_ADDR & ~(level_size(level) - 1);
	pte_t flags =
		old & (PTE_P | PTE_W | PTE_U | PTE_PWT | PTE_PCD | PTE_A | PTE_D | PTE_G | PTE_NX);

	if (table == PADDR_NONE)
		return -ENOMEM;
	if (level - 1 > LEVEL_PT)
		flags |= PTE_PS;
	for (unsigned i = 0; i < 512; i++)
		table_at(table)[i] = (base + i * level_size(level - 1)) | flags;
	*e = table | PTE_P | PTE_W | PTE_A | (old & PTE_U);
	invlpg(va);
	return 0;
}

/* Make sure that no large page reaches across @va, so that a change can begin or end there. */
static int
split_at_locked(vaddr_t va)
{
	for (;;) {
		unsigned level;
		pte_t *e = find_entry(va, &level);

		if ((*e & PTE_P) == 0 || IS_ALIGNED(va, level_size(level)))
			return 0;
		if (split(e, level, va) != 0)
			return -ENOMEM;
	}
}

/* Largest level that fits at @va and @pa with @len left. */
static unsigned
best_level(vaddr_t va, paddr_t pa, uint64_t len)
{
	unsigned level = max_level;

	while (level > LEVEL_PT &&
	       (len < level_size(level) || !IS_ALIGNED(va | pa, level_size(level))))
		level--;
	return level;
}

/* Is nothing mapped in [va, va+len)? */
static bool
range_empty_locked(vaddr_t va, size_t len)
{
	const vaddr_t last = va + len - 1;

	for (;;) {
		unsigned level;
		const pte_t *e = find_entry(va, &level);
		const vaddr_t entry_last = va | (level_size(level) - 1);

		if (*e & PTE_P)
			return false;
		if (entry_last >= last)
			return true;
		va = entry_last + 1;
	}
}

static void
unmap_locked(vaddr_t va, size_t len)
{
	const vaddr_t last = va + len - 1;

	for (;;) {
		unsigned level;
		pte_t *e = find_entry(va, &level);
		const vaddr_t entry_last = va | (level_size(level) - 1);

		if (*e & PTE_P) {
			*e = 0;
			invlpg(va);
		}
		if (entry_last >= last)
			return;
		va = entry_last + 1;
	}
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

/* Nothing is mapped there.  A large page cannot replace a table that exists: fall to its level. */
static int
map_locked(vaddr_t va, paddr_t pa, size_t len, unsigned prot)
{
	size_t done = 0;

	while (done < len) {
		unsigned found;
		const unsigned best = best_level(va + done, pa + done, len - done);
		size_t n;

		(void)find_entry(va + done, &found);
		n = map_in_table(va + done, pa + done, len - done, MIN(best, found), prot);
		if (n == 0) {
			if (done > 0)
				unmap_locked(va, done);
			return -ENOMEM;
		}
		done += n;
	}
	return 0;
}

/*
 * Page-aligned, canonical, not empty, not across the hole, no page writable and executable at once.
 */
static bool
args_ok(vaddr_t va, paddr_t pa, size_t len, unsigned prot)
{
	return IS_ALIGNED(va | pa | len, PAGE_SIZE) && len > 0 && va_canonical(va) &&
	       va_canonical(va + len - 1) && va <= va + (len - 1) &&
	       va >> 63 == (va + len - 1) >> 63 &&
	       (prot & (VM_WRITE | VM_EXEC)) != (VM_WRITE | VM_EXEC) &&
	       !((prot & VM_USER) != 0 && va >> 63 != 0);
}

int
vmm_map(vaddr_t va, paddr_t pa, size_t len, unsigned prot)
{
	uint64_t flags;
	int result = -EEXIST;

	if (!args_ok(va, pa, len, prot))
		return -EINVAL;
	flags = spin_lock(&vmm_lock);
	if (range_empty_locked(va, len))
		result = map_locked(va, pa, len, prot);
	spin_unlock(&vmm_lock, flags);
	return result;
}

void
vmm_unmap(vaddr_t va, size_t len)
{
	uint64_t flags;

	assert(args_ok(va, 0, len, VM_READ));
	flags = spin_lock(&vmm_lock);
	if (split_at_locked(va) != 0 || split_at_locked(va + len) != 0) {
		spin_unlock(&vmm_lock, flags);
		panic("vmm_unmap: no memory to split the large page at %#lx", va);
	}
	unmap_locked(va, len);
	spin_unlock(&vmm_lock, flags);
}

/* Change the leaves of [va, last]; all are present and none reaches beyond. */
static void
protect_locked(vaddr_t va, vaddr_t last, unsigned prot)
{
	for (;;) {
		unsigned level;
		pte_t *e = find_entry(va, &level);
		const vaddr_t entry_last = va | (level_size(level) - 1);

		*e = (*e & PTE_ADDR & ~(level_size(level) - 1)) | leaf_flags(prot, level);
		invlpg(va);
		if (entry_last >= last)
			return;
		va = entry_last + 1;
	}
}

static bool
range_full_locked(vaddr_t va, vaddr_t last)
{
	for (;;) {
		unsigned level;
		const pte_t *e = find_entry(va, &level);
		const vaddr_t entry_last = va | (level_size(level) - 1);

		if ((*e & PTE_P) == 0)
			return false;
		if (entry_last >= last)
			return true;
		va = entry_last + 1;
	}
}

int
vmm_protect(vaddr_t va, size_t len, unsigned prot)
{
	uint64_t flags;
	int result = 0;

	if (!args_ok(va, 0, len, prot))
		return -EINVAL;
	flags = spin_lock(&vmm_lock);
	if (!range_full_locked(va, va + len - 1))
		result = -ENOENT;
	else if (split_at_locked(va) != 0 || split_at_locked(va + len) != 0)
		result = -ENOMEM;
	else
		protect_locked(va, va + len - 1, prot);
	spin_unlock(&vmm_lock, flags);
	return result;
}

int
vmm_translate(vaddr_t va, paddr_t *pa)
{
	struct vmm_walk w;

	if (!va_canonical(va))
		return -ENOENT;
	vmm_walk(va, &w);
	if (!w.present)
		return -ENOENT;
	if (pa != NULL)
		*pa = w.pa;
	return 0;
}

/* --- single pages, for kmap.c and kstack.c ----------------------------------------------- */

int
vmm_map_page(vaddr_t va, paddr_t pa, unsigned prot)
{
	const uint64_t flags = spin_lock(&vmm_lock);
	pte_t *e = make_entry(va, LEVEL_PT);

	if (e != NULL) {
		assert((*e & PTE_P) == 0);
		*e = pa | leaf_flags(prot, LEVEL_PT);
	}
	spin_unlock(&vmm_lock, flags);
	return e != NULL ? 0 : -ENOMEM;
}

paddr_t
vmm_unmap_page(vaddr_t va)
{
	const uint64_t flags = spin_lock(&vmm_lock);
	unsigned level;
	pte_t *e = find_entry(va, &level);
	paddr_t pa = PADDR_NONE;

	if ((*e & PTE_P) != 0 && level == LEVEL_PT) {
		pa = *e & PTE_ADDR;
		*e = 0;
		invlpg(va);
	}
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
vmm_populate(vaddr_t va, size_t len)
{
	for (vaddr_t a = va; a < va + len; a += PAGE_SIZE) {
		const paddr_t pa = pmm_alloc();

		if (pa == PADDR_NONE || vmm_map_page(a, pa, VM_WRITE | VM_GLOBAL) != 0) {
			if (pa != PADDR_NONE)
				pmm_free(pa);
			vmm_unmap_and_free(va, a - va);
			return -ENOMEM;
		}
	}
	return 0;
}

/* --- the first tables -------------------------------------------------------------------- */

static int
map_section(const uint8_t *start, const uint8_t *end, unsigned prot)
{
	const vaddr_t va = (vaddr_t)start;

	if (start == end)
		return 0;
	return map_locked(va, va - KERNEL_VMA, (size_t)(end - start), prot | VM_GLOBAL);
}

static int
map_kernel_image(void)
{
	int r = map_section(kernel_text_start, kernel_text_end, VM_EXEC);

	if (r == 0)
		r = map_section(kernel_rodata_start, kernel_rodata_end, VM_READ);
	if (r == 0)
		r = map_section(kernel_data_start, kernel_data_end, VM_WRITE);
	if (r == 0)
		r = map_section(kernel_ksyms_start, kernel_ksyms_end, VM_READ);
	if (r == 0)
		r = map_locked(VGA_TEXT_VA, VGA_TEXT_PHYS, VGA_TEXT_SIZE,
			       VM_WRITE | VM_UNCACHED | VM_GLOBAL);
	return r;
}

/*
 * One range of RAM; what holds kernel text and constants only readable, so that W^X has no back
 * door.
 */
static void
map_ram(void *arg, paddr_t start, paddr_t end)
{
	const paddr_t ro_start = virt_to_phys(kernel_text_start);
	const paddr_t ro_end = virt_to_phys(kernel_rodata_end);
	int *result = arg;

	while (start < end && *result == 0) {
		unsigned prot = VM_WRITE | VM_GLOBAL;
		paddr_t stop = end;

		if (start < ro_start) {
			stop = MIN(end, ro_start);
		} else if (start < ro_end) {
			stop = MIN(end, ro_end);
			prot = VM_GLOBAL;
		}
		*result = map_locked(DIRECT_MAP_BASE + start, start, stop - start, prot);
		start = stop;
	}
}

int
vmm_init(void)
{
	int result;

	/* The loader says where the image lies; the linker knows.  Both must mean the same. */
	assert(!pmm_is_free(virt_to_phys(kernel_text_start)));
	assert(!pmm_is_free(virt_to_phys(kernel_ksyms_end) - PAGE_SIZE));

	max_level = cpu_features.page1g ? LEVEL_PDPT : LEVEL_PD;
	nx_bit = cpu_features.nx ? PTE_NX : 0;
	global_bit = cpu_features.pge ? PTE_G : 0;
	kernel_pml4 = pmm_alloc_zeroed();
	if (kernel_pml4 == PADDR_NONE)
		return -ENOMEM;
	result = map_kernel_image();
	if (result == 0)
		pmm_for_each_range(map_ram, &result);
	if (result != 0)
		return result;

	write_cr3(kernel_pml4);
	pmm_use_direct_map(DIRECT_MAP_BASE);
	direct_map_base = DIRECT_MAP_BASE;
	kstack_init();
	pmm_release_boot();
	return 0;
}
