/*
 * test_vmm.c - page tables: mapping, rights, the layout of the kernel's own space, careful access.
 */
#include "tests.h"
#include <kern/selftest.h>
#include <lib/string.h>
#include <mm/image.h>
#include <mm/kmap.h>
#include <mm/kstack.h>
#include <mm/pmm.h>
#include <mm/vmm.h>
#include <x86/cpu.h>
#include <x86/switch.h>
#include <x86/trap.h>

#define UNUSED_PA  GIB(512) /* neither RAM nor a device, on any machine that the tests start */
#define VGA_PIXELS 0xa0000  /* what text mode does not use */
#define TEST_VA	   (KERNEL_MAP_BASE + KERNEL_MAP_SIZE - GIB(1)) /* far behind all that kmap gave out */

static void
read_byte(void *p)
{
	(void)*(volatile uint8_t *)p;
}

static void
write_byte(void *p)
{
	*(volatile uint8_t *)p = 0xc3; /* the code of RET */
}

static void
execute(void *p)
{
	void (*fn)(void);

	memcpy(&fn, &p, sizeof(fn));
	fn();
}

void
test_vmm_map_unmap(void)
{
	const paddr_t pa = pmm_alloc_zeroed(PMM_TEST);
	paddr_t got = 0;

	CHECK(pa != PADDR_NONE);
	CHECK_EQ(vmm_translate(TEST_VA, NULL), -ENOENT);
	CHECK_EQ(selftest_catch(read_byte, (void *)TEST_VA), TRAP_PF);
	CHECK_EQ(vmm_map(TEST_VA, pa, PAGE_SIZE, VM_WRITE), 0);
	CHECK_EQ(vmm_translate(TEST_VA + 123, &got), 0);
	CHECK_EQ(got, pa + 123);
	*(volatile uint64_t *)TEST_VA = 0x1122334455667788;
	CHECK_EQ(*(volatile uint64_t *)phys_to_virt(pa), 0x1122334455667788);
	CHECK_EQ(vmm_map(TEST_VA, pa, PAGE_SIZE, VM_WRITE), -EEXIST);
	vmm_unmap(TEST_VA, PAGE_SIZE);
	CHECK_EQ(selftest_catch(read_byte, (void *)TEST_VA), TRAP_PF);
	vmm_unmap(TEST_VA, PAGE_SIZE); /* nothing there: skipped */
	pmm_free(pa);
}

void
test_vmm_arguments(void)
{
	CHECK_EQ(vmm_map(TEST_VA + 1, 0, PAGE_SIZE, VM_READ), -EINVAL);
	CHECK_EQ(vmm_map(TEST_VA, 1, PAGE_SIZE, VM_READ), -EINVAL);
	CHECK_EQ(vmm_map(TEST_VA, 0, 0, VM_READ), -EINVAL);
	CHECK_EQ(vmm_map(TEST_VA, 0, 100, VM_READ), -EINVAL);
	CHECK_EQ(vmm_map(TEST_VA, 0, PAGE_SIZE, VM_WRITE | VM_EXEC), -EINVAL);
	CHECK_EQ(vmm_map(TEST_VA, 0, PAGE_SIZE, VM_USER), -EINVAL); /* not in the kernel's half */
	CHECK_EQ(vmm_map(0x0000800000000000, 0, PAGE_SIZE, VM_READ), -EINVAL);
	CHECK_EQ(vmm_map(0x00007ffffffff000, 0, 2 * PAGE_SIZE, VM_READ), -EINVAL);
	CHECK_EQ(vmm_protect(TEST_VA, PAGE_SIZE, VM_READ), -ENOENT);
	CHECK_EQ(vmm_translate(0x0000900000000000, NULL), -ENOENT);
}

/* -EEXIST leaves everything as it was, what lies before the collision included. */
void
test_vmm_collision(void)
{
	const paddr_t pa = pmm_alloc(PMM_TEST);

	CHECK_EQ(vmm_map(TEST_VA + 2 * PAGE_SIZE, pa, PAGE_SIZE, VM_READ), 0);
	CHECK_EQ(vmm_map(TEST_VA, MIB(2), 4 * PAGE_SIZE, VM_READ), -EEXIST);
	CHECK_EQ(vmm_translate(TEST_VA, NULL), -ENOENT);
	CHECK_EQ(vmm_translate(TEST_VA + PAGE_SIZE, NULL), -ENOENT);
	vmm_unmap(TEST_VA, 4 * PAGE_SIZE);
	pmm_free(pa);
}

void
test_vmm_protect(void)
{
	const paddr_t pa = pmm_alloc(PMM_TEST);
	void *page = (void *)TEST_VA;

	CHECK_EQ(vmm_map(TEST_VA, pa, PAGE_SIZE, VM_WRITE), 0);
	CHECK_EQ(selftest_catch(write_byte, page), -1);
	CHECK_EQ(vmm_protect(TEST_VA, PAGE_SIZE, VM_READ), 0);
	CHECK_EQ(selftest_catch(read_byte, page), -1);
	CHECK_EQ(selftest_catch(write_byte, page), TRAP_PF); /* CR0.WP holds ring 0 too */
	if (cpu_features.nx)
		CHECK_EQ(selftest_catch(execute, page), TRAP_PF);
	CHECK_EQ(vmm_protect(TEST_VA, PAGE_SIZE, VM_EXEC), 0);
	CHECK_EQ(selftest_catch(execute, page), -1);
	CHECK_EQ(vmm_protect(TEST_VA, PAGE_SIZE, VM_WRITE | VM_EXEC), -EINVAL);
	vmm_unmap(TEST_VA, PAGE_SIZE);
	pmm_free(pa);
}

