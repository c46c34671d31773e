/*
 * signal.c - signals: sent, kept, chosen; what becomes of a process that has no handler for one.
 *
 * A signal waits in a set, of the process or of one task, with its siginfo beside it; real-time signals queue.  Whoever
 * sends one to a task that does not block it marks the task (WORK_SIGNAL) and ends its sleep; on its
 * way back to the program the task finds it, in task_work().  Frames on the program's stack: sigframe.c.
 * Spec: signal(7).
 */
#include <kern/process.h>
#include <kern/log.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <uapi/sched.h>
#include <x86/trap.h>
#include "internal.h"
#include "signal.h"

#define CANNOT_BLOCK (sig_bit(SIGKILL) | sig_bit(SIGSTOP))
#define STOPS	     (sig_bit(SIGSTOP) | sig_bit(SIGTSTP) | sig_bit(SIGTTIN) | sig_bit(SIGTTOU))
#define IGNORED	     (sig_bit(SIGCONT) | sig_bit(SIGCHLD) | sig_bit(SIGWINCH) | sig_bit(SIGURG))
#define SYNCHRONOUS                                                                \
	(sig_bit(SIGSEGV) | sig_bit(SIGBUS) | sig_bit(SIGILL) | sig_bit(SIGTRAP) | \
	 sig_bit(SIGFPE) | sig_bit(SIGSYS))

/* A real-time signal that came once more. */
struct queued {
	struct list node;
	struct k_siginfo info;
};

static struct task *
only_task(const struct process *p)
{
	return list_first(&p->tasks, struct task, node);
}

/* --- sending ------------------------------------------------------------------------------------------- */

static bool
is_ignored(const struct process *p, int signo)
{
	const uint64_t handler = p->sig.action[signo - 1].handler;

	return handler == SIG_IGN || (handler == SIG_DFL && (IGNORED & sig_bit(signo)) != 0);
}

/* Let the task look, if one that it does not block waits. */
static void
notify_locked(struct process *p, struct task *t)
{
	if (((p->sig.pending | t->pending) & ~t->blocked) == 0)
		return;
	__atomic_or_fetch(&t->work, WORK_SIGNAL, __ATOMIC_RELEASE);
	if (t->thread != NULL)
		thread_interrupt(t->thread);
}

/* What a stop takes back, and what continuing does. */
static void
settle_stops_locked(struct process *p, struct task *t, int signo)
{
	if (signo == SIGCONT || signo == SIGKILL) {
		p->sig.pending &= ~STOPS;
		t->pending &= ~STOPS;
		p->sig.wake_stopped = true;
		(void)wake_all(&p->sig.continued);
	} else if (sig_bit(signo) & STOPS) {
		p->sig.pending &= ~sig_bit(SIGCONT);
		t->pending &= ~sig_bit(SIGCONT);
	}
}

static int
queue_locked(struct process *p, const struct k_siginfo *info)
{
	struct queued *q;

	if (p->sig.nr_queued >= p->rlimits[RLIMIT_SIGPENDING].cur)
		return -EAGAIN;
	q = kmalloc(sizeof(*q));
	if (q == NULL)
		return -EAGAIN;
	q->info = *info;
	list_add_tail(&p->sig.queued, &q->node);
	p->sig.nr_queued++;
	return 0;
}

/* @t NULL: to the process. */
static int
send_locked(struct process *p, struct task *t, const struct k_siginfo *info)
{
	struct task *only = only_task(p);
	k_sigset_t *set = t != NULL ? &t->pending : &p->sig.pending;
	struct k_siginfo *place = t != NULL ? t->info : p->pending_info;
	const int signo = info->signo;
	int result = 0;

	settle_stops_locked(p, only, signo);
	if (is_ignored(p, signo) && ((only->blocked | only->awaited) & sig_bit(signo)) == 0)
		return 0;
	if (*set & sig_bit(signo)) {
		if (signo < SIGRTMIN)
			return 0;
		result = queue_locked(p, info);
	} else {
		*set |= sig_bit(signo);
		place[signo - 1] = *info;
	}
	notify_locked(p, only);
	return result;
}

