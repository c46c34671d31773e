/*
 * wait.c - wait4() and waitid(): what became of children.
 */
#include <kern/process.h>
#include <kern/sys.h>
#include <kern/usercopy.h>
#include <uapi/resource.h>
#include <uapi/sched.h>
#include "internal.h"

struct wait_request {
	int type, id; /* P_ALL, P_PID, P_PGID */
	unsigned options;
	/* What was found. */
	int pid, code, status; /* CLD_*, as siginfo has it; and as wait4() has it */
	int wait_status;
	uint32_t uid;
	struct k_rusage usage;
};

static bool
is_meant(const struct process *p, const struct wait_request *r)
{
	if (r->type == P_PID && p->pid != r->id)
		return false;
	if (r->type == P_PGID && p->pgid != r->id)
		return false;
	if (r->options & WALL)
		return true;
	return (p->exit_signal != SIGCHLD) == ((r->options & WCLONE) != 0);
}

static void
take_times(struct process *parent, const struct process *child)
{
	parent->child_utime_cycles += child->utime_cycles + child->child_utime_cycles;
	parent->child_stime_cycles += child->stime_cycles + child->child_stime_cycles;
	parent->child_minor_faults += child->minor_faults + child->child_minor_faults;
	parent->child_major_faults += child->major_faults + child->child_major_faults;
}

static bool REQUIRES(process_lock)
	report_end_locked(struct process *self, struct process *p, struct wait_request *r)
{
	const int status = p->exit_status;

	r->wait_status = status;
	r->code = (status & 127) == 0 ? CLD_EXITED : status & 128 ? CLD_DUMPED : CLD_KILLED;
	r->status = (status & 127) == 0 ? status >> 8 & 255 : status & 127;
	process_usage(p, RUSAGE_BOTH, &r->usage);
	if ((r->options & WNOWAIT) == 0) {
		take_times(self, p);
		process_leave_locked(p);
	}
	return true;
}

static bool REQUIRES(process_lock) report_change_locked(struct process *p, struct wait_request *r)
{
	const bool keep = (r->options & WNOWAIT) != 0;

	if (r->options & WSTOPPED && p->stopped && !p->stop_reported) {
		p->stop_reported = !keep;
		r->wait_status = p->stop_signal << 8 | 0x7f;
		r->code = CLD_STOPPED;
		r->status = p->stop_signal;
		return true;
	}
	if (r->options & WCONTINUED && p->continued) {
		p->continued = keep;
		r->wait_status = 0xffff;
		r->code = CLD_CONTINUED;
		r->status = SIGCONT;
		return true;
	}
	return false;
}

/* 1 = found, 0 = nothing yet, -ECHILD = there is none that it could be. */
static int REQUIRES(process_lock) look_locked(struct process *self, struct wait_request *r)
{
	struct process *p, *next;
	int result = -ECHILD;

	list_for_each_entry_safe (p, next, &self->children, sibling) {
		bool found;

		if (!is_meant(p, r))
			continue;
		result = 0;
		r->pid = p->pid;
		r->uid = p->cred.uid;
		if (p->state == PROC_ZOMBIE)
			found = r->options & WEXITED && report_end_locked(self, p, r);
		else
			found = report_change_locked(p, r);
		if (found)
			return 1;
	}
	return result;
}

/* The same as above, or -ERESTARTSYS; waits unless WNOHANG. */
static int
wait_for(struct wait_request *r)
{
	struct process *self = process_self();

	for (;;) {
		const uint32_t seen = __atomic_load_n(&self->child_events, __ATOMIC_ACQUIRE);
		int result;

		mutex_lock(&process_lock);
		result = look_locked(self, r);
		mutex_unlock(&process_lock);
		if (result != 0 || r->options & WNOHANG)
			return result;
		if (wait_event(&self->child_wait, self->child_events != seen) != 0)
			return -ERESTARTSYS;
	}
}

int64_t
sys_wait4(int pid, uptr_t status, int options, uptr_t usage)
{
	struct wait_request r = {.type = pid == -1 ? P_ALL
					 : pid > 0 ? P_PID
						   : P_PGID,
				 .id = pid > 0	  ? pid
				       : pid == 0 ? process_self()->pgid
						  : -pid,
				 .options = (unsigned)options | WEXITED};
	int result;

	if ((unsigned)options & ~(WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WCLONE | WALL))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	result = wait_for(&r);
	if (result <= 0)
		return result;
	if (!uptr_null(status) && put_user(r.wait_status, status) != 0)
		return -EFAULT;
	if (!uptr_null(usage) && put_user(r.usage, usage) != 0)
		return -EFAULT;
	return r.pid;
}

int64_t
sys_waitid(int type, int id, uptr_t out, int options, uptr_t usage)
{
	struct wait_request r = {.type = type, .id = id, .options = (unsigned)options};
	struct k_siginfo info = {0};
	int result;

	if ((unsigned)options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | WNOTHREAD |
				  WCLONE | WALL) ||
	    ((unsigned)options & (WEXITED | WSTOPPED | WCONTINUED)) == 0)
		return -EINVAL;
	if (type == P_PGID && id == 0)
		r.id = process_self()->pgid;
	else if (type < P_ALL || type > P_PGID || (type != P_ALL && id <= 0))
		return -EINVAL;
	result = wait_for(&r);
	if (result < 0)
		return result;
	if (result > 0) {
		info.signo = SIGCHLD;
		info.code = r.code;
		info.child.pid = r.pid;
		info.child.uid = r.uid;
		info.child.status = r.status;
		if (!uptr_null(usage) && put_user(r.usage, usage) != 0)
			return -EFAULT;
	}
	return uptr_null(out) ? 0 : copy_to_user(out, &info, 48);
}