/* No page anywhere is writable and executable; no kernel page is open to ring 3. */
static bool
check_region(void *arg, const struct vmm_region *r)
{
	unsigned *count = arg;

	(*count)++;
	CHECK(r->start != r->end);
	if (cpu_features.nx && (r->flags & PTE_W) != 0)
		CHECK((r->flags & PTE_NX) != 0);
	CHECK((r->flags & PTE_U) == 0 || r->start >> 63 == 0);
	return true;
}

void
test_vmm_w_xor_x(void)
{
	unsigned count = 0;

	vmm_for_each_region(0, check_region, &count);
	CHECK(count >= 5);
}

void
test_vmm_layout(void)
{
	struct vmm_walk w;

	vmm_walk((vaddr_t)kernel_text_start, &w);
	CHECK(w.present && w.exec && !w.write);
	vmm_walk((vaddr_t)kernel_rodata_start, &w);
	CHECK(w.present && !w.write && (!cpu_features.nx || !w.exec));
	vmm_walk((vaddr_t)kernel_data_start, &w);
	CHECK(w.present && w.write && (!cpu_features.nx || !w.exec));
	/* The direct map is no back door to them. */
	vmm_walk((vaddr_t)phys_to_virt(virt_to_phys(kernel_text_start)), &w);
	CHECK(w.present && !w.write && (!cpu_features.nx || !w.exec));
	/* The loader's identity map is gone, page 0 above all. */
	CHECK_EQ(vmm_translate(0, NULL), -ENOENT);
	CHECK_EQ(vmm_translate(KERNEL_PHYS, NULL), -ENOENT);
	CHECK_EQ(vmm_translate(VGA_TEXT_PHYS, NULL), -ENOENT);
	CHECK((read_cr0() & CR0_WP) != 0);
	CHECK(!cpu_features.nx || (rdmsr(MSR_EFER) & EFER_NXE) != 0);
}

static void
check_mapped_ram(void *arg, paddr_t start, paddr_t end)
{
	paddr_t pa;

	(void)arg;
	CHECK_EQ(vmm_translate(DIRECT_MAP_BASE + start, &pa), 0);
	CHECK_EQ(pa, start);
	CHECK_EQ(vmm_translate(DIRECT_MAP_BASE + end - 1, &pa), 0);
	CHECK_EQ(pa, end - 1);
	if (!pmm_is_ram(end)) /* holes are not mapped */
		CHECK_EQ(vmm_translate(DIRECT_MAP_BASE + end, NULL), -ENOENT);
}

void
test_vmm_direct_map(void)
{
	pmm_for_each_range(check_mapped_ram, NULL);
	CHECK_EQ(vmm_translate(DIRECT_MAP_BASE + VGA_TEXT_PHYS, NULL), -ENOENT);
}

struct search {
	vaddr_t first;
	vaddr_t next; /* where the last region ended */
	unsigned calls;
};

static bool
note_first(void *arg, const struct vmm_region *r)
{
	struct search *s = arg;

	if (s->calls++ == 0)
		s->first = r->start;
	CHECK(r->start >= s->next); /* in order, none twice */
	s->next = r->end - 1;
	return s->calls < 3;
}

void
test_vmm_regions(void)
{
	const paddr_t pa = pmm_alloc_range(PMM_TEST, 3, PAGE_SIZE, 0);
	struct search s = {0};

	CHECK_EQ(vmm_map(TEST_VA, pa, PAGE_SIZE, VM_WRITE), 0);
	CHECK_EQ(vmm_map(TEST_VA + PAGE_SIZE, pa + PAGE_SIZE, PAGE_SIZE, VM_READ), 0);
	CHECK_EQ(vmm_map(TEST_VA + 2 * PAGE_SIZE, pa + 2 * PAGE_SIZE, PAGE_SIZE, VM_READ), 0);
	vmm_for_each_region(TEST_VA, note_first, &s);
	CHECK_EQ(s.first, TEST_VA);
	CHECK_EQ(s.calls, 3); /* writable; two read-only as one; the kernel image */
	s = (struct search){0};
	vmm_for_each_region(TEST_VA + PAGE_SIZE, note_first, &s);
	CHECK_EQ(s.first, TEST_VA + PAGE_SIZE);
	vmm_unmap(TEST_VA, 3 * PAGE_SIZE);
	pmm_free_range(pa, 3);
}

