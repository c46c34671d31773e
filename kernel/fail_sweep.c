/*
 * fail_sweep.c - every allocation of an operation fails once, and what is left behind is counted.
 */
#include <kern/fail_sweep.h>
#include <kern/thread.h>
#include <mm/fail.h>
#include <mm/leaks.h>
#include <mm/pmm.h>
#include <mm/shrink.h>
#include <x86/cpu.h>
#include <x86/pte.h>

/* Page tables below the table at @pa, itself included; @level 4 is the PML4. */
static int64_t
count_tables(paddr_t pa, unsigned level)
{
	const pte_t *table = phys_to_virt(pa);
	int64_t n = 1;

	for (unsigned i = 0; level > 1 && i < 512; i++) {
		if ((table[i] & PTE_P) != 0 && (level == 4 || (table[i] & PTE_PS) == 0))
			n += count_tables(table[i] & PTE_ADDR, level - 1);
	}
	return n;
}

/* What is in use now, stocks given back.  Page tables do not count: once made, they stay. */
static void
count(int64_t *objects, int64_t *frames)
{
	struct pmm_stats stats;
	size_t small, large;

	(void)mm_shrink(SIZE_MAX);
	heap_count(&small, &large);
	pmm_stats(&stats);
	*objects = (int64_t)(small + large);
	*frames = (int64_t)(stats.total - stats.free) - count_tables(read_cr3() & PTE_ADDR, 4);
}

void
fail_sweep(fail_op op, void *arg, unsigned kinds, struct fail_sweep *out)
{
	struct fail_plan plan = {.thread = thread_self(), .kinds = kinds};
	int64_t objects, frames, objects_after, frames_after;
	uint64_t failed;

	*out = (struct fail_sweep){0};
	(void)fail_disarm();
	count(&objects, &frames);
	do {
		plan.nth++;
		fail_arm(&plan);
		out->result = op(arg);
		failed = fail_disarm();
		out->points += failed;
		out->survived += failed > 0 && out->result == 0;
		if (failed > 0 && out->result != 0)
			out->last_error = out->result;
	} while (failed > 0 && plan.nth < FAIL_SWEEP_MAX);
	out->endless = failed > 0;
	count(&objects_after, &frames_after);
	out->objects_lost = objects_after - objects;
	out->frames_lost = frames_after - frames;
}
