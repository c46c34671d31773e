/*
 * tick_watch.c - how regularly the ticks come while a test measures.
 *
 * In a virtual machine on a busy host they come late, and some get lost: the scheduler can be no
 * more punctual than its ticks are.  A test that measures time allows for what it sees here.
 */
#include "tests.h"
#include <kern/clock.h>
#include <x86/cpu.h>

static void
note(void *arg)
{
	struct tick_watch *w = arg;
	const uint64_t now = clock_ns(), gap = now - w->last;

	if (w->nr > 0 && gap > w->worst_ns)
		w->worst_ns = gap;
	if (w->nr > 0 && gap > NS_PER_TICK - NS_PER_TICK / 200 && gap < NS_PER_TICK + NS_PER_TICK / 200)
		w->regular++;
	w->nr++;
	w->last = now;
	timer_arm(&w->timer, now + 1); /* the next tick */
}

void
tick_watch_start(struct tick_watch *w)
{
	*w = (struct tick_watch){.worst_ns = NS_PER_TICK};
	timer_setup(&w->timer, note, w);
	timer_arm(&w->timer, clock_ns());
}

void
tick_watch_stop(struct tick_watch *w)
{
	const uint64_t flags = irq_save();

	(void)timer_cancel(&w->timer); /* interrupts are off: it cannot be just running */
	irq_restore(flags);
	/* The tick that is overdue now counts as well. */
	if (w->nr > 0)
		w->worst_ns = MAX(w->worst_ns, clock_ns() - w->last);
}
