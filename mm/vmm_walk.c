/*
 * vmm_walk.c - reading the page tables: walks, regions, and access to memory that may not be there.
 *
 * Everything starts from CR3, so it also tells the truth about the loader's tables, early in the
 * boot.  No lock, since a panic must be able to walk whoever holds it: interrupts are off from the
 * first entry to the last, and that is what vmm.c asks of those who follow an entry to a table.
 */
#include <mm/vmm.h>
#include <lib/string.h>
#include <mm/pmm.h>
#include <mm/tables.h>
#include <x86/cpu.h>
#include <x86/fault.h>

/*
 * One entry of the walk that fault reports make: its table may be anywhere, or the direct map be
 * gone.  False if it cannot be read.
 */
static bool
read_entry_safely(paddr_t table, unsigned index, pte_t *out)
{
	return safe_read64((uint64_t)phys_to_virt(table) + index * sizeof(pte_t), out);
}

/* Interrupts are off. */
static void
walk(vaddr_t va, struct vmm_walk *out)
{
	vmm_walk_from(read_cr3() & PTE_ADDR, va, out);
}

void
vmm_walk_from(paddr_t table, vaddr_t va, struct vmm_walk *out)
{
	*out = (struct vmm_walk){.write = true, .user = true, .exec = true};
	for (unsigned level = LEVEL_PML4; level >= LEVEL_PT; level--) {
		const uint64_t size = level_size(level);
		pte_t e;

		if (!read_entry_safely(table, pte_index(va, level), &e))
			return;
		out->table[out->levels] = table;
		out->entry[out->levels++] = e;
		if ((e & PTE_P) == 0)
			return;
		out->write &= (e & PTE_W) != 0;
		out->user &= (e & PTE_U) != 0;
		out->exec &= (e & PTE_NX) == 0;
		if (level == LEVEL_PT || (level < LEVEL_PML4 && (e & PTE_PS) != 0)) {
			out->present = true;
			out->page_size = size;
			out->pa = (e & PTE_ADDR & ~(size - 1)) | (va & (size - 1));
			out->type = pat_index(e, level > LEVEL_PT);
			return;
		}
		table = e & PTE_ADDR;
	}
}

void
vmm_walk(vaddr_t va, struct vmm_walk *out)
{
	const uint64_t flags = irq_save();

	walk(va, out);
	irq_restore(flags);
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

/* --- regions ----------------------------------------------------------------------------- */

/* The page of @w, which holds @va, as a region of its own. */
static struct vmm_region
region_of(vaddr_t va, const struct vmm_walk *w)
{
	const vaddr_t start = ALIGN_DOWN(va, w->page_size);

	return (struct vmm_region){
		.start = start,
		.end = start + w->page_size,
		.pa = w->pa - (va - start),
		.flags = PTE_P | (w->write ? PTE_W : 0) | (w->user ? PTE_U : 0) |
			 (w->exec ? 0 : PTE_NX) | (w->entry[w->levels - 1] & PTE_G),
		.type = w->type,
		.page_size = w->page_size,
	};
}

/* Make @page part of @run, if it continues it.  The run that ends at the top ends at 0. */
static bool
extend(struct vmm_region *run, const struct vmm_region *page)
{
	if (run->page_size != page->page_size || run->end != page->start ||
	    run->flags != page->flags || run->type != page->type)
		return false;
	run->end = page->end;
	return true;
}

/* One entry at a time, each walk from the root: tables may come and go in between. */
void
vmm_for_each_region(vaddr_t from, bool (*fn)(void *arg, const struct vmm_region *r), void *arg)
{
	struct vmm_region run = {.page_size = 0}; /* none yet */
	vaddr_t va = va_canonical(from) ? from : DIRECT_MAP_BASE;

	do {
		struct vmm_walk w;
		struct vmm_region page;

		vmm_walk(va, &w);
		if (w.present) {
			page = region_of(va, &w);
			if (!extend(&run, &page)) {
				if (run.page_size != 0 && !fn(arg, &run))
					return;
				run = page;
			}
		}
		va |= level_size(LEVEL_PML4 + 1 - w.levels) - 1;
		va++;
		if (!va_canonical(va))
			va = DIRECT_MAP_BASE;
	} while (va != 0);
	if (run.page_size != 0)
		(void)fn(arg, &run);
}

/* --- careful access ---------------------------------------------------------------------- */

/* Interrupts are off.  How many of the @len bytes at @va can be accessed in one go; 0 if the first cannot. */
static size_t
accessible(vaddr_t va, size_t len, bool write, bool *user)
{
	struct vmm_walk w;

	if (!va_canonical(va))
		return 0;
	walk(va, &w);
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

/* Interrupts are off: what is mapped now stays so.  Returns the bytes copied, 0 if none can be. */
static size_t
copy_some(vaddr_t va, uint8_t *buf, size_t len, bool write)
{
	bool user = false;
	const size_t n = accessible(va, len, write, &user);
	const bool window = user && (read_cr4() & CR4_SMAP) != 0;

	if (n == 0)
		return 0;
	if (window)
		stac();
	if (write)
		copy_exact((void *)va, buf, n);
	else
		copy_exact(buf, (const void *)va, n);
	if (window)
		clac();
	return n;
}

static int
probe_copy(vaddr_t va, uint8_t *buf, size_t len, bool write)
{
	while (len > 0) {
		const uint64_t flags = irq_save();
		const size_t n = copy_some(va, buf, MIN(len, PAGE_SIZE), write);

		irq_restore(flags);
		if (n == 0)
			return -EFAULT;
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