void
test_vmm_probe(void)
{
	uint64_t v = 0;
	const uint64_t w = 0x55aa;
	static uint64_t target;

	CHECK_EQ(vmm_probe_write((vaddr_t)&target, &w, sizeof(w)), 0);
	CHECK_EQ(vmm_probe_read(&v, (vaddr_t)&target, sizeof(v)), 0);
	CHECK_EQ(v, 0x55aa);
	CHECK_EQ(vmm_probe_read(&v, 0, 1), -EFAULT);
	CHECK_EQ(vmm_probe_read(&v, 0x8000000000000000, 8), -EFAULT);
	CHECK_EQ(vmm_probe_read(&v, (vaddr_t)boot_stack - 4, 8), -EFAULT); /* half in the guard */
	CHECK_EQ(vmm_probe_read(&v, (vaddr_t)boot_stack_guard - 4, 8),
		 -EFAULT); /* the other half */
	CHECK_EQ(vmm_probe_write((vaddr_t)kernel_text_start, &w, 8), -EFAULT);
	CHECK_EQ(vmm_probe_read(&v, (vaddr_t)kernel_text_start, 8), 0);
	CHECK_EQ(vmm_probe_read(&v, UINT64_MAX - 3, 8), -EFAULT);
}

void
test_vmm_mmio(void)
{
	const paddr_t odd = VGA_PIXELS + 0x123;
	uint8_t *a = vmm_map_mmio(odd, 0x1000); /* two pages, because of the offset */
	struct vmm_walk w;

	CHECK(a != NULL);
	vmm_walk((vaddr_t)a, &w);
	CHECK(w.present && w.write && !w.user);
	CHECK_EQ(w.pa, odd);
	CHECK_EQ(w.type, PAT_UC);
	CHECK_EQ(w.entry[w.levels - 1] & (PTE_PCD | PTE_PWT), PTE_PCD | PTE_PWT);
	CHECK_EQ(vmm_translate((vaddr_t)a + 0xfff, NULL), 0);
	vmm_unmap_mmio(a, 0x1000);
	CHECK_EQ(vmm_translate((vaddr_t)a, NULL), -ENOENT);
	CHECK(vmm_map_mmio(odd, 0) == NULL);
	CHECK(vmm_map_mmio(UINT64_MAX - 10, 100) == NULL);
}

void
test_vmm_alloc(void)
{
	uint8_t *p = vmm_alloc(3 * PAGE_SIZE - 5);
	void *next = vmm_alloc(PAGE_SIZE); /* most likely behind it */

	CHECK(p != NULL && next != NULL);
	for (size_t i = 0; i < 3 * PAGE_SIZE; i += 64)
		CHECK_EQ(p[i], 0);
	memset(p, 0xff, 3 * PAGE_SIZE);
	CHECK_EQ(selftest_catch(write_byte, p + 3 * PAGE_SIZE), TRAP_PF); /* the guard behind it */
	CHECK_EQ(kmap_length(p), 3 * PAGE_SIZE);
	vmm_free(next, PAGE_SIZE);
	vmm_free(p, 3 * PAGE_SIZE - 5);
	CHECK_EQ(selftest_catch(read_byte, p), TRAP_PF);
	CHECK(vmm_alloc(0) == NULL);
	CHECK(vmm_alloc(SIZE_MAX - 100) == NULL);
}

#define NR_RANGES 3000

/* With thousands of ranges alive, a search still looks at about one of its bucket's dozen. */
void
test_vmm_ranges(void)
{
	void **ranges = vmm_alloc(NR_RANGES * sizeof(void *));
	struct kmap_stats before, after;

	CHECK(ranges != NULL);
	kmap_stats(&before);
	for (size_t i = 0; i < NR_RANGES; i++) {
		ranges[i] = vmm_map_mmio(UNUSED_PA + i * PAGE_SIZE, PAGE_SIZE);
		CHECK(ranges[i] != NULL);
	}
	kmap_stats(&after);
	CHECK_EQ(after.ranges - before.ranges, NR_RANGES);
	CHECK(after.longest < 4 * NR_RANGES / 256);
	before = after;
	for (size_t i = 0; i < NR_RANGES; i++)
		vmm_unmap_mmio(ranges[i], PAGE_SIZE);
	kmap_stats(&after);
	CHECK(after.looked_at - before.looked_at < 20 * (after.searches - before.searches));
	CHECK_EQ(before.ranges - after.ranges, NR_RANGES);
	vmm_free(ranges, NR_RANGES * sizeof(void *));
}

/* Address space that comes and goes must not eat page tables without end. */
void
test_vmm_alloc_bounded(void)
{
	struct pmm_stats before, after;

	void *last = vmm_map_mmio(0xfee00000, MIB(3)); /* never touched */

	CHECK(last != NULL);
	for (unsigned round = 0; round < 2; round++) {
		pmm_stats(&before); /* of the second round: the window's tables are there then */
		for (unsigned i = 0; i < 40; i++) {
			void *next = vmm_map_mmio(0xfee00000, MIB(3));

			CHECK(next != NULL);
			vmm_unmap_mmio(last, MIB(3)); /* in leaps, so that the addresses move on */
			last = next;
		}
		pmm_stats(&after);
	}
	vmm_unmap_mmio(last, MIB(3));
	CHECK(after.free + 8 >= before.free); /* other threads may have taken a little */
}
