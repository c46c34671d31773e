/*
 * stress.h - the shell's `stress`: everything at once, at random, from a seed.
 *
 * Implementation: tests/kernel/stress/.  Theory: docs/testing.md, "Torn at".
 */
#pragma once
#include <kern/base.h>

#define STRESS_KINDS_MAX 16

struct stress_report {
	uint64_t done;			    /* operations */
	uint64_t by_kind[STRESS_KINDS_MAX]; /* in the order of stress_kind_name() */
	uint64_t refused;		    /* of them: memory was short, as it may be */
	uint64_t ns;			    /* how long it took */
	bool interrupted;		    /* Ctrl-C */
	char failure[200];		    /* "" = none */
};

/* Name of kind number @i, NULL past the end. */
const char *stress_kind_name(size_t i);

/*
 * Run @n operations from @seed, of all kinds or only of kind @only (an index, or a negative
 * number for all).  0; -EIO when something was wrong (report->failure says what), -ENOMEM when it
 * could not start.  The same seed gives the same operations, but preemption mixes them
 * differently each time, except under QEMU's -icount.  Context: thread.
 */
int stress_run(uint64_t n, uint64_t seed, int only, struct stress_report *report);
