/*
 * test_vmm.c - the real page-table code over simulated memory and a simulated TLB, against a model.
 *
 * SOURCES: mm/vmm.c mm/vmm_large.c kernel/x86/pat.c kernel/lib/string.c kernel/lib/printf.c
 *
 * The TLB keeps what was ever looked up until it is told to forget it.  After every operation all
 * that it still has must be what the tables say: a flush that is missing is found without a CPU.
 */
#include "host.h"
#include <sys/mman.h>
#include "mm_shim.h"
#include <mm/pmm.h>
#include <mm/tables.h>
#include <mm/tlb.h>
#include <mm/vmm.h>
#include <x86/cpu.h>

#define NR_FRAMES 64
#define RAM_END	  MIB(16) /* what the direct map would show */
#define DEVICE	  GIB(8)
/* Across a boundary of 1 GiB: two page directories. */
#define BASE	  (KERNEL_MAP_BASE + GIB(2) - MIB(4))
#define PAGES	  2048U

struct cpu_features cpu_features = {.pat = true};
uint64_t direct_map_base;

/* --- frames ------------------------------------------------------------------------------- */

static uint8_t *arena;
static bool used[NR_FRAMES];
static unsigned nr_used;
static int fail_after = -1; /* allocations until one fails; -1: none does */

paddr_t
pmm_alloc(enum pmm_owner owner)
{
	assert_int_equal(owner & ~PMM_ID, PMM_TAKEN);
	if (fail_after == 0)
		return PADDR_NONE;
	if (fail_after > 0)
		fail_after--;
	for (unsigned i = 0; i < NR_FRAMES; i++) {
		if (!used[i]) {
			used[i] = true;
			nr_used++;
			memset(arena + i * PAGE_SIZE, 0xee, PAGE_SIZE);
			return i * PAGE_SIZE;
		}
	}
	return PADDR_NONE;
}

paddr_t
pmm_alloc_zeroed(enum pmm_owner owner)
{
	const paddr_t pa = pmm_alloc(owner);

	if (pa != PADDR_NONE)
		memset(arena + pa, 0, PAGE_SIZE);
	return pa;
}

void
pmm_free(paddr_t frame)
{
	assert_true(frame / PAGE_SIZE < NR_FRAMES && used[frame / PAGE_SIZE]);
	used[frame / PAGE_SIZE] = false;
	nr_used--;
	memset(arena + frame, 0xdd, PAGE_SIZE); /* whoever follows an entry here goes astray */
}

void
pmm_for_each_range(void (*fn)(void *arg, paddr_t start, paddr_t end), void *arg)
{
	fn(arg, 0, RAM_END);
}

/* --- the CPU's side: walks, and a TLB that forgets only when told -------------------------- */

static paddr_t pml4;

struct translation {
	vaddr_t page;
	uint64_t size; /* 0: not mapped */
	paddr_t pa;
	bool write;
	unsigned type;
};

static struct translation tlb[4096];
static size_t nr_tlb;

static struct translation
look_up(vaddr_t va)
{
	paddr_t table = pml4;

	for (unsigned level = 4; level > 0; level--) {
		const uint64_t size = PAGE_SIZE << (9 * (level - 1));
		const pte_t e =
			((const pte_t *)(arena + table))[va >> (12 + 9 * (level - 1)) & 511];

		if ((e & PTE_P) == 0)
			return (struct translation){0};
		if (level == 1 || (e & PTE_PS) != 0) {
			assert_in_range(level, 1, 3);
			return (struct translation){va & ~(size - 1), size,
						    e & PTE_ADDR & ~(size - 1), (e & PTE_W) != 0,
						    pat_index(e, level > 1)};
		}
		table = e & PTE_ADDR;
		assert_true(table < NR_FRAMES * PAGE_SIZE);
	}
	abort();
}

static bool
same(const struct translation *a, const struct translation *b, vaddr_t va)
{
	return b->size != 0 && a->pa + (va - a->page) == b->pa + (va - b->page) &&
	       a->write == b->write && a->type == b->type;
}

static void
touch(vaddr_t va)
{
	const struct translation t = look_up(va);

	if (t.size != 0 && nr_tlb < ARRAY_SIZE(tlb))
		tlb[nr_tlb++] = t;
}

static void
check_tlb(void)
{
	for (size_t i = 0; i < nr_tlb; i++) {
		const uint64_t step = MAX(tlb[i].size / 64, PAGE_SIZE);

		for (uint64_t at = 0; at < tlb[i].size; at += step) {
			const struct translation now = look_up(tlb[i].page + at);

			if (!same(&tlb[i], &now, tlb[i].page + at))
				fail_msg("stale translation of %#lx", tlb[i].page + at);
		}
	}
}

