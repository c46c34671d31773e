/*
 * cmd_mem.c - commands about memory: mem, vmmap, pte.
 */
#include <kern/boot_trace.h>
#include <kern/init.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/image.h>
#include <mm/sections.h>
#include <mm/vmm.h>
#include <x86/cpu.h>
#include "cmds.h"

/* --- mem ----------------------------------------------------------------------------------------- */

static void
print_heap(void)
{
	struct slab_info info;
	size_t large, count, bytes = 0, pages = 0;

	sh_printf("\nKernel heap      OBJECT SIZE   IN USE     ROOM   PAGES  USED\n");
	for (size_t i = 0; slab_info(i, &info); i++) {
		bytes += info.in_use * info.object_size;
		pages += info.pages;
		if (info.pages == 0)
			continue;
		sh_printf("  %-16s %9zu %8zu %8zu %7zu  %s\n", info.name, info.object_size,
			  info.in_use, info.capacity, info.pages,
			  size_text(info.in_use * info.object_size).s);
	}
	kmalloc_large_stats(&large, &count);
	sh_printf("  all caches                                   %7zu  %s\n", pages,
		  size_text(bytes).s);
	sh_printf("  large blocks               %8zu                   %s\n", count,
		  size_text(large).s);
}

/* The symbols that linker.ld sets between the kernel's sections. */
static void
print_section(const char *name, const char *rights, const uint8_t *start, const uint8_t *end)
{
	sh_printf("  %016lx - %016lx  %-10s %-4s %s\n", (uint64_t)start, (uint64_t)end,
		  size_text((uint64_t)(end - start)).s, rights, name);
}

static void
print_area(const char *name, uint64_t start, uint64_t size)
{
	sh_printf("  %016lx - %016lx  %-10s      %s\n", start, start + size, size_text(size).s,
		  name);
}

static void
print_kernel_map(void)
{
	sh_printf("\nKernel's half of the address space (vmmap shows what is mapped in it)\n");
	print_area("direct map of all RAM", DIRECT_MAP_BASE, DIRECT_MAP_SIZE);
	print_area("stacks, devices, buffers", KERNEL_MAP_BASE, KERNEL_MAP_SIZE);
	print_section("kernel code", "r-x", kernel_text_start, kernel_text_end);
	print_section("kernel constants", "r--", kernel_rodata_start, kernel_rodata_end);
	print_section("kernel data", "rw-", kernel_data_start, kernel_data_end);
	print_section("symbol table", "r--", kernel_ksyms_start, kernel_ksyms_end);
	print_section("start-up code", "", kernel_init_text_start, kernel_init_text_end);
	print_section("start-up data", "", kernel_init_data_start, kernel_init_data_end);
	sh_printf("  given back after the start: %s\n", size_text(init_released()).s);
}

int
cmd_mem(int argc, char **argv)
{
	if (argc > 1)
		return cmd_mem_heap(argc, argv);
	mem_print_frames();
	print_heap();
	print_kernel_map();
	return 0;
}

/* --- vmmap --------------------------------------------------------------------------------------- */

/* The address in an entry, as printf's %lx wants it. */
static uint64_t
pte_addr(pte_t e)
{
	return e & PTE_ADDR;
}

/* "rwx" as the page's user sees it, and u (user), g (global). */
static struct size_text
rights_text(pte_t e)
{
	struct size_text t;

	snprintf(t.s, sizeof(t.s), "r%c%c%c%c", e & PTE_W ? 'w' : '-', e & PTE_NX ? '-' : 'x',
		 e & PTE_U ? 'u' : '-', e & PTE_G ? 'g' : '-');
	return t;
}

static const char *
page_size_text(uint64_t size)
{
	return size == GIB(1) ? "1G" : size == MIB(2) ? "2M" : "4K";
}

static const char *
area_name(vaddr_t va)
{
	if (va >= (vaddr_t)kernel_text_start && va < (vaddr_t)kernel_text_end)
		return "kernel code";
	if (va >= (vaddr_t)kernel_rodata_start && va < (vaddr_t)kernel_rodata_end)
		return "constants";
	if (va >= (vaddr_t)kernel_data_start && va < (vaddr_t)kernel_data_end)
		return "kernel data";
	if (va >= (vaddr_t)kernel_ksyms_start && va < (vaddr_t)kernel_ksyms_end)
		return "symbols";
	if (va >= DIRECT_MAP_BASE && va < DIRECT_MAP_BASE + DIRECT_MAP_SIZE)
		return "direct map";
	if (va >= KERNEL_MAP_BASE && va < KERNEL_MAP_BASE + KERNEL_MAP_SIZE)
		return "kernel map";
	return va < DIRECT_MAP_BASE ? "user half" : "";
}

#define BATCH 32
struct region_batch {
	struct vmm_region r[BATCH];
	size_t n;
};

static bool
take_region(void *arg, const struct vmm_region *r)
{
	struct region_batch *b = arg;

	b->r[b->n++] = *r;
	return b->n < BATCH;
}

