/*
 * process.c - the table of processes; how one begins and ends.
 */
#include <kern/process.h>
#include <kern/exec.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/kmalloc.h>
#include <x86/task.h>

struct mutex process_lock = MUTEX_INIT(process_lock, "processes");
static struct list all = LIST_INIT(all);	      /* [proc] */
static struct wait_queue gone = WAIT_QUEUE_INIT(gone); /* woken when one becomes a zombie */
static int last_pid = 1;			      /* [proc] 1 is kept for init */

int
process_init(void)
{
	return 0;
}

static struct process *
process_new(void)
{
	struct process *p = kzalloc(sizeof(*p));
	struct task *t = kzalloc(sizeof(*t));

	if (p == NULL || t == NULL) {
		kfree(p);
		kfree(t);
		return NULL;
	}
	p->refs = 1;
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->all_node);
	list_init(&p->hash_node);
	list_init(&p->tasks);
	list_init(&p->sig.queued);
	p->sig.lock = (struct spinlock)SPINLOCK_INIT("signals");
	wait_queue_init(&p->child_wait);
	wait_queue_init(&p->vfork_wait);
	t->proc = p;
	list_init(&t->node);
	list_add_tail(&p->tasks, &t->node);
	mutex_lock(&process_lock);
	p->pid = t->tid = ++last_pid;
	list_add_tail(&all, &p->all_node);
	mutex_unlock(&process_lock);
	return p;
}

/* What the new process's thread was asked to run. */
struct spawn {
	const char *path;
	char *const *argv, *const *envp;
	struct completion_like {
		volatile bool done;
		int result;
		struct wait_queue queue;
	} exec;
};

static struct spawn *spawning; /* [spawn_lock] */
static struct mutex spawn_lock = MUTEX_INIT(spawn_lock, "spawn");

static void
first_steps(void *arg)
{
	struct task *t = arg;
	struct spawn *s = spawning;
	int result;

	t->thread = thread_self();
	task_switch(NULL, t);
	result = exec_program(s->path, s->argv, s->envp);
	s->exec.result = result;
	s->exec.done = true;
	(void)wake_all(&s->exec.queue);
	if (result != 0)
		process_exit(127 << 8);
	task_enter_user();
}

int
process_spawn(const char *path, char *const *argv, char *const *envp)
{
	struct spawn s = {.path = path, .argv = argv, .envp = envp};
	struct process *p = process_new();
	struct task *t;
	int pid;

	if (p == NULL)
		return -ENOMEM;
	pid = p->pid;
	t = list_first(&p->tasks, struct task, node);
	wait_queue_init(&s.exec.queue);
	mutex_lock(&spawn_lock);
	spawning = &s;
	t->thread = thread_create_task(path, first_steps, t);
	if (t->thread != NULL)
		(void)wait_event(&s.exec.queue, s.exec.done);
	mutex_unlock(&spawn_lock);
	return t->thread == NULL ? -ENOMEM : s.exec.result != 0 ? s.exec.result : pid;
}

static struct process *
find_locked(int pid)
{
	struct process *p;

	list_for_each_entry (p, &all, all_node) {
		if (p->pid == pid)
			return p;
	}
	return NULL;
}

static bool
is_zombie(int pid)
{
	const struct process *p;
	bool result;

	mutex_lock(&process_lock);
	p = find_locked(pid);
	result = p == NULL || p->state == PROC_ZOMBIE;
	mutex_unlock(&process_lock);
	return result;
}

int
process_wait(int pid, int *status)
{
	struct process *p;
	int result = wait_event(&gone, is_zombie(pid));

	if (result != 0)
		return result;
	mutex_lock(&process_lock);
	p = find_locked(pid);
	if (p != NULL) {
		*status = p->exit_status;
		list_del(&p->all_node);
	}
	mutex_unlock(&process_lock);
	if (p == NULL)
		return -ECHILD;
	kfree(list_first(&p->tasks, struct task, node));
	kfree(p);
	return 0;
}

void
process_exit(int status)
{
	struct task *t = task_self();
	struct process *p = t->proc;
	struct aspace *as = p->as;

	task_free_user(t);
	p->as = NULL;
	aspace_switch(NULL);
	if (as != NULL)
		aspace_put(as);
	mutex_lock(&process_lock);
	p->exit_status = status;
	p->state = PROC_ZOMBIE;
	mutex_unlock(&process_lock);
	(void)wake_all(&gone);
	thread_exit(0);
}

void
task_work(struct trapframe *tf)
{
	(void)tf;
	task_self()->work = 0;
}