static int
send(struct process *p, struct task *t, const struct k_siginfo *info)
{
	uint64_t flags;
	int result;

	if (process_is_kernel(p) || p->state == PROC_ZOMBIE || p->sig.exiting)
		return process_is_kernel(p) ? -EPERM : 0;
	flags = spin_lock(&p->sig.lock);
	result = send_locked(p, t, info);
	spin_unlock(&p->sig.lock, flags);
	return result;
}

int
signal_send(struct process *p, const struct k_siginfo *info)
{
	return send(p, NULL, info);
}

int
signal_send_task(struct task *t, const struct k_siginfo *info)
{
	return send(t->proc, t, info);
}

int
signal_send_group_locked(int pgid, const struct k_siginfo *info)
{
	struct process *p;
	int result = -ESRCH;

	list_for_each_entry (p, &process_all, all_node) {
		if (p->pgid == pgid && !process_is_kernel(p)) {
			(void)signal_send(p, info);
			result = 0;
		}
	}
	return result;
}

int
signal_send_group(int pgid, const struct k_siginfo *info)
{
	int result;

	mutex_lock(&process_lock);
	result = signal_send_group_locked(pgid, info);
	mutex_unlock(&process_lock);
	return result;
}

void
signal_fault(struct trapframe *tf, int signo, int code, uint64_t addr)
{
	struct task *t = task_self();
	struct process *p = t->proc;
	struct k_siginfo info = {.signo = signo, .code = code};
	const uint64_t flags = spin_lock(&p->sig.lock);
	struct k_sigaction *a = &p->sig.action[signo - 1];

	(void)tf;
	info.fault.addr = addr;
	/* One that is blocked or ignored cannot wait: the instruction would fault again. */
	if (t->blocked & sig_bit(signo) || a->handler == SIG_IGN) {
		*a = (struct k_sigaction){0};
		t->blocked &= ~sig_bit(signo);
	}
	t->pending |= sig_bit(signo);
	t->info[signo - 1] = info;
	notify_locked(p, t);
	spin_unlock(&p->sig.lock, flags);
}

bool
signal_pending(void)
{
	const struct task *t = task_self();

	return ((t->proc->sig.pending | t->pending) & ~t->blocked) != 0;
}

/* --- the mask -------------------------------------------------------------------------------------------- */

/* Whether sleeps end at once follows the mask and the sets. */
static void
refresh_locked(struct process *p, struct task *t)
{
	const bool any = ((p->sig.pending | t->pending) & ~t->blocked) != 0;

	thread_set_interrupted(t->thread, any);
	if (any)
		__atomic_or_fetch(&t->work, WORK_SIGNAL, __ATOMIC_RELEASE);
}

void
signal_set_blocked(k_sigset_t blocked)
{
	struct task *t = task_self();
	const uint64_t flags = spin_lock(&t->proc->sig.lock);

	t->blocked = blocked & ~CANNOT_BLOCK;
	refresh_locked(t->proc, t);
	spin_unlock(&t->proc->sig.lock, flags);
}

void
signal_block_for_wait(k_sigset_t blocked)
{
	struct task *t = task_self();

	t->saved_blocked = t->blocked;
	t->restore_blocked = true;
	__atomic_or_fetch(&t->work, WORK_SIGNAL, __ATOMIC_RELEASE);
	signal_set_blocked(blocked);
}

/* --- taking ------------------------------------------------------------------------------------------------ */

static int
lowest(k_sigset_t set)
{
	/* Faults first: their frames must be the innermost. */
	if (set & SYNCHRONOUS)
		set &= SYNCHRONOUS;
	return set == 0 ? 0 : __builtin_ctzll(set) + 1;
}

