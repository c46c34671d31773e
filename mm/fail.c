/*
 * fail.c - which allocations fail on purpose.
 *
 * One plan at a time, for one thread: only that thread counts, so there is nothing to lock.  The
 * chain of callers is looked at for every allocation that could fit, which is slow and does not
 * matter; what matters is the way when nothing is armed, one test of a flag (fail.h).
 */
#include <mm/fail.h>
#include <kern/irq.h>
#include <kern/ksym.h>
#include <kern/thread.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <x86/callers.h>

bool fail_armed;		/* [a] */
static struct fail_state state; /* [the plan's thread, while armed] */

const char *const fail_kind_names[FAIL_KINDS] = {
	[FAIL_KMALLOC] = "kmalloc", [FAIL_SLAB] = "slab",   [FAIL_FRAME] = "frame",
	[FAIL_PAGES] = "pages",	    [FAIL_STACK] = "stack", [FAIL_TABLE] = "table",
};

void
fail_arm(const struct fail_plan *plan)
{
	fail_armed = false;
	state = (struct fail_state){.plan = *plan};
	if (state.plan.kinds == 0)
		state.plan.kinds = BIT(FAIL_KINDS) - 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	kmalloc_ask_always(true);
	fail_armed = true;
}

uint64_t
fail_disarm(void)
{
	fail_armed = false;
	kmalloc_ask_always(false);
	return state.failed;
}

void
fail_get_state(struct fail_state *out)
{
	*out = state;
	out->armed = fail_armed;
}

int
fail_find_site(const char *name, uint64_t *start, uint64_t *end)
{
	size_t i = 0;
	uint64_t addr;

	*start = ksym_find(name);
	if (*start == 0 || !ksym_is_code(*start))
		return -ENOENT;
	*end = *start + 1;
	for (; ksym_at(i, &addr) != NULL; i++) {
		if (addr > *start) {
			*end = addr;
			break;
		}
	}
	return 0;
}

/* Is one of the callers in the plan's range?  A return address may be the byte behind it. */
static bool
from_site(const uint64_t *chain, unsigned n)
{
	if (state.plan.site_end == 0)
		return true;
	for (unsigned i = 0; i < n; i++) {
		if (chain[i] > state.plan.site_start && chain[i] <= state.plan.site_end)
			return true;
	}
	return false;
}

bool
fail_check(enum fail_kind kind)
{
	uint64_t chain[FAIL_CHAIN_MAX];
	unsigned n;

	if (thread_self() != state.plan.thread || in_irq() || (state.plan.kinds & BIT(kind)) == 0)
		return false;
	n = callers_collect(__builtin_return_address(0), chain, FAIL_CHAIN_MAX);
	if (!from_site(chain, n))
		return false;
	state.counted++;
	if (state.counted != state.plan.nth &&
	    (state.plan.every == 0 || state.counted % state.plan.every != 0))
		return false;
	state.failed++;
	memcpy(state.chain, chain, sizeof(chain));
	state.chain_len = n;
	return true;
}
