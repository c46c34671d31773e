/*
 * vmm_walk.c - reading the page tables: walks, regions, and access to memory that may not be there.
 *
 * Everything starts from CR3, so it also tells the truth about the loader's tables, early in the
 * boot.  No lock: tables of the kernel half never go away once made (vmm.c), and one entry is read
 * in one access.
 */
#include <mm/vmm.h>
#include <lib/string.h>
#include <mm/pmm.h>
#include <x86/cpu.h>

static inline uint64_t
level_size(unsigned level)
{
	return PAGE_SIZE << (9 * (level - 1));
}

static inline pte_t
read_entry(paddr_t table, unsigned index)
{
	return ((const volatile pte_t *)phys_to_virt(table))[index];
}

void
vmm_walk(vaddr_t va, struct vmm_walk *out)
{
	paddr_t table = read_cr3() & PTE_ADDR;

	*out = (struct vmm_walk){.write = true, .user = true, .exec = true};
	for (unsigned level = 4; level >= 1; level--) {
		const pte_t e = read_entry(table, pte_index(va, level));
		const uint64_t size = level_size(level);

		out->table[out->levels] = table;
		out->entry[out->levels++] = e;
		if ((e & PTE_P) == 0)
			return;
		out->write &= (e & PTE_W) != 0;
		out->user &= (e & PTE_U) != 0;
		out->exec &= (e & PTE_NX) == 0;
		if (level == 1 || (level < 4 && (e & PTE_PS) != 0)) {
			out->present = true;
			out->page_size = size;
			out->pa = (e & PTE_ADDR & ~(size - 1)) | (va & (size - 1));
			return;
		}
		table = e & PTE_ADDR;
	}
}

/* --- regions ----------------------------------------------------------------------------- */

struct region_walk {
	vaddr_t from;
	bool (*fn)(void *arg, const struct vmm_region *r);
	void *arg;
	struct vmm_region run; /* being collected */
	bool open;	       /* a run is being collected */
};

static bool
flush_run(struct region_walk *w)
{
	const bool had = w->open;

	w->open = false;
	return !had || w->fn(w->arg, &w->run);
}

static bool
add_page(struct region_walk *w, vaddr_t va, paddr_t pa, uint64_t size, pte_t flags)
{
	struct vmm_region *r = &w->run;

	/* The end of a run at the top of the address space is 0: nothing can follow it. */
	if (w->open && r->end == va && r->flags == flags && r->page_size == size) {
		r->end = va + size;
		return true;
	}
	if (!flush_run(w))
		return false;
	*r = (struct vmm_region){
		.start = va, .end = va + size, .pa = pa, .flags = flags, .page_size = size};
	w->open = true;
	return true;
}

/*
 * Tables that end below w->from are never entered.  @above: W, U and NX as the levels above leave
 * them.
 */
static bool
walk_table(struct region_walk *w, paddr_t table, unsigned level, vaddr_t base, pte_t above)
{
	const uint64_t size = level_size(level);
	unsigned i = base < w->from ? pte_index(w->from, level) : 0;

	for (; i < 512; i++) {
		const pte_t e = read_entry(table, i);
		const vaddr_t va = base + i * size;
		pte_t rights;

		if ((e & PTE_P) == 0)
			continue;
		rights = (above & e & (PTE_W | PTE_U)) | ((above | e) & PTE_NX);
		if (level == 1 || (e & PTE_PS) != 0) {
			rights |= e & (PTE_P | PTE_G | PTE_PCD | PTE_PWT);
			if (!add_page(w, va, e & PTE_ADDR & ~(size - 1), size, rights))
				return false;
		} else if (!walk_table(w, e & PTE_ADDR, level - 1, va, rights)) {
			return false;
		}
	}
	return true;
}

void
vmm_for_each_region(vaddr_t from, bool (*fn)(void *arg, const struct vmm_region *r), void *arg)
{
	struct region_walk w = {.from = from, .fn = fn, .arg = arg};
	const paddr_t pml4 = read_cr3() & PTE_ADDR;

	for (unsigned i = pte_index(from, 4); i < 512; i++) {
		const pte_t e = read_entry(pml4, i);
		/* Bit 47 is the sign: the upper half's addresses begin with ones. */
		const vaddr_t va = (vaddr_t)((int64_t)((uint64_t)i << 55) >> 16);

		if ((e & PTE_P) != 0 &&
		    !walk_table(&w, e & PTE_ADDR, 3, va, e & (PTE_W | PTE_U | PTE_NX)))
			return;
	}
	(void)flush_run(&w);
}

/* --- careful access ---------------------------------------------------------------------- */

/* How many of the @len bytes at @va can be accessed in one go; 0 if the first cannot. */
static size_t
accessible(vaddr_t va, size_t len, bool write, bool *user)
{
	struct vmm_walk w;

	if (!va_canonical(va))
		return 0;
	vmm_walk(va, &w);
	if (!w.present || (write && !w.write))
		return 0;
	*user = w.user;
	return MIN(len, w.page_size - (va & (w.page_size - 1)));
}

/* Device registers care about the width of an access: 1, 2, 4, 8 aligned bytes go as one. */
static void
copy_exact(void *dst, const void *src, size_t len)
{
	const uintptr_t both = (uintptr_t)dst | (uintptr_t)src;

	if (len == 8 && IS_ALIGNED(both, 8))
		*(volatile uint64_t *)dst = *(const volatile uint64_t *)src;
	else if (len == 4 && IS_ALIGNED(both, 4))
		*(volatile uint32_t *)dst = *(const volatile uint32_t *)src;
	else if (len == 2 && IS_ALIGNED(both, 2))
		*(volatile uint16_t *)dst = *(const volatile uint16_t *)src;
	else
		memcpy(dst, src, len);
}

static int
probe_copy(vaddr_t va, uint8_t *buf, size_t len, bool write)
{
	while (len > 0) {
		bool user = false;
		const size_t n = accessible(va, len, write, &user);
		const bool window = user && (read_cr4() & CR4_SMAP) != 0;

		if (n == 0)
			return -EFAULT;
		if (window)
			stac();
		if (write)
			copy_exact((void *)va, buf, n);
		else
			copy_exact(buf, (const void *)va, n);
		if (window)
			clac();
		va += n;
		buf += n;
		len -= n;
	}
	return 0;
}

int
vmm_probe_read(void *dst, vaddr_t src, size_t len)
{
	return probe_copy(src, dst, len, false);
}

int
vmm_probe_write(vaddr_t dst, const void *src, size_t len)
{
	/* The cast drops const for a buffer that probe_copy() only reads when it writes to @dst. */
	return probe_copy(dst, (uint8_t *)(uintptr_t)src, len, true);
}
