/*
 * cost.c - counts what one pmm_alloc() costs when memory is almost used up; run by check.py.
 *
 * mm/pmm*.c and kernel/lib/bitmap.c are compiled with -fsanitize-coverage=trace-pc: each basic block
 * calls __sanitizer_cov_trace_pc() below.  The count is the same on every machine and day.
 * usage: cost GIB.  Prints `GIB WORST EMPTY WRONG`: basic blocks of the dearest allocation, of one
 * that finds nothing, and how often a frame came that was not free.
 */
#include "host.h"
#include <sys/mman.h>
#include "mm_shim.h"
#include <boot/boot_info.h>
#include <kern/boot_trace.h>
#include <mm/pmm.h>
#include <mm/shrink.h>
#include <x86/cpu.h>

#define BASE   GIB(4)
#define PLACES 4

static struct boot_info info = {.kernel_start = MIB(1), .kernel_end = MIB(2)};
static struct boot_mem map[2];
static unsigned long blocks;

void __sanitizer_cov_trace_pc(void);

void
__sanitizer_cov_trace_pc(void)
{
	blocks++;
}

const struct boot_info *
boot_info(void)
{
	return &info;
}

const struct boot_mem *
boot_map(size_t *count)
{
	*count = ARRAY_SIZE(map);
	return map;
}

void
page_zero(void *page)
{
	memset(page, 0, PAGE_SIZE);
}

/* Frames that the heap could give back: there is none here. */
size_t
mm_shrink(size_t want)
{
	(void)want;
	return 0;
}

/* Take all memory, in pieces as large as there are. */
static void
take_everything(void)
{
	for (size_t nr = GIB(1) / PAGE_SIZE; nr > 0; nr /= 2)
		while (pmm_alloc_range(PMM_TEST, nr, PAGE_SIZE, 0) != PADDR_NONE)
			;
}

/* The blocks of one allocation; *@pa = what it gave. */
static unsigned long
cost_of_alloc(paddr_t *pa)
{
	const unsigned long before = blocks;

	*pa = pmm_alloc(PMM_TEST);
	return blocks - before;
}

/* Only @a and @b are free, and @b was given back last: the dearer of the two allocations. */
static unsigned long
cost_of_two(paddr_t a, paddr_t b, unsigned *wrong)
{
	paddr_t first, second;
	unsigned long cost, cost2;

	pmm_free(a);
	pmm_free(b);
	/* In vain, but now both are bits: from the stack they would come without a search. */
	(void)pmm_alloc_range(PMM_TEST, 2, PAGE_SIZE, 0);
	cost = cost_of_alloc(&first);
	cost2 = cost_of_alloc(&second);
	*wrong += !((first == a && second == b) || (first == b && second == a));
	return MAX(cost, cost2);
}

static void
measure(size_t gib)
{
	const paddr_t last = BASE + GIB(gib) - PAGE_SIZE;
	const paddr_t places[PLACES] = {BASE, BASE + GIB(gib) / 3 / PAGE_SIZE * PAGE_SIZE,
					BASE + GIB(gib) / 2, last};
	unsigned long worst = 0, empty;
	unsigned wrong = 0;
	paddr_t none;

	take_everything();
	for (size_t i = 0; i < PLACES; i++) {
		for (size_t k = 0; k < PLACES; k++) {
			unsigned long cost;

			if (i == k)
				continue;
			cost = cost_of_two(places[i], places[k], &wrong);
			worst = MAX(worst, cost);
		}
	}
	empty = cost_of_alloc(&none);
	wrong += none != PADDR_NONE;
	(void)fprintf(stdout, "%zu %lu %lu %u\n", gib, worst, empty, wrong);
}

int
main(int argc, char **argv)
{
	const size_t gib = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	void *arena = mmap(NULL, GIB(4), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (arena == MAP_FAILED)
		return 1;
	direct_map_base = (uint64_t)arena;
	map[0] = (struct boot_mem){MIB(1), MIB(63), BOOT_MEM_RAM, 1};
	map[1] = (struct boot_mem){BASE, GIB(gib), BOOT_MEM_RAM, 1};
	if (pmm_init() != 0)
		return 1;
	measure(gib);
	return 0;
}
