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

/* Frames that @p's memory has; 0 = it has none any more. */
static size_t
resident_of(struct process *p)
{
	struct aspace *as = process_aspace(p);
	size_t resident;

	if (as == NULL)
		return 0;
	resident = as->resident;
	aspace_put(as);
	return resident;
}

/* Thousandths of all memory, and what oom_score_adj adds; 0 = not this one. */
static int
score_of(const struct process *p, size_t resident)
{
	struct pmm_stats s;

	if (resident == 0 || p->pid == 1 || p->oom_adj == OOM_NEVER)
		return 0;
	pmm_stats(&s);
	return MAX((int)(resident * 1000 / s.total) + p->oom_adj, 1);
}

int
oom_score(struct process *p)
{
	return score_of(p, resident_of(p));
}

/* The one to be ended, and the frames that it has. */
static struct process *REQUIRES(process_lock) worst_locked(size_t *frames)
{
	struct process *p, *found = NULL;
	int worst = 0;

	*frames = 0;
	list_for_each_entry (p, &process_all, all_node) {
		const size_t resident = p->state == PROC_ALIVE ? resident_of(p) : 0;
		const int score = score_of(p, resident);

		if (score > worst || (score == worst && score > 0 && resident > *frames)) {
			worst = score;
			*frames = resident;
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
	size_t frames;
	bool self;

	mutex_lock(&process_lock);
	p = worst_locked(&frames);
	self = p == process_self();
	if (p != NULL && !p->oom_killed) {
		p->oom_killed = true;
		log_warn("out of memory: %s[%d] is ended, it holds %zu KiB", p->comm, p->pid,
			 frames * 4);
		(void)signal_send(p, &info);
	}
	mutex_unlock(&process_lock);
	if (p == NULL || self)
		return false;
	(void)sleep_ms(WAIT_MS);
	return !signal_pending();
}