/* The next queued one of this number takes the free place. */
static void
move_up_locked(struct process *p, k_sigset_t *set, struct k_siginfo *place, int signo)
{
	struct queued *q;

	if (signo < SIGRTMIN)
		return;
	list_for_each_entry (q, &p->sig.queued, node) {
		if (q->info.signo != signo)
			continue;
		place[signo - 1] = q->info;
		*set |= sig_bit(signo);
		list_del(&q->node);
		p->sig.nr_queued--;
		kfree(q);
		return;
	}
}

static int
take_locked(struct process *p, struct task *t, k_sigset_t wanted, struct k_siginfo *info)
{
	k_sigset_t *set = &t->pending;
	struct k_siginfo *place = t->info;
	int signo = lowest(t->pending & wanted);

	if (signo == 0) {
		set = &p->sig.pending;
		place = p->pending_info;
		signo = lowest(p->sig.pending & wanted);
	}
	if (signo == 0)
		return 0;
	*info = place[signo - 1];
	*set &= ~sig_bit(signo);
	move_up_locked(p, set, place, signo);
	return signo;
}

int
signal_take(k_sigset_t wanted, struct k_siginfo *info)
{
	struct task *t = task_self();
	const uint64_t flags = spin_lock(&t->proc->sig.lock);
	const int signo = take_locked(t->proc, t, wanted, info);

	refresh_locked(t->proc, t);
	spin_unlock(&t->proc->sig.lock, flags);
	return signo;
}

void
signal_flush(struct process *p)
{
	const uint64_t flags = spin_lock(&p->sig.lock);
	struct queued *q, *next;

	list_for_each_entry_safe (q, next, &p->sig.queued, node) {
		list_del(&q->node);
		kfree(q);
	}
	p->sig.pending = 0;
	p->sig.nr_queued = 0;
	spin_unlock(&p->sig.lock, flags);
}

void
signal_reset_for_exec(struct process *p)
{
	const uint64_t flags = spin_lock(&p->sig.lock);

	for (size_t i = 0; i < NSIG; i++) {
		const bool ignored = p->sig.action[i].handler == SIG_IGN;

		p->sig.action[i] = (struct k_sigaction){.handler = ignored ? SIG_IGN : SIG_DFL};
	}
	spin_unlock(&p->sig.lock, flags);
}

int
signal_set_action(int signo, const struct k_sigaction *new, struct k_sigaction *old)
{
	struct process *p = process_self();
	uint64_t flags;

	if (signo < 1 || signo > NSIG || (new != NULL &&CANNOT_BLOCK &sig_bit(signo)))
		return -EINVAL;
	flags = spin_lock(&p->sig.lock);
	*old = p->sig.action[signo - 1];
	if (new != NULL) {
		p->sig.action[signo - 1] = *new;
		p->sig.action[signo - 1].mask &= ~CANNOT_BLOCK;
		if (is_ignored(p, signo)) {
			p->sig.pending &= ~sig_bit(signo);
			only_task(p)->pending &= ~sig_bit(signo);
		}
	}
	spin_unlock(&p->sig.lock, flags);
	return 0;
}

/* --- without a handler -------------------------------------------------------------------------------------- */

static void
log_fault(struct process *p, const struct k_siginfo *info, const struct trapframe *tf)
{
	static const char *const names[] = {
		[SIGILL] = "SIGILL", [SIGTRAP] = "SIGTRAP", [SIGBUS] = "SIGBUS",
		[SIGFPE] = "SIGFPE", [SIGSEGV] = "SIGSEGV", [SIGSYS] = "SIGSYS"};
	char place[80];

	if ((SYNCHRONOUS & sig_bit(info->signo)) == 0 || info->code <= 0)
		return;
	fault_place(p, tf->rip, place, sizeof(place));
	log_info("%s[%d]: %s, address %#lx, at rip %#lx (%s), rsp %#lx", p->comm, p->pid,
		 names[info->signo], info->fault.addr, tf->rip, place, tf->rsp);
}

