/*
 * test_tlb.c - page tables as the CPU sees them: nothing stale after a change, large pages, types.
 */
#include "tests.h"
#include <kern/cmdline.h>
#include <kern/parse.h>
#include <kern/selftest.h>
#include <kern/thread.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/pmm.h>
#include <mm/tables.h>
#include <mm/vmm.h>
#include <x86/cpu.h>
#include <x86/trap.h>

#define BASE	   (KERNEL_MAP_BASE + KERNEL_MAP_SIZE - GIB(4)) /* behind all that kmap gave out */
#define VGA_PIXELS 0xa0000 /* not RAM, and not used in text mode */
#define NOWHERE	   GIB(64) /* a physical address that is mapped but never touched */

static void
read_word(void *p)
{
	(void)*(volatile uint64_t *)p;
}

static void
write_word(void *p)
{
	*(volatile uint64_t *)p = 0;
}

static uint64_t
word_at(vaddr_t va)
{
	return *(volatile uint64_t *)va;
}

static uint64_t
page_size_at(vaddr_t va)
{
	struct vmm_walk w;

	vmm_walk(va, &w);
	return w.present ? w.page_size : 0;
}

/*
 * Map, use (the TLB has it then), take away: the use must fault.  Map something else there: that must
 * be seen.  Protect: a write must fault.  @size is a page's.
 */
static void
check_nothing_stale(uint64_t size, unsigned prot)
{
	const size_t nr = size / PAGE_SIZE;
	const paddr_t one = pmm_alloc_range(PMM_TEST, nr, size, 0),
		      two = pmm_alloc_range(PMM_TEST, nr, size, 0);
	const vaddr_t last = BASE + size - PAGE_SIZE;

	CHECK(one != PADDR_NONE && two != PADDR_NONE);
	*(uint64_t *)phys_to_virt(one + size - PAGE_SIZE) = 1;
	*(uint64_t *)phys_to_virt(two + size - PAGE_SIZE) = 2;
	CHECK_EQ(vmm_map(BASE, one, size, prot | VM_WRITE), 0);
	CHECK_EQ(page_size_at(BASE), size);
	CHECK_EQ(word_at(last), 1);
	CHECK_EQ(vmm_unmap(BASE, size), 0);
	CHECK_EQ(selftest_catch(read_word, (void *)last), TRAP_PF);
	CHECK_EQ(vmm_map(BASE, two, size, prot | VM_WRITE), 0);
	CHECK_EQ(word_at(last), 2);
	CHECK_EQ(selftest_catch(write_word, (void *)last), -1);
	CHECK_EQ(vmm_protect(BASE, size, prot | VM_READ), 0);
	CHECK_EQ(selftest_catch(write_word, (void *)last), TRAP_PF);
	CHECK_EQ(word_at(last), 0);
	CHECK_EQ(vmm_unmap(BASE, size), 0);
	CHECK_EQ(selftest_catch(read_word, (void *)last), TRAP_PF);
	pmm_free_range(one, nr);
	pmm_free_range(two, nr);
}

void
test_tlb_small(void)
{
	check_nothing_stale(PAGE_SIZE, 0);
}

void
test_tlb_small_global(void)
{
	check_nothing_stale(PAGE_SIZE, VM_GLOBAL);
}

void
test_tlb_large(void)
{
	check_nothing_stale(MIB(2), 0);
	check_nothing_stale(MIB(2), VM_GLOBAL);
}

/* More pages than are forgotten one by one. */
void
test_tlb_many(void)
{
	const paddr_t pa = pmm_alloc(PMM_TEST);
	const size_t nr = 100;

	CHECK(pa != PADDR_NONE);
	for (size_t i = 0; i < nr; i++)
		CHECK_EQ(vmm_map(BASE + i * PAGE_SIZE, pa, PAGE_SIZE, VM_WRITE | VM_GLOBAL), 0);
	for (size_t i = 0; i < nr; i++)
		(void)word_at(BASE + i * PAGE_SIZE);
	CHECK_EQ(vmm_protect(BASE, nr * PAGE_SIZE, VM_READ | VM_GLOBAL), 0);
	for (size_t i = 0; i < nr; i++)
		CHECK_EQ(selftest_catch(write_word, (void *)(BASE + i * PAGE_SIZE)), TRAP_PF);
	CHECK_EQ(vmm_unmap(BASE, nr * PAGE_SIZE), 0);
	for (size_t i = 0; i < nr; i++)
		CHECK_EQ(selftest_catch(read_word, (void *)(BASE + i * PAGE_SIZE)), TRAP_PF);
	pmm_free(pa);
}

