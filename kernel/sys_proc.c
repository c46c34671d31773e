/*
 * sys_proc.c - system calls about the process itself: numbers, groups, sessions, end, odds and ends.
 */
#include <kern/process.h>
#include <kern/sched.h>
#include <kern/sys.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <uapi/prctl.h>
#include <x86/cpu.h>
#include <x86/task.h>
#include "proc/internal.h"

int64_t
sys_getpid(void)
{
	return process_self()->pid;
}

int64_t
sys_gettid(void)
{
	return task_self()->tid;
}

int64_t
sys_getppid(void)
{
	const struct process *parent = process_self()->parent;

	return parent == NULL || process_is_kernel(parent) ? parent != NULL : parent->pid;
}

int64_t
sys_exit(int status)
{
	process_exit((status & 255) << 8);
}

int64_t
sys_exit_group(int status)
{
	process_exit((status & 255) << 8);
}

/* --- groups and sessions ------------------------------------------------------------------------------- */

static int REQUIRES(process_lock) group_exists_locked(int pgid, int sid)
{
	const struct process *p;

	list_for_each_entry (p, &process_all, all_node) {
		if (p->pgid == pgid && p->sid == sid)
			return true;
	}
	return false;
}

static int REQUIRES(process_lock) set_group_locked(struct process *self, int pid, int pgid)
{
	struct process *p = pid == 0 ? self : process_find_locked(pid);

	if (p == NULL || (p != self && p->parent != self))
		return -ESRCH;
	if (pgid == 0)
		pgid = p->pid;
	if (p != self && p->sid != self->sid)
		return -EPERM;
	if (p != self && p->execed)
		return -EACCES;
	if (p->sid == p->pid || (pgid != p->pid && !group_exists_locked(pgid, self->sid)))
		return -EPERM;
	p->pgid = pgid;
	return 0;
}

int64_t
sys_setpgid(int pid, int pgid)
{
	int result;

	if ((pgid != 0 ? pgid : pid) < 0)
		return -EINVAL;
	mutex_lock(&process_lock);
	result = set_group_locked(process_self(), pid, pgid);
	mutex_unlock(&process_lock);
	return result;
}

static int64_t
one_of(int pid, bool session)
{
	const struct process *p;
	int result = -ESRCH;

	mutex_lock(&process_lock);
	p = pid == 0 ? process_self() : process_find_locked(pid);
	if (p != NULL)
		result = session ? p->sid : p->pgid;
	mutex_unlock(&process_lock);
	return result;
}

int64_t
sys_getpgid(int pid)
{
	return one_of(pid, false);
}

int64_t
sys_getpgrp(void)
{
	return process_self()->pgid;
}

int64_t
sys_getsid(int pid)
{
	return one_of(pid, true);
}

int64_t
sys_setsid(void)
{
	struct process *self = process_self();
	const struct process *p;
	int result = self->pid;

	mutex_lock(&process_lock);
	list_for_each_entry (p, &process_all, all_node) {
		if (p->pgid == self->pid)
			result = -EPERM;
	}
	if (result > 0) {
		self->pgid = self->sid = self->pid;
		self->tty = NULL;
	}
	mutex_unlock(&process_lock);
	return result;
}

/* --- of the thread ------------------------------------------------------------------------------------------ */

int64_t
sys_set_tid_address(uptr_t at)
{
	task_self()->clear_tid = at;
	return task_self()->tid;
}

#define ROBUST_HEAD 24 /* bytes of struct robust_list_head */

int64_t
sys_set_robust_list(uptr_t head, uint64_t len)
{
	if (len != ROBUST_HEAD)
		return -EINVAL;
	task_self()->robust_list = head;
	return 0;
}

int64_t
sys_get_robust_list(int pid, uptr_t head, uptr_t len)
{
	if (pid != 0 && pid != process_self()->pid)
		return -ESRCH;
	if (put_user((uint64_t)ROBUST_HEAD, len) != 0 ||
	    put_user(task_self()->robust_list, head) != 0)
		return -EFAULT;
	return 0;
}

int64_t
sys_arch_prctl(int code, uint64_t addr)
{
	struct task *t = task_self();

	switch (code) {
	case ARCH_SET_FS:
		if (addr >= USER_END)
			return -EPERM;
		task_set_fs_base(t, addr);
		return 0;
	case ARCH_SET_GS:
		if (addr >= USER_END)
			return -EPERM;
		task_set_gs_base(t, addr);
		return 0;
	case ARCH_GET_FS: return put_user(task_fs_base(t), (uptr_t){addr});
	case ARCH_GET_GS: return put_user(task_gs_base(t), (uptr_t){addr});
	default: return -EINVAL;
	}
}

static int64_t
set_comm(uptr_t name)
{
	char comm[TASK_COMM_LEN];
	const ssize_t n = strncpy_from_user(comm, name, sizeof(comm));

	if (n < 0 && n != -ENAMETOOLONG)
		return n;
	comm[TASK_COMM_LEN - 1] = '\0';
	memcpy(process_self()->comm, comm, sizeof(comm));
	thread_set_name(thread_self(), comm);
	return 0;
}

