/*
 * oom.c - when memory has run out: the process that holds most of it is ended.
 */
#include <kern/clock.h>
#include <kern/process.h>
#include <kern/sched.h>
#include <mm/aspace.h>
#include "internal.h"

#define WAIT_MS 20 /* for the one that was killed to give its memory back */

static struct process *REQUIRES(process_lock) biggest_locked(void)
{
	struct process *p, *found = NULL;
	size_t most = 0;

	list_for_each_entry (p, &process_all, all_node) {
		if (p->state != PROC_ALIVE || p->as == NULL || p->pid == 1)
			continue;
		if (p->as->resident > most) {
			most = p->as->resident;
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
	p = biggest_locked();
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
