/*
 * timer.h - one-shot callbacks from the timer interrupt, in order of their deadlines.
 */
#pragma once
#include <kern/base.h>
#include <lib/list.h>

struct timer {
	struct list node;      /* [timer] */
	uint64_t deadline_ns;  /* [timer] clock_ns() time */
	void (*fn)(void *arg); /* runs in interrupt context, interrupts off */
	void *arg;
};

void timer_setup(struct timer *t, void (*fn)(void *), void *arg);
/* (Re)arm: @fn runs at the first tick at or after @deadline_ns.  Context: any. */
void timer_arm(struct timer *t, uint64_t deadline_ns);
/* Returns true if it was armed and will now not run.  Context: any. */
bool timer_cancel(struct timer *t);
/* Called by the tick. */
void timer_run(uint64_t now_ns);
