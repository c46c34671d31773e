/*
 * fork.c - fork, vfork, clone: a new process that is a copy of the caller.
 *
 * What is copied and what shared: clone(2).  Threads (CLONE_THREAD and what belongs to it) are refused
 * until there are some; memory is shared only by vfork() and its like, whose parent waits meanwhile.
 */
#include <kern/process.h>
#include <fs/vfs.h>
#include <kern/sys.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <uapi/sched.h>
#include <x86/task.h>
#include <x86/trap.h>
#include "internal.h"

struct clone_request {
	uint64_t flags;
	int exit_signal;
	uint64_t stack; /* 0 = the caller's */
	uptr_t parent_tid, child_tid;
	uint64_t tls;
};

#define SUPPORTED                                                                           \
	(CLONE_VM | CLONE_VFORK | CLONE_FS | CLONE_FILES | CLONE_PARENT | CLONE_SETTLS |    \
	 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | CLONE_DETACHED | \
	 CLONE_UNTRACED | CLONE_PTRACE | CLONE_IO | CLONE_SYSVSEM | CLONE_CLEAR_SIGHAND)

static int
check_flags(const struct clone_request *r)
{
	if ((r->flags & CLONE_SIGHAND && !(r->flags & CLONE_VM)) ||
	    (r->flags & CLONE_THREAD && !(r->flags & CLONE_SIGHAND)))
		return -EINVAL;
	if (r->flags & ~(uint64_t)SUPPORTED)
		return -EINVAL;
	if (r->flags & CLONE_VM && !(r->flags & CLONE_VFORK))
		return -EINVAL; /* two that run in one memory: threads */
	return 0;
}

static int
copy_memory(struct process *child, struct process *parent, bool share)
{
	if (share) {
		aspace_get(parent->as);
		child->as = parent->as;
	} else {
		child->as = aspace_fork(parent->as);
	}
	return child->as != NULL ? 0 : -ENOMEM;
}

static int
copy_files(struct process *child, struct process *parent, uint64_t flags)
{
	child->files = flags & CLONE_FILES ? files_get(parent->files) : files_copy(parent->files);
	child->fs = flags & CLONE_FS ? fs_context_get(parent->fs) : fs_context_copy(parent->fs);
	return child->files != NULL && child->fs != NULL ? 0 : -ENOMEM;
}

static void
copy_signals(struct process *child, struct process *parent, uint64_t clone_flags)
{
	const uint64_t flags = spin_lock(&parent->sig.lock);

	memcpy(child->sig.action, parent->sig.action, sizeof(child->sig.action));
	spin_unlock(&parent->sig.lock, flags);
	if ((clone_flags & CLONE_CLEAR_SIGHAND) == 0)
		return;
	for (size_t i = 0; i < NSIG; i++) {
		if (child->sig.action[i].handler != SIG_IGN)
			child->sig.action[i] = (struct k_sigaction){0};
	}
}

static void
copy_plain(struct process *child, struct process *parent)
{
	child->cred = parent->cred;
	memcpy(child->rlimits, parent->rlimits, sizeof(child->rlimits));
	memcpy(child->comm, parent->comm, sizeof(child->comm));
	process_set_exe(child, parent->exe);
	child->tty = parent->tty;
	child->nice_value = parent->nice_value;
	child->oom_adj = parent->oom_adj;
	child->pgid = parent->pgid;
	child->sid = parent->sid;
	child->dumpable = parent->dumpable;
	child->no_new_privs = parent->no_new_privs;
}

static int
copy_task(struct task *child, struct task *parent, const struct clone_request *r)
{
	struct trapframe *tf;
	int result;

	child->blocked = parent->blocked;
	if ((r->flags & CLONE_VM) == 0 || r->flags & CLONE_VFORK) {
		child->altstack = parent->altstack;
		child->altstack_size = parent->altstack_size;
		child->altstack_flags = parent->altstack_flags;
	}
	result = task_copy_user(child, parent);
	if (result != 0)
		return result;
	tf = task_frame(child);
	tf->rax = 0;
	if (r->stack != 0)
		tf->rsp = r->stack;
	if (r->flags & CLONE_SETTLS)
		child->fs_base = r->tls;
	if (r->flags & CLONE_CHILD_CLEARTID)
		child->clear_tid = r->child_tid;
	if (r->flags & CLONE_CHILD_SETTID)
		child->set_tid = r->child_tid;
	return 0;
}