/* A change of a part of a large page leaves the rest of it as it was, also in the TLB. */
void
test_tlb_split(void)
{
	const paddr_t pa = pmm_alloc_range(PMM_TEST, 512, MIB(2), 0);
	const vaddr_t hole = BASE + MIB(1);

	CHECK(pa != PADDR_NONE);
	memset(phys_to_virt(pa), 0x5a, MIB(2));
	CHECK_EQ(vmm_map(BASE, pa, MIB(2), VM_WRITE | VM_GLOBAL), 0);
	CHECK_EQ(word_at(hole), 0x5a5a5a5a5a5a5a5a);
	CHECK_EQ(vmm_unmap(hole, PAGE_SIZE), 0);
	CHECK_EQ(selftest_catch(read_word, (void *)hole), TRAP_PF);
	for (vaddr_t va = BASE; va < BASE + MIB(2); va += PAGE_SIZE) {
		if (va != hole)
			CHECK_EQ(word_at(va), 0x5a5a5a5a5a5a5a5a);
	}
	CHECK_EQ(page_size_at(hole - PAGE_SIZE), PAGE_SIZE);
	CHECK_EQ(vmm_unmap(BASE, MIB(2)), 0);
	CHECK_EQ(selftest_catch(read_word, (void *)(hole + PAGE_SIZE)), TRAP_PF);
	pmm_free_range(pa, 512);
}

/* Different rights split a page of @size, equal ones make it whole again and give the tables back. */
static void
check_merge(uint64_t size)
{
	const paddr_t pa = ALIGN_UP(NOWHERE, size);
	struct pmm_stats before, split, after;

	CHECK_EQ(vmm_map(BASE, pa, size, VM_WRITE), 0);
	CHECK_EQ(page_size_at(BASE), size);
	preempt_disable(); /* nobody else takes frames meanwhile */
	pmm_stats(&before);
	CHECK_EQ(vmm_protect(BASE + size / 2, PAGE_SIZE, VM_READ), 0);
	CHECK_EQ(page_size_at(BASE + size / 2), PAGE_SIZE);
	pmm_stats(&split);
	CHECK_EQ(vmm_protect(BASE + size / 2, PAGE_SIZE, VM_WRITE), 0);
	pmm_stats(&after);
	preempt_enable();
	CHECK_EQ(split.free, before.free - (size == MIB(2) ? 1 : 2));
	CHECK_EQ(after.free, before.free);
	CHECK_EQ(page_size_at(BASE + size / 2), size);
	CHECK_EQ(vmm_unmap(BASE, size), 0);
	CHECK_EQ(page_size_at(BASE), 0);
}

void
test_tlb_merge(void)
{
	check_merge(MIB(2));
	if (cpu_features.page1g)
		check_merge(GIB(1));
}

/* --- types -------------------------------------------------------------------------------- */

static unsigned
type_at(const void *va)
{
	struct vmm_walk w;

	vmm_walk((vaddr_t)va, &w);
	CHECK(w.present);
	return w.type;
}

void
test_tlb_types(void)
{
	const unsigned wc = cpu_features.pat ? PAT_WC : PAT_UC_MINUS;
	void *a = vmm_map_device(VGA_PIXELS, PAGE_SIZE, VM_WC), *b;
	const paddr_t ram = pmm_alloc(PMM_TEST);

	CHECK(a != NULL && ram != PADDR_NONE);
	CHECK_EQ(type_at(a), wc);
	CHECK_EQ(type_at((void *)VGA_TEXT_VA), wc);
	CHECK(strcmp(pat_name(PAT_WB), "WB") == 0 && strcmp(pat_name(PAT_UC), "UC") == 0);
	CHECK(strcmp(pat_name(wc), cpu_features.pat ? "WC" : "UC-") == 0);
	/* Another type for the same page, or one that shares it, is refused. */
	CHECK(vmm_map_mmio(VGA_PIXELS, PAGE_SIZE) == NULL);
	CHECK(vmm_map_firmware(VGA_PIXELS - 16, 32) == NULL);
	CHECK(vmm_map_mmio(VGA_TEXT_PHYS, 2) == NULL);
	b = vmm_map_as_is(VGA_PIXELS, 16);
	CHECK(b != NULL);
	CHECK_EQ(type_at(b), wc);
	vmm_unmap_mmio(b, 16);
	vmm_unmap_mmio(a, PAGE_SIZE);
	a = vmm_map_device(VGA_PIXELS, PAGE_SIZE, VM_WT); /* nobody has it any more */
	CHECK(a != NULL);
	CHECK_EQ(type_at(a), PAT_WT);
	vmm_unmap_mmio(a, PAGE_SIZE);
	/* RAM is in the direct map. */
	CHECK_EQ(vmm_map(BASE, ram, PAGE_SIZE, VM_UC), -EBUSY);
	CHECK(vmm_map_mmio(ram, PAGE_SIZE) == NULL);
	CHECK_EQ(vmm_map(BASE, ram, PAGE_SIZE, 7 << VM_TYPE_SHIFT), -EINVAL);
	pmm_free(ram);
}

