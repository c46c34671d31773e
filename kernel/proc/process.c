/*
 * process.c - the tables of processes, and those that the kernel itself starts.
 *
 * A process is found by its number (a hash) and in its parent's list of children.  The root of the tree is
 * PID 1: the program that init= names, or else a process without a program, kernel memory only, whose
 * children vanish as soon as they end.
 */
#include <kern/process.h>
#include <fs/procfs.h>
#include <fs/vfs.h>
#include <kern/clock.h>
#include <kern/exec.h>
#include <kern/tty.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/kmalloc.h>
#include <x86/fpu.h>
#include <x86/task.h>
#include "internal.h"
#include "show.h"

#define HASH_SIZE 256

struct mutex process_lock = MUTEX_INIT(process_lock, "processes");
struct list process_all = LIST_INIT(process_all);
static struct list by_pid[HASH_SIZE];		/* [proc] */
int process_last_pid = 1;			/* [proc] */
uint64_t process_nr_started;			/* [proc] */
static struct process kernel_reaper;		/* PID 1 while there is no init */
static struct process *reaper = &kernel_reaper; /* [proc] */

static void
init_lists(struct process *p)
{
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->all_node);
	list_init(&p->hash_node);
	list_init(&p->tasks);
	list_init(&p->sig.queued);
	p->sig.lock = (struct spinlock)SPINLOCK_INIT("signals");
	p->parts_lock = (struct spinlock)SPINLOCK_INIT("process parts");
	wait_queue_init(&p->child_wait);
	wait_queue_init(&p->vfork_wait);
	wait_queue_init(&p->sig.continued);
}

int
process_init(void)
{
	for (size_t i = 0; i < HASH_SIZE; i++)
		list_init(&by_pid[i]);
	procfs_register(proc_system_files, proc_process_files);
	init_lists(&kernel_reaper);
	kernel_reaper.refs = 1;
	(void)strlcpy(kernel_reaper.comm, "kernel", sizeof(kernel_reaper.comm));
	mutex_lock(&process_lock);
	process_enter_locked(&kernel_reaper, NULL, 1);
	mutex_unlock(&process_lock);
	return 0;
}

void
process_reaper_gone_locked(struct process *p)
{
	log_err("%s[1] ended with status %#x: its place is the kernel's again", p->comm,
		p->exit_status);
	reaper = &kernel_reaper;
	__atomic_add_fetch(&p->child_events, 1, __ATOMIC_RELEASE);
	(void)wake_all(&p->child_wait); /* process_wait() */
}

struct process *
process_reaper(void)
{
	return reaper;
}

struct process *
process_find_locked(int pid)
{
	struct process *p;

	list_for_each_entry (p, &by_pid[(unsigned)pid % HASH_SIZE], hash_node) {
		if (p->pid == pid)
			return p;
	}
	return NULL;
}

static bool REQUIRES(process_lock) number_taken_locked(int pid)
{
	struct process *p;

	if (process_find_locked(pid) != NULL)
		return true;
	list_for_each_entry (p, &process_all, all_node) {
		if (p->pgid == pid || p->sid == pid)
			return true;
	}
	return false;
}

static int REQUIRES(process_lock) new_pid_locked(void)
{
	static bool around; /* [proc] from then on numbers may be taken */

	do {
		if (++process_last_pid >= PID_MAX) {
			process_last_pid =
				300; /* the low ones are for what the system starts, as on Linux */
			around = true;
		}
	} while (around && number_taken_locked(process_last_pid));
	return process_last_pid;
}

void
process_enter_locked(struct process *p, struct process *parent, int pid)
{
	p->pid = pid != 0 ? pid : new_pid_locked();
	process_nr_started++;
	p->parent = parent;
	if (!list_empty(&p->tasks))
		list_first(&p->tasks, struct task, node)->tid = p->pid;
	if (p->pgid == 0)
		p->pgid = p->sid = p->pid;
	list_add_tail(&by_pid[(unsigned)p->pid % HASH_SIZE], &p->hash_node);
	list_add_tail(&process_all, &p->all_node);
	if (parent != NULL)
		list_add_tail(&parent->children, &p->sibling);
}

void
process_leave_locked(struct process *p)
{
	list_del(&p->hash_node);
	list_del(&p->all_node);
	if (p->parent != NULL)
		list_del(&p->sibling);
	p->parent = NULL;
	if (--p->refs == 0)
		process_free(p);
}

struct process *
process_alloc(void)
{
	struct process *p = kmalloc(sizeof(*p));
	struct task *t = kmalloc(sizeof(*t));

	if (p == NULL || t == NULL) {
		kfree(p);
		kfree(t);
		return NULL;
	}
	memset(p, 0, offsetof(struct process, pending_info));
	memset(t, 0, offsetof(struct task, info));
	p->refs = 1;
	init_lists(p);
	t->proc = p;
	if (fpu_alloc(t) != 0) {
		kfree(p);
		kfree(t);
		return NULL;
	}
	list_init(&t->node);
	list_add_tail(&p->tasks, &t->node);
	p->start_ns = clock_ns();
	return p;
}

void
process_free(struct process *p)
{
	if (p == &kernel_reaper)
		return;
	if (!list_empty(&p->tasks)) {
		assert(!task_is_loaded(list_first(&p->tasks, struct task, node)));
		fpu_free(list_first(&p->tasks, struct task, node));
		kfree(list_first(&p->tasks, struct task, node));
	}
	kfree(p);
}