int64_t
sys_prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct process *p = process_self();

	switch (option) {
	case PR_SET_PDEATHSIG:
		if (a > NSIG)
			return -EINVAL;
		p->death_signal = (int)a;
		return 0;
	case PR_GET_PDEATHSIG: return put_user(p->death_signal, (uptr_t){a});
	case PR_GET_DUMPABLE: return p->dumpable;
	case PR_SET_DUMPABLE:
		if (a > 1)
			return -EINVAL;
		p->dumpable = (int)a;
		return 0;
	case PR_SET_NAME: return set_comm((uptr_t){a});
	case PR_GET_NAME: return copy_to_user((uptr_t){a}, p->comm, TASK_COMM_LEN);
	case PR_SET_NO_NEW_PRIVS:
		if (a != 1 || b != 0 || c != 0 || d != 0)
			return -EINVAL;
		p->no_new_privs = true;
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return a != 0 || b != 0 || c != 0 || d != 0 ? -EINVAL : p->no_new_privs;
	default: return -EINVAL;
	}
}

int64_t
sys_personality(uint64_t persona)
{
	const uint32_t old = process_self()->personality;

	if ((uint32_t)persona != UINT32_MAX)
		process_self()->personality = (uint32_t)persona;
	return old;
}

/* --- scheduling ------------------------------------------------------------------------------------------------ */

int64_t
sys_sched_yield(void)
{
	sched_yield();
	return 0;
}

int64_t
sys_getcpu(uptr_t cpu, uptr_t node)
{
	if (!uptr_null(cpu) && put_user((uint32_t)0, cpu) != 0)
		return -EFAULT;
	return uptr_null(node) ? 0 : put_user((uint32_t)0, node);
}

static bool
process_exists(int pid)
{
	struct process *p;

	if (pid == 0)
		return true;
	p = process_get(pid);
	if (p != NULL)
		process_put(p);
	return p != NULL;
}

int64_t
sys_sched_getaffinity(int pid, unsigned len, uptr_t mask)
{
	const uint64_t one = 1;

	if (len < sizeof(one) || len % sizeof(one) != 0)
		return -EINVAL;
	if (pid < 0 || !process_exists(pid))
		return -ESRCH;
	return copy_to_user(mask, &one, sizeof(one)) != 0 ? -EFAULT : (int64_t)sizeof(one);
}

int64_t
sys_sched_setaffinity(int pid, unsigned len, uptr_t mask)
{
	uint64_t word = 0;

	if (copy_from_user(&word, mask, MIN(len, (unsigned)sizeof(word))) != 0)
		return -EFAULT;
	if (pid < 0 || !process_exists(pid))
		return -ESRCH;
	return word & 1 ? 0 : -EINVAL;
}

int64_t
sys_sched_getscheduler(int pid)
{
	if (pid < 0)
		return -EINVAL;
	return process_exists(pid) ? 0 : -ESRCH;
}

int64_t
sys_sched_getparam(int pid, uptr_t param)
{
	if (pid < 0 || uptr_null(param))
		return -EINVAL;
	if (!process_exists(pid))
		return -ESRCH;
	return put_user((int)0, param);
}

static int
priority_range(int policy, int most)
{
	if (policy == 1 || policy == 2)
		return most;
	return policy == 0 || policy == 3 || policy == 5 || policy == 6 ? 0 : -EINVAL;
}

int64_t
sys_sched_get_priority_max(int policy)
{
	return priority_range(policy, 99);
}

int64_t
sys_sched_get_priority_min(int policy)
{
	return priority_range(policy, 1);
}

#define PRIO_PROCESS 0
#define PRIO_USER    2

static bool
in_priority_set(const struct process *p, int which, int who)
{
	const struct process *self = process_self();

	if (process_is_kernel(p) || p->state != PROC_ALIVE)
		return false;
	if (which == PRIO_PROCESS)
		return p->pid == (who != 0 ? who : self->pid);
	if (which == PRIO_USER)
		return p->cred.uid == (who != 0 ? (uint32_t)who : self->cred.uid);
	return p->pgid == (who != 0 ? who : self->pgid);
}

int64_t
sys_getpriority(int which, int who)
{
	const struct process *p;
	int best = -ESRCH;

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	mutex_lock(&process_lock);
	list_for_each_entry (p, &process_all, all_node) {
		if (in_priority_set(p, which, who))
			best = MAX(best, 20 - p->nice_value); /* so that it is not negative */
	}
	mutex_unlock(&process_lock);
	return best;
}

static int REQUIRES(process_lock) renice_locked(struct process *p, int nice)
{
	const struct cred *c = &process_self()->cred;
	const struct task *t = list_first(&p->tasks, struct task, node);

	if (c->euid != 0 && c->euid != p->cred.uid && c->euid != p->cred.euid)
		return -EPERM;
	if (c->euid != 0 && nice < p->nice_value)
		return -EACCES;
	p->nice_value = nice;
	return t->thread != NULL ? thread_set_nice(t->thread->id, nice) : 0;
}

int64_t
sys_setpriority(int which, int who, int nice)
{
	struct process *p;
	int result = -ESRCH;

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	nice = MIN(MAX(nice, -20), 19);
	mutex_lock(&process_lock);
	list_for_each_entry (p, &process_all, all_node) {
		if (in_priority_set(p, which, who))
			result = renice_locked(p, nice);
	}
	mutex_unlock(&process_lock);
	return result;
}

/*
 * Restartable sequences are for threads that are moved between CPUs; libraries ask for them at their start
 * and do without.
 */
int64_t
sys_rseq(void)
{
	return -ENOSYS;
}
