/*
 * exit.c - how a process ends, and how its parent hears of it.
 *
 * Everything but the number and the result goes at once; the zombie stays in the tables until wait4() of the
 * parent takes it, unless the parent said that it does not care.  The thread that ends becomes a
 * kernel thread for its last steps: the task may be freed while they are under way.
 */
#include <kern/process.h>
#include <fs/vfs.h>
#include <kern/tty.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <uapi/sched.h>
#include <x86/task.h>
#include "internal.h"

bool
process_unwanted_locked(const struct process *p)
{
	struct process *parent = p->parent;
	const struct k_sigaction *a;

	if (p->kernel_child)
		return false;
	if (parent == NULL || process_is_kernel(parent))
		return true;
	if (p->exit_signal != SIGCHLD)
		return false;
	a = &parent->sig.action[SIGCHLD - 1];
	return a->handler == SIG_IGN || (a->flags & SA_NOCLDWAIT) != 0;
}

void
process_tell_parent_locked(struct process *p, int code, int status)
{
	struct process *parent = p->parent;
	const int signo = code >= CLD_TRAPPED ? SIGCHLD : p->exit_signal;
	struct k_siginfo info = {.signo = signo, .code = code};

	if (parent == NULL)
		return;
	info.child.pid = p->pid;
	info.child.uid = p->cred.uid;
	info.child.status = status;
	info.child.utime = (int64_t)process_ticks(p, true);
	info.child.stime = (int64_t)process_ticks(p, false);
	__atomic_fetch_add(&parent->child_events, 1, __ATOMIC_RELEASE);
	(void)wake_all(&parent->child_wait);
	if (signo != 0 && !process_is_kernel(parent) &&
	    !(code >= CLD_TRAPPED && parent->sig.action[SIGCHLD - 1].flags & SA_NOCLDSTOP))
		(void)signal_send(parent, &info);
}

/* Has the group of @p a member whose parent is of the same session, but of another group?  Without @p. */
bool
process_group_orphaned_locked(int pgid, const struct process *without)
{
	const struct process *p;

	list_for_each_entry (p, &process_all, all_node) {
		if (p->pgid == pgid && p != without && p->state == PROC_ALIVE &&
		    p->parent != NULL && !process_is_kernel(p->parent) && p->parent->pgid != pgid &&
		    p->parent->sid == p->sid)
			return false;
	}
	return true;
}

static bool REQUIRES(process_lock) group_has_stopped_locked(int pgid)
{
	const struct process *p;

	list_for_each_entry (p, &process_all, all_node) {
		if (p->pgid == pgid && p->stopped)
			return true;
	}
	return false;
}

/* Stopped jobs that nobody can continue any more are told, and go on. */
static void REQUIRES(process_lock) release_group_locked(int pgid, const struct process *leaving)
{
	struct k_siginfo info = {.signo = SIGHUP, .code = SI_KERNEL};

	if (!process_group_orphaned_locked(pgid, leaving) || !group_has_stopped_locked(pgid))
		return;
	(void)signal_send_group_locked(pgid, &info);
	info.signo = SIGCONT;
	(void)signal_send_group_locked(pgid, &info);
}

/* Children of @p, dead or alive, become the reaper's. */
static void REQUIRES(process_lock) give_away_children_locked(struct process *p)
{
	struct process *to = process_reaper(), *child, *next;

	list_for_each_entry_safe (child, next, &p->children, sibling) {
		list_del(&child->sibling);
		child->parent = to;
		child->exit_signal = SIGCHLD;
		list_add_tail(&to->children, &child->sibling);
		if (child->pgid != p->pgid)
			release_group_locked(child->pgid, NULL);
		if (child->state != PROC_ZOMBIE)
			continue;
		if (process_unwanted_locked(child))
			process_leave_locked(child);
		else
			process_tell_parent_locked(child, CLD_EXITED,
						   child->exit_status >> 8 & 255);
	}
}

void
process_let_vfork_parent_go(struct process *p)
{
	mutex_lock(&process_lock);
	p->vforked = false;
	mutex_unlock(&process_lock);
	(void)wake_all(&p->vfork_wait);
}

/* Memory, files, timers; the process still has its number. */
static void
give_back(struct process *p, struct task *t)
{
	struct aspace *as = p->as;

	(void)timer_cancel(&p->alarm);
	if (!uptr_null(t->clear_tid) && as != NULL && as->refs > 1) {
		const int zero = 0;

		if (copy_to_user(t->clear_tid, &zero, sizeof(zero)) != 0)
			t->clear_tid = (uptr_t){0};
	}
	(void)process_swap_aspace(p, NULL);
	aspace_switch(NULL);
	if (as != NULL)
		aspace_put(as);
	process_put_files(p);
	process_set_exe(p, NULL);
	signal_flush(p);
}

static void REQUIRES(process_lock) become_zombie_locked(struct process *p, int status)
{
	p->exit_status = status;
	p->stopped = p->continued = false;
	give_away_children_locked(p);
	if (p->parent != NULL && !process_is_kernel(p->parent) && p->parent->pgid != p->pgid)
		release_group_locked(p->pgid, p);
	p->state = PROC_ZOMBIE;
	if (p == process_reaper()) {
		process_reaper_gone_locked(p);
		return;
	}
	process_tell_parent_locked(
		p, (status & 127) != 0 ? (status & 128 ? CLD_DUMPED : CLD_KILLED) : CLD_EXITED,
		(status & 127) != 0 ? status & 127 : status >> 8 & 255);
	if (process_unwanted_locked(p))
		process_leave_locked(p);
}

void
process_exit(int status)
{
	struct task *t = task_self();
	struct process *p = t->proc;

	p->sig.exiting = true;
	give_back(p, t);
	process_let_vfork_parent_go(p);
	tty_process_gone(p);
	process_note_times(t);
	preempt_disable();
	task_switch(t, NULL);
	task_free_user(t); /* not before: an interrupt would have its registers loaded again */
	thread_self()->task = NULL;
	preempt_enable();
	t->thread = NULL;
	mutex_lock(&process_lock);
	become_zombie_locked(p, status);
	mutex_unlock(&process_lock);
	thread_exit(0);
}