struct process *
process_get(int pid)
{
	struct process *p;

	mutex_lock(&process_lock);
	p = process_find_locked(pid);
	if (p != NULL)
		p->refs++;
	mutex_unlock(&process_lock);
	return p;
}

void
process_put(struct process *p)
{
	mutex_lock(&process_lock);
	if (--p->refs == 0)
		process_free(p);
	mutex_unlock(&process_lock);
}

void
process_set_exe(struct process *p, struct file *f)
{
	struct file *now = f != NULL && inode_run_begin(f->inode) == 0 ? file_get(f) : NULL;
	struct file *old = process_swap_exe(p, now);

	if (old != NULL) {
		inode_run_end(old->inode);
		file_put(old);
	}
}

bool
process_group_in_session(int pgid, int sid)
{
	const struct process *p;
	bool found = false;

	mutex_lock(&process_lock);
	list_for_each_entry (p, &process_all, all_node)
		found |= p->pgid == pgid && (sid == 0 || p->sid == sid);
	mutex_unlock(&process_lock);
	return found;
}

/* --- started by the kernel ------------------------------------------------------------------- */

/* What the new process's thread was asked to run; on the stack of who waits for the answer. */
struct spawn {
	struct process *p;
	const char *path;
	struct exec_args args;
	bool foreground;
	struct completion done;
	int result;
};

static void
first_steps(void *arg)
{
	struct task *t = arg;
	struct spawn *s = (struct spawn *)t->clear_tid.addr; /* a place that nobody uses yet */
	bool broken;
	int result;

	t->clear_tid = (uptr_t){0};
	task_switch(NULL, t);
	result = process_set_defaults(t->proc, s->foreground);
	if (result == 0)
		result = exec_file(NULL, s->path, 0, &s->args, &broken);
	s->result = result;
	complete(&s->done);
	if (result != 0)
		process_exit(127 << 8);
	task_enter_user();
}

static int
start(struct spawn *s, int pid)
{
	struct task *t = list_first(&s->p->tasks, struct task, node);

	t->clear_tid.addr = (uint64_t)s;
	t->thread = thread_make_task(s->path, first_steps, t);
	if (t->thread == NULL) {
		process_free(s->p);
		return -ENOMEM;
	}
	s->p->kernel_child = true;
	mutex_lock(&process_lock);
	process_enter_locked(s->p, pid == 1 ? NULL : reaper, pid);
	pid = s->p->pid;
	if (pid == 1)
		reaper = s->p;
	mutex_unlock(&process_lock);
	if (pid == 1) {
		tty_take_console(0); /* whom it starts may make it the terminal of a session */
	} else if (s->foreground) {
		tty_adopt(s->p);
		tty_take_console(pid);
	}
	thread_start(t->thread);
	completion_wait(&s->done);
	return pid;
}

static int
spawn_as(const char *path, char *const *argv, char *const *envp, int pid, bool foreground)
{
	struct spawn s = {.path = path, .foreground = foreground, .done = COMPLETION_INIT(s.done)};
	int result = exec_args_kernel(&s.args, argv, envp);

	if (result != 0)
		return result;
	s.p = process_alloc();
	result = s.p != NULL ? start(&s, pid) : -ENOMEM;
	exec_args_free(&s.args);
	if (result < 0 || s.result == 0)
		return result;
	(void)process_wait(result, &pid);
	return s.result;
}

int
process_spawn(const char *path, char *const *argv, char *const *envp, bool foreground)
{
	return spawn_as(path, argv, envp, 0, foreground);
}

int
process_spawn_init(const char *path, char *const *argv, char *const *envp)
{
	mutex_lock(&process_lock);
	if (reaper != &kernel_reaper || !list_empty(&kernel_reaper.children)) {
		mutex_unlock(&process_lock);
		return -EBUSY;
	}
	list_del(&kernel_reaper.hash_node);
	list_del(&kernel_reaper.all_node);
	mutex_unlock(&process_lock);
	return spawn_as(path, argv, envp, 1, true);
}

void
process_disown(int pid)
{
	struct process *p;

	mutex_lock(&process_lock);
	p = process_find_locked(pid);
	if (p != NULL && p->kernel_child) {
		p->kernel_child = false;
		if (p->state == PROC_ZOMBIE)
			process_leave_locked(p);
	}
	mutex_unlock(&process_lock);
}

/* One reference is ours: nobody else frees it. */
int
process_wait(int pid, int *status)
{
	struct process *p = process_get(pid);
	int result = 0;

	if (p == NULL)
		return -ECHILD;
	while (result == 0 && p->state != PROC_ZOMBIE) {
		struct process *told = pid == 1 ? p : reaper; /* whom its end is reported to */
		const uint32_t seen = __atomic_load_n(&told->child_events, __ATOMIC_ACQUIRE);

		if (p->state != PROC_ZOMBIE)
			result = wait_event(&told->child_wait, told->child_events != seen);
	}
	mutex_lock(&process_lock);
	if (result == 0) {
		*status = p->exit_status;
		if (p->kernel_child) {
			p->kernel_child = false;
			process_leave_locked(p);
		}
		if (pid == 1)
			process_enter_locked(&kernel_reaper, NULL, 1);
	}
	if (--p->refs == 0)
		process_free(p);
	mutex_unlock(&process_lock);
	return result;
}
