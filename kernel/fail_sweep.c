/*
 * fail_sweep.c - every allocation of an operation fails once, and what is left behind is counted.
 */
#include <kern/fail_sweep.h>
#include <kern/thread.h>
#include <mm/fail.h>
#include <mm/leaks.h>
#include <mm/pmm.h>
#include <mm/shrink.h>

/* What is in use now, stocks given back. */
static void
count(int64_t *objects, int64_t *frames)
{
	struct pmm_stats stats;
	size_t small, large;

	(void)mm_shrink(SIZE_MAX);
	heap_count(&small, &large);
	pmm_stats(&stats);
	*objects = (int64_t)(small + large);
	*frames = (int64_t)(stats.total - stats.free);
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