/* The child's first steps, in its own memory. */
static void
child_begins(void *arg)
{
	struct task *t = arg;

	task_switch(NULL, t);
	if (!uptr_null(t->set_tid) && put_user(t->tid, t->set_tid) != 0)
		t->set_tid = (uptr_t){0}; /* as Linux: nobody is told */
	task_enter_user();
}

/* All that @child got so far goes; it is in no table. */
static void
undo(struct process *child)
{
	struct task *t = list_first(&child->tasks, struct task, node);

	task_free_user(t);
	if (t->thread != NULL)
		thread_discard(t->thread);
	if (child->files != NULL)
		files_put(child->files);
	if (child->fs != NULL)
		fs_context_put(child->fs);
	if (child->as != NULL)
		aspace_put(child->as);
	process_set_exe(child, NULL);
	process_free(child);
}

static int
copy_all(struct process *child, struct process *parent, const struct clone_request *r)
{
	struct task *t = list_first(&child->tasks, struct task, node);
	int result;

	t->thread = thread_make_task(parent->comm, child_begins, t);
	if (t->thread == NULL)
		return -ENOMEM;
	copy_plain(child, parent);
	copy_signals(child, parent, r->flags);
	result = copy_files(child, parent, r->flags);
	if (result == 0)
		result = copy_memory(child, parent, (r->flags & CLONE_VM) != 0);
	return result == 0 ? copy_task(t, task_self(), r) : result;
}

/* RLIMIT_NPROC holds for all but root; so that a bomb ends before memory does, there is a limit for all. */
static int REQUIRES(process_lock) may_have_one_more_locked(const struct process *parent)
{
	const uint64_t limit = parent->rlimits[RLIMIT_NPROC].cur;
	const struct process *p;
	uint64_t mine = 0, all = 0;

	list_for_each_entry (p, &process_all, all_node) {
		all++;
		mine += p->cred.uid == parent->cred.uid;
	}
	if (all >= PROCESSES_MAX)
		return -EAGAIN;
	return parent->cred.euid != 0 && mine >= limit ? -EAGAIN : 0;
}

static int
enter(struct process *child, struct process *parent, const struct clone_request *r)
{
	int result;

	mutex_lock(&process_lock);
	result = may_have_one_more_locked(parent);
	if (result == 0) {
		child->vforked = (r->flags & CLONE_VFORK) != 0;
		child->exit_signal = r->exit_signal;
		process_enter_locked(
			child,
			r->flags & CLONE_PARENT && parent->parent != NULL ? parent->parent : parent,
			0);
		child->refs++; /* the caller's, until it is done with it */
		result = child->pid;
	}
	mutex_unlock(&process_lock);
	return result;
}

static int64_t
clone(const struct clone_request *r)
{
	struct process *parent = process_self(), *child;
	int result = check_flags(r);
	struct thread *thread;

	if (result != 0)
		return result;
	child = process_alloc();
	if (child == NULL)
		return -ENOMEM;
	result = copy_all(child, parent, r);
	if (result == 0)
		result = enter(child, parent, r);
	if (result < 0) {
		undo(child);
		return result;
	}
	if (r->flags & CLONE_PARENT_SETTID && put_user(result, r->parent_tid) != 0)
		log_debug("clone: nobody is told the child's number");
	thread = list_first(&child->tasks, struct task, node)->thread;
	thread_start(thread);
	if (r->flags & CLONE_VFORK)
		wait_event_deaf(&child->vfork_wait, !child->vforked);
	process_put(child);
	return result;
}

int64_t
sys_fork(void)
{
	const struct clone_request r = {.exit_signal = SIGCHLD};

	return clone(&r);
}

int64_t
sys_vfork(void)
{
	const struct clone_request r = {.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD};

	return clone(&r);
}

int64_t
sys_clone(uint64_t flags, uint64_t stack, uptr_t parent_tid, uptr_t child_tid, uint64_t tls)
{
	const struct clone_request r = {
		.flags = flags & ~(uint64_t)CSIGNAL,
		.exit_signal = (int)(flags & CSIGNAL),
		.stack = stack,
		.parent_tid = parent_tid,
		.child_tid = child_tid,
		.tls = tls,
	};

	return clone(&r);
}