/* In batches: the walk must not be held up by a pager waiting for a key. */
static void
print_regions(void)
{
	static struct region_batch b;
	uint64_t total = 0, count = 0;
	vaddr_t from = 0;

	sh_printf("START            END              SIZE     PAGE RIGHTS TYPE PHYSICAL WHAT\n");
	do {
		b.n = 0;
		vmm_for_each_region(from, take_region, &b);
		for (size_t i = 0; i < b.n && !sh_interrupted(); i++) {
			const struct vmm_region *r = &b.r[i];

			sh_printf("%016lx-%016lx %-9s %s %s %-3s %-10lx %s\n", r->start, r->end,
				  size_text(r->end - r->start).s, page_size_text(r->page_size),
				  rights_text(r->flags).s, pat_name(r->type), r->pa,
				  r->type != PAT_WB ? "device" : area_name(r->start));
			total += r->end - r->start;
			count++;
			from = r->end;
		}
	} while (b.n == BATCH && from != 0 && !sh_interrupted());
	sh_printf(
		"%lu regions, %s mapped.  Rights: r read, w write, x execute, u user,\n"
		"g global; type: how it is cached (pte says more).  vmmap ADDR walks the tables.\n",
		count, size_text(total).s);
}

static void
print_walk(vaddr_t va)
{
	static const char *const names[] = {"PML4E", "PDPTE", "PDE", "PTE"};
	struct vmm_walk w;

	vmm_walk(va, &w);
	if (!va_canonical(va)) {
		sh_printf("%016lx is not canonical: bits 63-48 must all equal bit 47\n", va);
		return;
	}
	sh_printf("%016lx  %s\n", va, sym_text(va).s[0] ? sym_text(va).s : area_name(va));
	sh_printf("LEVEL  TABLE AT      INDEX  ENTRY             LEADS TO      RIGHTS\n");
	for (unsigned i = 0; i < w.levels; i++) {
		const pte_t e = w.entry[i];

		sh_printf("%-5s  %012lx    %3u  %016lx  ", names[i], w.table[i],
			  pte_index(va, 4 - i), e);
		if (e & PTE_P)
			sh_printf("%012lx  %s%s\n", pte_addr(e), rights_text(e).s,
				  i + 1 == w.levels && i < 3 ? ", large page" : "");
		else
			sh_printf("not present\n");
	}
	if (w.present)
		sh_printf("physical address %#lx, in a page of %s, cache type %s (PAT entry %u)\n",
			  w.pa, size_text(w.page_size).s, pat_name(w.type), w.type);
	else
		sh_printf("not mapped\n");
}

int
cmd_vmmap(int argc, char **argv)
{
	uint64_t va;

	if (argc > 2)
		return -EINVAL;
	if (argc == 1) {
		print_regions();
		return 0;
	}
	if (!arg_address(argv[1], &va))
		return -EINVAL;
	print_walk(va);
	return 0;
}

/* --- pte ----------------------------------------------------------------------------------------- */

/* Which bit is PAT depends on the level, which a value alone does not tell. */
static void
print_type(pte_t e)
{
	const unsigned small = pat_index(e, false), large = pat_index(e, true);

	sh_printf("In short: %s; cache type %s (PAT entry %u)", rights_text(e).s, pat_name(small),
		  small);
	if (e & PTE_PS)
		sh_printf(" in a PTE,\n%s (PAT entry %u) in a PDE or PDPTE", pat_name(large),
			  large);
	sh_printf(".\n");
}

int
cmd_pte(int argc, char **argv)
{
	/* Spec: Intel SDM vol. 3A, "4-Level Paging", tables of the entry formats. */
	static const struct bit_name bits[] = {
		{0, 1, "P", "present: the other bits count only if this is 1"},
		{1, 1, "R/W", "may be written (0: read-only)"},
		{2, 1, "U/S", "user code may reach it (0: kernel only)"},
		{3, 1, "PWT", "caching: write-through, with PAT chooses the memory type"},
		{4, 1, "PCD", "caching off: for device registers"},
		{5, 1, "A", "accessed: set by the CPU when it uses the entry"},
		{6, 1, "D", "dirty: set by the CPU at the first write to the page"},
		{7, 1, "PS/PAT", "in a PDPTE or PDE: a 1 GiB or 2 MiB page; in a PTE: PAT"},
		{8, 1, "G", "global: stays in the TLB when CR3 changes"},
		{9, 3, "AVL", "free for the kernel"},
		{12, 1, "PAT", "in a PDPTE or PDE with PS: PAT; else part of the address"},
		{59, 4, "PKEY", "protection key (if CR4.PKE)"},
		{63, 1, "XD", "no execution (if EFER.NXE)"},
	};
	uint64_t value;

	if (argc != 2)
		return -EINVAL;
	if (!arg_number(argv[1], &value))
		return -EINVAL;
	sh_printf("entry %016lx\n    BIT  VAL  NAME     MEANING\n", value);
	print_bits(bits, ARRAY_SIZE(bits), value);
	sh_printf("  51-12  %#lx: the page or the next table", pte_addr(value));
	if (value & PTE_PS)
		sh_printf("\n         as a 2 MiB page: %#lx", pte_addr(value) & ~0x1fffffUL);
	sh_printf("\n");
	if ((value & PTE_P) == 0)
		sh_printf("Not present: a use of it is a page fault.\n");
	else
		print_type(value);
	return 0;
}