void
tlb_flush_page(vaddr_t va)
{
	for (size_t i = 0; i < nr_tlb;) {
		if (va - tlb[i].page < tlb[i].size)
			tlb[i] = tlb[--nr_tlb];
		else
			i++;
	}
}

void
tlb_flush_all(void)
{
	nr_tlb = 0;
}

/* --- one set of tables per test ------------------------------------------------------------ */

static int
setup(void **state)
{
	(void)state;
	arena = mmap(NULL, NR_FRAMES * PAGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(arena != MAP_FAILED);
	direct_map_base = (uint64_t)arena;
	memset(used, 0, sizeof(used));
	nr_used = 0;
	nr_tlb = 0;
	fail_after = -1;
	pml4 = pmm_alloc_zeroed(PMM_PAGE_TABLE);
	vmm_tables_init(pml4, LEVEL_PDPT, PTE_NX, PTE_G);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return munmap(arena, NR_FRAMES * PAGE_SIZE);
}

static void
test_largest_pages(void **state)
{
	const vaddr_t va = KERNEL_MAP_BASE + GIB(4);

	(void)state;
	assert_int_equal(vmm_map(va - MIB(2) - PAGE_SIZE, DEVICE - MIB(2) - PAGE_SIZE,
				 GIB(1) + 2 * (MIB(2) + PAGE_SIZE), VM_WRITE),
			 0);
	assert_int_equal(look_up(va - MIB(2) - 1).size, PAGE_SIZE);
	assert_int_equal(look_up(va - 1).size, MIB(2));
	assert_int_equal(look_up(va).size, GIB(1));
	assert_int_equal(look_up(va + GIB(1)).size, MIB(2));
	assert_int_equal(look_up(va + GIB(1) + MIB(2)).size, PAGE_SIZE);
	assert_int_equal(look_up(va + GIB(1) + MIB(2)).pa, DEVICE + GIB(1) + MIB(2));
}

static void
test_arguments(void **state)
{
	(void)state;
	assert_int_equal(vmm_map(BASE, 0, PAGE_SIZE, VM_UC), -EBUSY);
	assert_int_equal(vmm_map(BASE, RAM_END - PAGE_SIZE, 2 * PAGE_SIZE, VM_WC), -EBUSY);
	assert_int_equal(vmm_map(BASE, RAM_END, PAGE_SIZE, VM_WC), 0);
	assert_int_equal(vmm_map(BASE, RAM_END, PAGE_SIZE, 5 << VM_TYPE_SHIFT), -EINVAL);
	assert_int_equal(vmm_map(BASE, RAM_END, PAGE_SIZE, VM_PROT_LIMIT), -EINVAL);
	assert_int_equal(vmm_map(BASE, BIT(52), PAGE_SIZE, VM_READ), -EINVAL);
	assert_int_equal(vmm_map(BASE, -(uint64_t)PAGE_SIZE, 2 * PAGE_SIZE, VM_READ), -EINVAL);
	assert_int_equal(vmm_protect(BASE, PAGE_SIZE, VM_WC), -EINVAL); /* the type stays */
	assert_int_equal(vmm_map(-(uint64_t)PAGE_SIZE, RAM_END, PAGE_SIZE, VM_READ), 0);
	assert_int_equal(vmm_unmap(-(uint64_t)PAGE_SIZE, PAGE_SIZE), 0);
}

/* 1 GiB down to 4 KiB and back; the tables come and go with it. */
static void
test_split_and_merge(void **state)
{
	const vaddr_t va = KERNEL_MAP_BASE + GIB(4), inner = va + MIB(700) + KIB(12);
	unsigned before;

	(void)state;
	assert_int_equal(vmm_map(va, DEVICE, GIB(1), VM_WRITE | VM_WC), 0);
	before = nr_used;
	touch(inner);
	assert_int_equal(vmm_protect(inner, PAGE_SIZE, VM_READ), 0);
	check_tlb();
	assert_int_equal(nr_used, before + 2);
	for (vaddr_t a = va; a < va + GIB(1); a += PAGE_SIZE) {
		const struct translation t = look_up(a);

		assert_true(t.size != 0 && t.pa + (a - t.page) == DEVICE + (a - va));
		assert_true(t.write == (a != inner) && t.type == PAT_WC);
		if (a % MIB(64) == 0)
			touch(a);
	}
	touch(inner);
	assert_int_equal(vmm_protect(inner, PAGE_SIZE, VM_WRITE), 0);
	check_tlb();
	assert_int_equal(nr_used, before);
	assert_int_equal(look_up(inner).size, GIB(1));
	assert_int_equal(look_up(inner).type, PAT_WC);
	/* What was looked up while it was in parts goes with it. */
	assert_int_equal(vmm_unmap(va, GIB(1)), 0);
	check_tlb();
	assert_int_equal(nr_tlb, 0);
}

/* Not to be merged: another address in between, a first one that is not aligned, a missing one. */
static void
test_no_wrong_merge(void **state)
{
	(void)state;
	assert_int_equal(vmm_map(BASE, DEVICE + PAGE_SIZE, MIB(2), VM_WRITE), 0);
	assert_int_equal(vmm_protect(BASE, MIB(2), VM_READ), 0);
	assert_int_equal(look_up(BASE).size, PAGE_SIZE);
	assert_int_equal(vmm_map(BASE + MIB(2), DEVICE, MIB(1), VM_WRITE), 0);
	assert_int_equal(vmm_map(BASE + MIB(3), DEVICE + MIB(2), MIB(1), VM_WRITE), 0);
	assert_int_equal(vmm_protect(BASE + MIB(2), MIB(2), VM_READ), 0);
	assert_int_equal(look_up(BASE + MIB(2)).size, PAGE_SIZE);
	assert_int_equal(vmm_unmap(BASE + MIB(2), MIB(2)), 0);
	assert_int_equal(vmm_map(BASE + MIB(2), DEVICE, MIB(2) - PAGE_SIZE, VM_WRITE), 0);
	assert_int_equal(vmm_protect(BASE + MIB(2), MIB(1), VM_READ), 0);
	assert_int_equal(look_up(BASE + MIB(2)).size, PAGE_SIZE);
}

/* Tables that have become empty do not stand in the way of large pages. */
static void
test_empty_tables_go(void **state)
{
	unsigned with_tables;

	(void)state;
	assert_int_equal(vmm_map(KERNEL_MAP_BASE + GIB(4), DEVICE, PAGE_SIZE, VM_WRITE), 0);
	assert_int_equal(vmm_unmap(KERNEL_MAP_BASE + GIB(4), PAGE_SIZE), 0);
	with_tables = nr_used;
	assert_int_equal(vmm_map(KERNEL_MAP_BASE + GIB(4), DEVICE, GIB(1), VM_WRITE), 0);
	assert_int_equal(look_up(KERNEL_MAP_BASE + GIB(4)).size, GIB(1));
	assert_int_equal(nr_used, with_tables - 2);
}

/* --- memory runs out ----------------------------------------------------------------------- */

/* @op with every possible number of allocations before the first that fails. */
static void
check_failures(int (*op)(void), void (*unchanged)(void))
{
	unsigned n = 0;

	for (;; n++) {
		fail_after = (int)n;
		if (op() == 0)
			break;
		fail_after = -1;
		check_tlb();
		unchanged();
	}
	assert_in_range(n, 1, 10); /* it did fail somewhere */
	fail_after = -1;
}

static int
map_much(void)
{
	return vmm_map(BASE, DEVICE + PAGE_SIZE, MIB(8), VM_WRITE); /* small pages, 4 tables */
}

static void
nothing_mapped(void)
{
	for (unsigned i = 0; i < PAGES; i++)
		assert_int_equal(look_up(BASE + i * PAGE_SIZE).size, 0);
}

static int
unmap_middle(void)
{
	return vmm_unmap(KERNEL_MAP_BASE + GIB(4) + PAGE_SIZE, GIB(1) - 2 * PAGE_SIZE);
}

static int
protect_middle(void)
{
	return vmm_protect(KERNEL_MAP_BASE + GIB(4) + PAGE_SIZE, GIB(1) - 2 * PAGE_SIZE, VM_READ);
}

static unsigned used_by_large;

static void
still_large(void)
{
	const struct translation t = look_up(KERNEL_MAP_BASE + GIB(4));

	assert_true(t.size == GIB(1) && t.write && t.pa == DEVICE);
	assert_int_equal(nr_used, used_by_large);
	touch(KERNEL_MAP_BASE + GIB(4));
}

static void
test_no_memory(void **state)
{
	(void)state;
	check_failures(map_much, nothing_mapped);
	assert_int_equal(vmm_map(KERNEL_MAP_BASE + GIB(4), DEVICE, GIB(1), VM_WRITE), 0);
	used_by_large = nr_used;
	check_failures(protect_middle, still_large);
	assert_int_equal(vmm_protect(KERNEL_MAP_BASE + GIB(4), GIB(1), VM_WRITE), 0);
	still_large();
	check_failures(unmap_middle, still_large);
	assert_int_equal(look_up(KERNEL_MAP_BASE + GIB(4)).size, PAGE_SIZE);
	assert_int_equal(look_up(KERNEL_MAP_BASE + GIB(4) + MIB(8)).size, 0);
}

static int
populate(void)
{
	return vmm_populate(BASE, 8 * PAGE_SIZE, PMM_TEST);
}

static void
test_populate(void **state)
{
	unsigned before;

	(void)state;
	assert_int_equal(vmm_map_page(BASE, DEVICE, VM_WRITE), 0); /* the tables, once */
	assert_int_equal(vmm_unmap_page(BASE), DEVICE);
	assert_int_equal(vmm_unmap_page(BASE), PADDR_NONE);
	before = nr_used;
	check_failures(populate, nothing_mapped);
	assert_int_equal(nr_used, before + 8);
	touch(BASE + PAGE_SIZE);
	vmm_unmap_and_free(BASE, 8 * PAGE_SIZE);
	check_tlb();
	assert_int_equal(nr_used, before);
}

/* --- at random ----------------------------------------------------------------------------- */

static struct translation model[PAGES]; /* of one page each */

static void
check_pages(unsigned first, unsigned nr)
{
	for (unsigned i = first; i < first + nr; i++) {
		const vaddr_t va = BASE + i * PAGE_SIZE;
		const struct translation now = look_up(va);

		if (model[i].size == 0 ? now.size != 0 : !same(&model[i], &now, va))
			fail_msg("page %u is not what it should be", i);
	}
}

static bool
all(unsigned first, unsigned nr, bool mapped)
{
	for (unsigned i = first; i < first + nr; i++) {
		if ((model[i].size != 0) != mapped)
			return false;
	}
	return true;
}

static void
random_map(unsigned first, unsigned nr, unsigned prot)
{
	/* Mostly the same distance, so that neighbours can grow together. */
	const paddr_t pa = DEVICE + (first + (shim_random(8) == 0)) * PAGE_SIZE;
	const unsigned type = shim_random(4) == 0 ? VM_WC : VM_WB;
	const int result = vmm_map(BASE + first * PAGE_SIZE, pa, nr * PAGE_SIZE, prot | type);

	if (!all(first, nr, false)) {
		assert_int_equal(result, -EEXIST);
		return;
	}
	if (result != 0) {
		assert_int_equal(result, -ENOMEM);
		assert_int_equal(fail_after, 0);
		return;
	}
	for (unsigned i = 0; i < nr; i++)
		model[first + i] = (struct translation){BASE + (first + i) * PAGE_SIZE, PAGE_SIZE,
							pa + i * PAGE_SIZE, prot == VM_WRITE,
							type >> VM_TYPE_SHIFT};
}

static void
random_protect(unsigned first, unsigned nr, unsigned prot)
{
	const int result = vmm_protect(BASE + first * PAGE_SIZE, nr * PAGE_SIZE, prot);

	if (!all(first, nr, true)) {
		assert_int_equal(result, -ENOENT);
	} else if (result != 0) {
		assert_int_equal(result, -ENOMEM);
		assert_int_equal(fail_after, 0);
	} else {
		for (unsigned i = 0; i < nr; i++)
			model[first + i].write = prot == VM_WRITE;
	}
}

static void
random_unmap(unsigned first, unsigned nr)
{
	if (vmm_unmap(BASE + first * PAGE_SIZE, nr * PAGE_SIZE) != 0)
		assert_int_equal(fail_after, 0);
	else
		memset(&model[first], 0, nr * sizeof(model[0]));
}

static void
random_op(void)
{
	static const unsigned steps[] = {1, 1, 16, 512};
	const unsigned step = steps[shim_random(ARRAY_SIZE(steps))];
	const unsigned first = (unsigned)shim_random(PAGES / step) * step;
	const unsigned wanted = step * (1 + (unsigned)shim_random(3));
	const unsigned nr = MIN(wanted, PAGES - first);
	const unsigned prot = shim_random(2) ? VM_WRITE : VM_READ;

	fail_after = shim_random(4) == 0 ? (int)shim_random(3) : -1;
	switch (shim_random(3)) {
	case 0: random_map(first, nr, prot); break;
	case 1: random_protect(first, nr, prot); break;
	default: random_unmap(first, nr); break;
	}
	fail_after = -1;
	check_pages(first, nr);
	check_tlb();
	for (unsigned i = 0; i < 4; i++) {
		touch(BASE + (first + shim_random(nr)) * PAGE_SIZE);
		touch(BASE + shim_random(PAGES) * PAGE_SIZE);
	}
}

static void
test_random(void **state)
{
	(void)state;
	shim_seed();
	memset(model, 0, sizeof(model));
	for (unsigned i = 0; i < 4000; i++) {
		random_op();
		if (i % 64 == 0)
			check_pages(0, PAGES);
	}
	assert_int_equal(vmm_unmap(BASE, PAGES * PAGE_SIZE), 0);
	check_tlb();
	assert_int_equal(nr_tlb, 0);
	/* PML4, PDPT, two PDs, four PTs: everything that the window can need, and nothing lost. */
	assert_in_range(nr_used, 1, 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_largest_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_split_and_merge, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_wrong_merge, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty_tables_go, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_populate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