/* The type survives splitting, merging and new rights, though its bits move. */
void
test_tlb_type_kept(void)
{
	struct vmm_walk w;

	CHECK_EQ(vmm_map(BASE, NOWHERE, MIB(2), VM_WRITE | VM_WC), 0);
	vmm_walk(BASE, &w);
	CHECK_EQ(w.page_size, MIB(2));
	CHECK_EQ(pat_bits(PAT_WC) != 0, (w.entry[2] & (PTE_PAT_LARGE | PTE_PCD)) != 0);
	CHECK_EQ(vmm_protect(BASE + MIB(1), PAGE_SIZE, VM_READ), 0);
	for (vaddr_t va = BASE; va < BASE + MIB(2); va += PAGE_SIZE) {
		vmm_walk(va, &w);
		CHECK_EQ(w.page_size, PAGE_SIZE);
		CHECK_EQ(w.pa, NOWHERE + va - BASE);
		CHECK_EQ(w.type, cpu_features.pat ? PAT_WC : PAT_UC_MINUS);
		CHECK_EQ(w.write, va != BASE + MIB(1));
	}
	CHECK_EQ(vmm_protect(BASE + MIB(1), PAGE_SIZE, VM_WRITE), 0);
	vmm_walk(BASE, &w);
	CHECK_EQ(w.page_size, MIB(2));
	CHECK_EQ(w.pa, NOWHERE);
	CHECK_EQ(w.type, cpu_features.pat ? PAT_WC : PAT_UC_MINUS);
	CHECK_EQ(vmm_unmap(BASE, MIB(2)), 0);
}

/* --- at random, against a model ------------------------------------------------------------ */

#define RANDOM_PAGES 2048 /* four tables' worth */
#define RANDOM_OPS   400

static uint8_t model[RANDOM_PAGES]; /* 0: not mapped, else 1 + rights */
static uint64_t random_state;

static uint64_t
random_below(uint64_t n)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (random_state >> 33) % n;
}

static void
check_model(void)
{
	for (unsigned i = 0; i < RANDOM_PAGES; i++) {
		struct vmm_walk w;

		vmm_walk(BASE + i * PAGE_SIZE, &w);
		CHECK_EQ(w.present, model[i] != 0);
		if (!w.present)
			continue;
		CHECK_EQ(w.pa, NOWHERE + i * PAGE_SIZE);
		CHECK_EQ(w.write, model[i] == 1 + VM_WRITE);
	}
}

static bool
all_mapped(unsigned first, unsigned nr, bool mapped)
{
	for (unsigned i = first; i < first + nr; i++) {
		if ((model[i] != 0) != mapped)
			return false;
	}
	return true;
}

static void
random_op(void)
{
	static const unsigned steps[] = {1, 1, 64, 512};
	const unsigned step = steps[random_below(ARRAY_SIZE(steps))];
	const unsigned first = (unsigned)random_below(RANDOM_PAGES / step) * step;
	const unsigned wanted = step * (1 + (unsigned)random_below(3));
	const unsigned nr = MIN(wanted, RANDOM_PAGES - first);
	const unsigned prot = random_below(2) ? VM_WRITE : VM_READ;
	const vaddr_t va = BASE + first * PAGE_SIZE;

	switch (random_below(3)) {
	case 0: {
		const bool free = all_mapped(first, nr, false);

		CHECK_EQ(vmm_map(va, NOWHERE + first * PAGE_SIZE, nr * PAGE_SIZE, prot),
			 free ? 0 : -EEXIST);
		if (free)
			memset(model + first, 1 + (int)prot, nr);
		break;
	}
	case 1: {
		const bool full = all_mapped(first, nr, true);

		CHECK_EQ(vmm_protect(va, nr * PAGE_SIZE, prot), full ? 0 : -ENOENT);
		if (full)
			memset(model + first, 1 + (int)prot, nr);
		break;
	}
	default: CHECK_EQ(vmm_unmap(va, nr * PAGE_SIZE), 0); memset(model + first, 0, nr);
	}
}

/* seed=N on the kernel's command line, else another one each time; printed, so that it can be had again. */
static uint64_t
choose_seed(void)
{
	char text[24];
	uint64_t seed = rdtsc();

	if (cmdline_get("seed", text, sizeof(text)) > 0)
		CHECK_EQ(parse_u64(text, 0, &seed), 0);
	printf("tlb.random: seed=%lu\n", seed);
	return seed;
}

void
test_tlb_random(void)
{
	random_state = choose_seed();
	memset(model, 0, sizeof(model));
	for (unsigned i = 0; i < RANDOM_OPS; i++) {
		random_op();
		if (i % 8 == 0)
			check_model();
	}
	check_model();
	CHECK_EQ(vmm_unmap(BASE, RANDOM_PAGES * PAGE_SIZE), 0);
}
