/*
 * timer.h - callbacks from the timer interrupt, in order of their deadlines; equal ones as armed.
 *
 * Implementation: kernel/timer.c.  Theory: docs/time.md.  With n timers armed,
 * arming takes the same few instructions, whatever n is, and firing or cancelling O(log n) on the average.
 */
#pragma once
#include <kern/base.h>
#include <lib/pqueue.h>

struct timer {
	struct pq_node node;   /* [timer] its key is the deadline, clock_ns() time */
	uint64_t period_ns;    /* [timer] 0 = once */
	void (*fn)(void *arg); /* runs in interrupt context, interrupts off */
	void *arg;
};

void timer_setup(struct timer *t, void (*fn)(void *), void *arg);
/* (Re)arm: @fn runs once, at @deadline_ns or a little later, never before.  Context: any. */
void timer_arm(struct timer *t, uint64_t deadline_ns);
/*
 * (Re)arm: @fn runs at @first_ns and every @period_ns (not 0) after that, until cancelled or armed anew.
 * The rhythm does not shift; a turn that would come after the next one is due is left out.  Context: any.
 */
void timer_arm_periodic(struct timer *t, uint64_t first_ns, uint64_t period_ns);
/* Returns true if it was armed and will now not run.  Context: any. */
bool timer_cancel(struct timer *t);
/* Run what is due, at most @max.  True if there was anything.  Called by the timer interrupt. */
bool timer_run(uint64_t now_ns, unsigned max);
/* Deadline of the first; UINT64_MAX when none is armed.  Interrupts off. */
uint64_t timer_next(void);
