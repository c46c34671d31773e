/*
 * sys_signal.c - system calls about signals.
 */
#include <kern/clock.h>
#include <kern/process.h>
#include <kern/sys.h>
#include <kern/syscall.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <fs/vfs.h>
#include <x86/trap.h>
#include "proc/internal.h"
#include "proc/signal.h"

#define SETSIZE sizeof(k_sigset_t)

int64_t
sys_rt_sigaction(int signo, uptr_t new, uptr_t old, uint64_t size)
{
	struct k_sigaction n, o;
	struct {
		uint64_t handler, flags, restorer, mask;
	} user;
	int result;

	if (size != SETSIZE)
		return -EINVAL;
	if (!uptr_null(new)) {
		if (copy_from_user(&user, new, sizeof(user)) != 0)
			return -EFAULT;
		n = (struct k_sigaction){user.handler, user.flags, user.restorer, user.mask};
	}
	result = signal_set_action(signo, uptr_null(new) ? NULL : &n, &o);
	if (result != 0 || uptr_null(old))
		return result;
	user.handler = o.handler;
	user.flags = o.flags;
	user.restorer = o.restorer;
	user.mask = o.mask;
	return copy_to_user(old, &user, sizeof(user));
}

#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

int64_t
sys_rt_sigprocmask(int how, uptr_t new, uptr_t old, uint64_t size)
{
	const k_sigset_t was = task_self()->blocked;
	k_sigset_t set;

	if (size != SETSIZE)
		return -EINVAL;
	if (!uptr_null(new)) {
		if (get_user(set, new) != 0)
			return -EFAULT;
		switch (how) {
		case SIG_BLOCK: signal_set_blocked(was | set); break;
		case SIG_UNBLOCK: signal_set_blocked(was & ~set); break;
		case SIG_SETMASK: signal_set_blocked(set); break;
		default: return -EINVAL;
		}
	}
	return uptr_null(old) ? 0 : put_user(was, old);
}

int64_t
sys_rt_sigpending(uptr_t out, uint64_t size)
{
	const struct task *t = task_self();
	const k_sigset_t set = (t->pending | t->proc->sig.pending) & t->blocked;

	if (size > SETSIZE)
		return -EINVAL;
	return copy_to_user(out, &set, size);
}

/* Until a handler has run. */
static int64_t
wait_for_signal(void)
{
	static struct wait_queue nobody = WAIT_QUEUE_INIT(nobody);

	(void)wait_event(&nobody, false);
	return -ERESTARTNOHAND;
}

int64_t
sys_pause(void)
{
	return wait_for_signal();
}

int64_t
sys_rt_sigsuspend(uptr_t mask, uint64_t size)
{
	k_sigset_t set;

	if (size != SETSIZE)
		return -EINVAL;
	if (get_user(set, mask) != 0)
		return -EFAULT;
	signal_block_for_wait(set);
	return wait_for_signal();
}

int64_t
sys_rt_sigtimedwait(uptr_t wanted, uptr_t info, uptr_t timeout, uint64_t size)
{
	static struct wait_queue nobody = WAIT_QUEUE_INIT(nobody);
	struct task *t = task_self();
	uint64_t deadline = WAIT_FOREVER;
	struct timespec64 ts;
	struct k_siginfo si;
	k_sigset_t set, blocked = t->blocked;
	int signo;

	if (size != SETSIZE)
		return -EINVAL;
	if (get_user(set, wanted) != 0)
		return -EFAULT;
	if (!uptr_null(timeout)) {
		if (copy_from_user(&ts, timeout, sizeof(ts)) != 0)
			return -EFAULT;
		if (ts.sec < 0 || ts.nsec < 0 || ts.nsec >= (int64_t)NS_PER_SEC)
			return -EINVAL;
		deadline = clock_ns() + (uint64_t)MIN(ts.sec, 1L << 32) * NS_PER_SEC +
			   (uint64_t)ts.nsec;
	}
	set &= ~(sig_bit(SIGKILL) | sig_bit(SIGSTOP));
	signo = signal_take(set, &si);
	if (signo == 0 && deadline > clock_ns()) {
		t->awaited = set;
		signal_set_blocked(blocked & ~set); /* so that they end the sleep */
		if (!signal_pending())
			(void)wait_event_until(&nobody, false, deadline);
		signo = signal_take(set, &si);
		signal_set_blocked(blocked);
		t->awaited = 0;
	}
	if (signo == 0)
		return signal_pending() ? -EINTR : -EAGAIN;
	if (!uptr_null(info) && copy_to_user(info, &si, sizeof(si)) != 0)
		return -EFAULT;
	return signo;
}

