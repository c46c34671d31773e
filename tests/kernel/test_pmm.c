/*
 * test_pmm.c - the frame allocator on the machine's real memory map.
 */
#include "tests.h"
#include <boot/boot_info.h>
#include <kern/boot_trace.h>
#include <kern/init.h>
#include <kern/selftest.h>
#include <kern/thread.h>
#include <lib/string.h>
#include <mm/image.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>
#include <mm/shrink.h>

#define NR 200

static size_t
free_count(void)
{
	struct pmm_stats s;

	pmm_stats(&s);
	return s.free;
}

void
test_pmm_single(void)
{
	static paddr_t got[NR];
	const size_t before = free_count();

	preempt_disable(); /* so that nobody else changes the count */
	for (size_t i = 0; i < NR; i++) {
		got[i] = pmm_alloc(PMM_TEST);
		CHECK(got[i] != PADDR_NONE);
		CHECK(IS_ALIGNED(got[i], PAGE_SIZE));
		CHECK(pmm_is_ram(got[i]));
		CHECK(!pmm_is_free(got[i]));
		*(uint64_t *)phys_to_virt(got[i]) = got[i];
	}
	CHECK_EQ(free_count(), before - NR);
	for (size_t i = 0; i < NR; i++) /* all different, or one would have been overwritten */
		CHECK_EQ(*(uint64_t *)phys_to_virt(got[i]), got[i]);
	for (size_t i = 0; i < NR; i++)
		pmm_free(got[(i * 7) % NR]);
	CHECK_EQ(free_count(), before);
	preempt_enable();
	CHECK(pmm_is_free(got[0]));
}

void
test_pmm_zeroed(void)
{
	paddr_t pa = pmm_alloc(PMM_TEST);

	CHECK(pa != PADDR_NONE);
	memset(phys_to_virt(pa), 0xa5, PAGE_SIZE);
	pmm_free(pa);
	pa = pmm_alloc_zeroed(PMM_TEST); /* most likely the same one */
	CHECK(pa != PADDR_NONE);
	for (size_t i = 0; i < PAGE_SIZE / 8; i++)
		CHECK_EQ(((uint64_t *)phys_to_virt(pa))[i], 0);
	pmm_free(pa);
}

static void
check_range(size_t nr, size_t align, paddr_t limit)
{
	const paddr_t pa = pmm_alloc_range(PMM_TEST, nr, align, limit);

	CHECK(pa != PADDR_NONE);
	CHECK(IS_ALIGNED(pa, align));
	CHECK(limit == 0 || pa + nr * PAGE_SIZE <= limit);
	for (size_t i = 0; i < nr; i++)
		CHECK(!pmm_is_free(pa + i * PAGE_SIZE));
	pmm_free_range(pa, nr);
	for (size_t i = 0; i < nr; i++)
		CHECK(pmm_is_free(pa + i * PAGE_SIZE));
}

void
test_pmm_ranges(void)
{
	check_range(1, PAGE_SIZE, 0);
	check_range(3, PAGE_SIZE, 0);
	check_range(65, KIB(64), 0);
	check_range(16, KIB(64), MIB(16)); /* ISA DMA */
	check_range(1, PAGE_SIZE, MIB(1)); /* start-up code of other CPUs */
	check_range(2, KIB(128), GIB(4));
	CHECK_EQ(pmm_alloc_range(PMM_TEST, 0, PAGE_SIZE, 0), PADDR_NONE);
	CHECK_EQ(pmm_alloc_range(PMM_TEST, SIZE_MAX / 2, PAGE_SIZE, 0), PADDR_NONE);
	CHECK_EQ(pmm_alloc_range(PMM_TEST, 1, PAGE_SIZE, PAGE_SIZE),
		 PADDR_NONE); /* frame 0 is the BIOS's */
}

static void
do_free(void *frame)
{
	pmm_free((paddr_t)frame);
}

static void
check_refused(paddr_t pa, const char *why)
{
	CHECK_EQ(selftest_catch(do_free, (void *)pa), SELFTEST_PANIC);
	if (strstr(selftest_panic_text(), why) == NULL)
		selftest_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", selftest_panic_text(),
			      why);
}

void
test_pmm_double_free(void)
{
	const size_t before = free_count();
	const paddr_t pa = pmm_alloc(PMM_TEST);

	pmm_free(pa);
	check_refused(pa, "double free");
	CHECK_EQ(free_count(), before);
}

void
test_pmm_foreign_free(void)
{
	struct pmm_stats s;

	pmm_stats(&s);
	check_refused(virt_to_phys(kernel_image_start), "reserved");
	check_refused(0, "reserved");
	check_refused(ALIGN_UP(s.highest, PAGE_SIZE) + GIB(1), "not RAM");
	check_refused(0xb8000, "not RAM");
}

void
test_pmm_unaligned_free(void)
{
	const paddr_t pa = pmm_alloc(PMM_TEST);

	check_refused(pa + 16, "no frame's start");
	pmm_free(pa);
}

static bool
overlaps(paddr_t pa, paddr_t start, paddr_t end)
{
	return pa < end && pa + PAGE_SIZE > start;
}

static void
check_frame_allowed(paddr_t pa)
{
	size_t n;
	const struct boot_mem *map = boot_map(&n);

	CHECK(pa != 0);
	CHECK(!overlaps(pa, virt_to_phys(kernel_image_start), virt_to_phys(kernel_image_end)) ||
	      init_is_gone((vaddr_t)kernel_image_start + pa - virt_to_phys(kernel_image_start)));
	for (size_t i = 0; i < n; i++)
		CHECK(map[i].type == BOOT_MEM_RAM ||
		      !overlaps(pa, map[i].start, map[i].start + map[i].size));
}

/*
 * Up to 1 GiB: every frame is handed out once, none of them is somebody's; then memory is empty,
 * and all comes back.
 */
void
test_pmm_exhaustion(void)
{
	paddr_t chain = PADDR_NONE, pa, run;
	size_t n = 0, before, left;
	void *block;

	if (free_count() > GIB(1) / PAGE_SIZE)
		return; /* the walk would take seconds, and show nothing new */
	preempt_disable();
	while (mm_shrink(SIZE_MAX) >
	       0) /* else it would happen below, and more come than were free */
		;
	before = free_count();
	while ((pa = pmm_alloc(PMM_TEST)) != PADDR_NONE) {
		if (n % 16 == 0)
			check_frame_allowed(pa);
		*(paddr_t *)phys_to_virt(pa) = chain;
		chain = pa;
		n++;
	}
	left = free_count();
	run = pmm_alloc_range(PMM_TEST, 2, PAGE_SIZE, 0);
	block = kmalloc(MIB(1));
	while (chain != PADDR_NONE) {
		pa = chain;
		chain = *(paddr_t *)phys_to_virt(pa);
		pmm_free(pa);
	}
	preempt_enable();
	/* All is given back by now: a failure here shall not take memory from the tests that follow. */
	CHECK_EQ(n, before);
	CHECK_EQ(left, 0);
	CHECK_EQ(run, PADDR_NONE);
	CHECK(block == NULL);
	CHECK_EQ(free_count(), before);
}

void
test_pmm_stats(void)
{
	struct pmm_stats s;

	pmm_stats(&s);
	CHECK(s.free + s.reserved <= s.total);
	CHECK(s.peak_used >= s.total - s.free);
	CHECK(s.highest >= s.total * PAGE_SIZE); /* holes only add to it */
	CHECK(s.reserved * PAGE_SIZE >= (size_t)(kernel_image_end - kernel_image_start));
}