/* Stopped until SIGCONT or SIGKILL. */
static void
stop(struct process *p, int signo)
{
	mutex_lock(&process_lock);
	if (signo != SIGSTOP && process_group_orphaned_locked(p->pgid, NULL)) {
		mutex_unlock(&process_lock);
		return; /* nobody could continue it */
	}
	p->sig.wake_stopped = false;
	p->stopped = true;
	p->stop_reported = p->continued = false;
	p->stop_signal = signo;
	process_tell_parent_locked(p, CLD_STOPPED, signo);
	mutex_unlock(&process_lock);
	wait_event_deaf(&p->sig.continued, p->sig.wake_stopped);
	mutex_lock(&process_lock);
	p->stopped = false;
	p->continued = true;
	process_tell_parent_locked(p, CLD_CONTINUED, SIGCONT);
	mutex_unlock(&process_lock);
}

static void
default_action(struct process *p, const struct k_siginfo *info, const struct trapframe *tf)
{
	const k_sigset_t bit = sig_bit(info->signo);

	if (bit & IGNORED || (p->pid == 1 && info->signo != SIGKILL && (bit & SYNCHRONOUS) == 0))
		return;
	if (bit & STOPS) {
		if (p->pid != 1)
			stop(p, info->signo);
		return;
	}
	log_fault(p, info, tf);
	process_exit(info->signo);
}

/* --- on the way back to the program ---------------------------------------------------------------------------- */

#define SYSCALL_INSN 2 /* bytes */

/* The call was interrupted: again, or -EINTR.  @a: the handler that runs now, NULL if none does. */
static void
settle_call(struct trapframe *tf, const struct k_sigaction *a)
{
	const int64_t result = (int64_t)tf->rax;

	if (tf->vector != VECTOR_SYSCALL || result > -ERESTARTSYS ||
	    result < -ERESTART_RESTARTBLOCK)
		return;
	if (a != NULL && (result == -ERESTARTNOHAND || result == -ERESTART_RESTARTBLOCK ||
			  (result == -ERESTARTSYS && (a->flags & SA_RESTART) == 0))) {
		tf->rax = (uint64_t)-EINTR;
		return;
	}
	tf->rax = result == -ERESTART_RESTARTBLOCK ? SYS_RESTART_SYSCALL : tf->error;
	tf->rip -= SYSCALL_INSN;
}

static void
run_handler(struct trapframe *tf, const struct k_siginfo *info, struct k_sigaction *a)
{
	struct task *t = task_self();
	k_sigset_t old = t->blocked;

	settle_call(tf, a);
	if (t->restore_blocked) {
		old = t->saved_blocked;
		t->restore_blocked = false;
	}
	if (sigframe_push(tf, info, a, old) != 0) {
		log_info("%s[%d]: no room on its stack for signal %d", t->proc->comm, t->proc->pid,
			 info->signo);
		process_exit(SIGSEGV);
	}
	signal_set_blocked(t->blocked | a->mask |
			   (a->flags & SA_NODEFER ? 0 : sig_bit(info->signo)));
}

/* One signal; false when there is none. */
static bool
deliver_one(struct trapframe *tf)
{
	struct task *t = task_self();
	struct process *p = t->proc;
	struct k_siginfo info;
	struct k_sigaction a;
	const int signo = signal_take(~t->blocked, &info);
	uint64_t flags;

	if (signo == 0)
		return false;
	flags = spin_lock(&p->sig.lock);
	a = p->sig.action[signo - 1];
	if (a.handler > SIG_IGN && a.flags & SA_RESETHAND)
		p->sig.action[signo - 1] = (struct k_sigaction){0};
	spin_unlock(&p->sig.lock, flags);
	if (a.handler == SIG_IGN)
		return true;
	if (a.handler == SIG_DFL)
		default_action(p, &info, tf);
	else
		run_handler(tf, &info, &a);
	return true;
}

void
task_work(struct trapframe *tf)
{
	struct task *t = task_self();

	__atomic_and_fetch(&t->work, ~(uint32_t)WORK_SIGNAL, __ATOMIC_ACQ_REL);
	while (deliver_one(tf))
		;
	settle_call(tf, NULL);
	if (t->restore_blocked) {
		t->restore_blocked = false;
		signal_set_blocked(t->saved_blocked);
	}
}
