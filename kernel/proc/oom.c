/*
 * oom.c - when memory has run out: the process that holds most of it is ended.
 */
#include <kern/clock.h>
#include <kern/process.h>
#include <kern/sched.h>
#include <mm/aspace.h>
#include <mm/pmm.h>
#include "internal.h"

#define OOM_NEVER (-1000) /* of oom_score_adj */
#define WAIT_MS	  20	  /* for the one that was killed to give its memory back */

/* Thousandths of all memory that it holds, and what oom_score_adj adds; 0 or less = not this one. */
int
oom_score(struct process *p)
{
	struct aspace *as = process_aspace(p);
	struct pmm_stats s;
	size_t resident;

	if (as == NULL || p->pid == 1) {
		if (as != NULL)
			aspace_put(as);
		return 0;
	}
	resident = as->resident;
	aspace_put(as);
	pmm_stats(&s);
	if (p->oom_adj == OOM_NEVER)
		return 0;
	return MAX((int)(resident * 1000 / s.total) + p->oom_adj, 1);
}

static struct process *REQUIRES(process_lock) worst_locked(void)
{
	struct process *p, *found = NULL;
	size_t most = 0;
	int worst = 0;

	list_for_each_entry (p, &process_all, all_node) {
		const int score = p->state == PROC_ALIVE && p->as != NULL ? oom_score(p) : 0;

		if (score > worst ||
		    (score == worst && score > 0 && p->as != NULL && p->as->resident > most)) {
			worst = score;
			most = p->as != NULL ? p->as->resident : 0;
			found = p;
		}
	}
	return found;
}

bool
oom_kill(void)
{
	const struct k_siginfo info = {.signo = SIGKILL, .code = SI_KERNEL};
	struct process *p;
	bool self;

	mutex_lock(&process_lock);
	p = worst_locked();
	self = p == process_self();
	if (p != NULL && !p->oom_killed) {
		p->oom_killed = true;
		log_warn("out of memory: %s[%d] is ended, it holds %zu KiB", p->comm, p->pid,
			 p->as->resident * 4);
		(void)signal_send(p, &info);
	}
	mutex_unlock(&process_lock);
	if (p == NULL || self)
		return false;
	(void)sleep_ms(WAIT_MS);
	return !signal_pending();
}
