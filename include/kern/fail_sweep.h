/*
 * fail_sweep.h - try an operation with each of its allocations failing, one after the other.
 *
 * Implementation: kernel/fail_sweep.c; theory: docs/memory.md, "Failure injection".
 */
#pragma once
#include <kern/base.h>

/*
 * Do it, in this thread; 0 or an error.  Either way nothing that was allocated for it may be left
 * when it returns.
 */
typedef int (*fail_op)(void *arg);

struct fail_sweep {
	uint64_t points; /* allocations that were made to fail, each in a run of its own */
	uint64_t
		survived; /* of these runs: those that came back with 0, having found another way */
	int64_t objects_lost; /* heap objects and large blocks more in use than before */
	int64_t frames_lost;  /* frames more in use; page tables and empty slabs do not count */
	int last_error;	      /* of the last run that failed; 0 = none did */
	int result;	      /* of the run in which all was granted */
	bool endless;	      /* given up after FAIL_SWEEP_MAX runs */
};

#define FAIL_SWEEP_MAX 5000

/*
 * Run @op(@arg) with the 1st, then the 2nd, ... allocation of the kinds in @kinds (BIT(enum
 * fail_kind), 0 = all) failing, until a run gets by without one.  Ends any plan that was armed.
 * Context: thread.
 */
void fail_sweep(fail_op op, void *arg, unsigned kinds, struct fail_sweep *out);