int64_t
sys_rt_sigreturn(void)
{
	struct trapframe *tf = syscall_frame();

	if (sigframe_pop(tf) != 0) {
		signal_fault(tf, SIGSEGV, SI_KERNEL, 0);
		return 0;
	}
	return (int64_t)tf->rax;
}

int64_t
sys_sigaltstack(uptr_t new, uptr_t old)
{
	const uint64_t rsp = syscall_frame()->rsp;
	struct k_stack n, o;
	int result = 0;

	if (!uptr_null(new) && copy_from_user(&n, new, sizeof(n)) != 0)
		return -EFAULT;
	task_get_altstack(task_self(), rsp, &o);
	if (!uptr_null(new))
		result = task_set_altstack(task_self(), rsp, &n);
	if (result == 0 && !uptr_null(old))
		result = copy_to_user(old, &o, sizeof(o));
	return result;
}

/* --- kill ------------------------------------------------------------------------------------------------ */

static bool
may_signal(const struct process *p, int signo)
{
	const struct process *self = process_self();
	const struct cred *c = &self->cred;

	return c->euid == 0 || c->euid == p->cred.suid || c->euid == p->cred.uid ||
	       c->uid == p->cred.suid || c->uid == p->cred.uid ||
	       (signo == SIGCONT && self->sid == p->sid);
}

static int REQUIRES(process_lock) kill_one_locked(struct process *p, const struct k_siginfo *info)
{
	if (process_is_kernel(p) || !may_signal(p, info->signo))
		return -EPERM;
	return info->signo == 0 ? 0 : signal_send(p, info);
}

static int REQUIRES(process_lock) kill_many_locked(int pid, const struct k_siginfo *info)
{
	const struct process *self = process_self();
	const int pgid = pid == 0 ? self->pgid : -pid;
	int result = -ESRCH;
	struct process *p;

	list_for_each_entry (p, &process_all, all_node) {
		int one;

		if (pid == -1 ? p->pid <= 1 || p == self : p->pgid != pgid)
			continue;
		one = kill_one_locked(p, info);
		if (one == 0 || result == -ESRCH)
			result = one;
	}
	return result;
}

static struct k_siginfo
from_self(int signo, int code)
{
	struct k_siginfo info = {.signo = signo, .code = code};

	info.child.pid = process_self()->pid;
	info.child.uid = process_self()->cred.uid;
	return info;
}

int64_t
sys_kill(int pid, int signo)
{
	const struct k_siginfo info = from_self(signo, SI_USER);
	struct process *p;
	int result;

	if (signo < 0 || signo > NSIG)
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	mutex_lock(&process_lock);
	if (pid > 0) {
		p = process_find_locked(pid);
		result = p != NULL ? kill_one_locked(p, &info) : -ESRCH;
	} else {
		result = kill_many_locked(pid, &info);
	}
	mutex_unlock(&process_lock);
	return result;
}

static int64_t
kill_task(int tgid, int tid, const struct k_siginfo *info)
{
	struct process *p;
	int result;

	if (tid <= 0 || info->signo < 0 || info->signo > NSIG)
		return -EINVAL;
	mutex_lock(&process_lock);
	p = process_find_locked(tid);
	if (p == NULL || (tgid != 0 && tgid != p->pid))
		result = -ESRCH;
	else if (process_is_kernel(p) || !may_signal(p, info->signo))
		result = -EPERM;
	else
		result = info->signo == 0
				 ? 0
				 : signal_send_task(list_first(&p->tasks, struct task, node), info);
	mutex_unlock(&process_lock);
	return result;
}

int64_t
sys_tkill(int tid, int signo)
{
	const struct k_siginfo info = from_self(signo, SI_TKILL);

	return kill_task(0, tid, &info);
}

int64_t
sys_tgkill(int tgid, int tid, int signo)
{
	const struct k_siginfo info = from_self(signo, SI_TKILL);

	return tgid <= 0 ? -EINVAL : kill_task(tgid, tid, &info);
}

int64_t
sys_rt_sigqueueinfo(int pid, int signo, uptr_t in)
{
	struct k_siginfo info;
	struct process *p;
	int result;

	if (copy_from_user(&info, in, sizeof(info)) != 0)
		return -EFAULT;
	if (signo < 0 || signo > NSIG)
		return -EINVAL;
	info.signo = signo;
	if ((info.code >= 0 || info.code == SI_TKILL) && pid != process_self()->pid)
		return -EPERM;
	mutex_lock(&process_lock);
	p = process_find_locked(pid);
	result = p != NULL ? kill_one_locked(p, &info) : -ESRCH;
	mutex_unlock(&process_lock);
	return result;
}
