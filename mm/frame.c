/*
 * frame.c - how many hold a page frame.
 *
 * A table of 32-bit counts by frame number, at a fixed place in the kernel's mappings.  It has memory
 * behind it only where RAM is, so a machine with its RAM above 4 GiB pays for that RAM and not for
 * the hole.  The count is of holders beyond the first.
 */
#include <mm/frame.h>
#include <kern/spinlock.h>
#include <mm/tables.h>
#include <mm/vmm.h>

#define TABLE ((uint32_t *)FRAME_TABLE_BASE)

#define FRAME_BATCH 64 /* counts changed with interrupts off */

static struct spinlock lock = SPINLOCK_INIT("frame counts");

static void
populate(void *arg, paddr_t start, paddr_t end)
{
	const vaddr_t first = ALIGN_DOWN((vaddr_t)&TABLE[start >> PAGE_SHIFT], PAGE_SIZE);
	const vaddr_t last = ALIGN_UP((vaddr_t)&TABLE[end >> PAGE_SHIFT], PAGE_SIZE);
	int *result = arg;

	for (vaddr_t va = first; va < last && *result == 0; va += PAGE_SIZE) {
		paddr_t pa;

		if (vmm_translate(va, NULL) == 0) /* shared with the range below */
			continue;
		pa = pmm_alloc_zeroed(PMM_VMALLOC);
		if (pa == PADDR_NONE)
			*result = -ENOMEM;
		else
			*result = vmm_map_page(va, pa, VM_WRITE | VM_GLOBAL);
	}
}

int
frame_init(void)
{
	int result = 0;

	pmm_for_each_range(populate, &result);
	return result;
}

void
frame_get(paddr_t pa)
{
	const uint64_t flags = spin_lock(&lock);
	uint32_t *count = &TABLE[pa >> PAGE_SHIFT];

	assert(*count != UINT32_MAX);
	(*count)++;
	spin_unlock(&lock, flags);
}

void
frame_get_all(const paddr_t *frames, size_t n)
{
	while (n > 0) {
		const size_t part = MIN(n, (size_t)FRAME_BATCH);
		const uint64_t flags = spin_lock(&lock);

		for (size_t i = 0; i < part; i++) {
			uint32_t *count = &TABLE[frames[i] >> PAGE_SHIFT];

			assert(*count != UINT32_MAX);
			(*count)++;
		}
		spin_unlock(&lock, flags);
		frames += part;
		n -= part;
	}
}

void
frame_put(paddr_t pa)
{
	const uint64_t flags = spin_lock(&lock);
	uint32_t *count = &TABLE[pa >> PAGE_SHIFT];
	const bool last = *count == 0;

	if (!last)
		(*count)--;
	spin_unlock(&lock, flags);
	if (last)
		pmm_free(pa);
}

void
frame_put_all(const paddr_t *frames, size_t n)
{
	paddr_t last[FRAME_BATCH];

	while (n > 0) {
		const size_t part = MIN(n, (size_t)FRAME_BATCH);
		size_t nr_last = 0;
		const uint64_t flags = spin_lock(&lock);

		for (size_t i = 0; i < part; i++) {
			uint32_t *count = &TABLE[frames[i] >> PAGE_SHIFT];

			if (*count == 0)
				last[nr_last++] = frames[i];
			else
				(*count)--;
		}
		spin_unlock(&lock, flags);
		for (size_t i = 0; i < nr_last; i++)
			pmm_free(last[i]);
		frames += part;
		n -= part;
	}
}

bool
frame_shared(paddr_t pa)
{
	return TABLE[pa >> PAGE_SHIFT] != 0;
}
