/*
 * thread.c - life and death of kernel threads.
 *
 * A thread is created ready to run, ends as a zombie, and is freed by whoever joins it or, when it
 * is detached, by "main", which does nothing else once the system is up.  Nobody frees the stack
 * that it stands on.
 */
#include <kern/sched.h>
#include <kern/clock.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/kstack.h>
#include <mm/pmm.h>
#include <mm/vmm.h>
#include <x86/switch.h>
#include <x86/trap.h>

static struct list dead = LIST_INIT(dead); /* [sched] detached zombies: struct thread.run.link */
static struct wait_queue reaper = WAIT_QUEUE_INIT(reaper);
static unsigned last_id; /* [sched] */
static bool ids_reused;	 /* [sched] last_id went round: look whether an id is free */

/* The end of a sleep with a deadline.  Context: timer interrupt. */
static void
timeout(void *arg)
{
	struct thread *t = arg;
	const uint64_t flags = spin_lock(&sched_lock);

	if (t->state == THREAD_SLEEPING) {
		t->timed_out = true;
		sched_rouse_locked(t);
	}
	spin_unlock(&sched_lock, flags);
}

static void
setup(struct thread *t, const char *name)
{
	(void)strlcpy(t->name, name, sizeof(t->name));
	list_init(&t->run.link);
	list_init(&t->wait_node);
	list_init(&t->all_node);
	wait_queue_init(&t->joiners);
	timer_setup(&t->timer, timeout, t);
}

struct thread *
thread_find_locked(unsigned id)
{
	struct thread *t;

	list_for_each_entry (t, &sched_all, all_node) {
		if (t->id == id)
			return t;
	}
	return NULL;
}

/* 32 bits go round within hours, at a thread every few microseconds: never give a living one's id. */
static unsigned REQUIRES(sched_lock) new_id_locked(void)
{
	do {
		if (++last_id == 0) {
			ids_reused = true;
			last_id = 1;
		}
	} while (ids_reused && thread_find_locked(last_id) != NULL);
	return last_id;
}

void
thread_set_last_id(unsigned id)
{
	const uint64_t flags = spin_lock(&sched_lock);

	last_id = id;
	spin_unlock(&sched_lock, flags);
}

/* Memory, name and stack of a thread that nobody knows yet; @keep bytes at the stack's end stay free. */
static struct thread *
make(const char *name, void (*fn)(void *), void *arg, size_t keep)
{
	struct thread *t = kzalloc(sizeof(*t));
	const uint64_t flags = spin_lock(&sched_lock);
	const unsigned id = new_id_locked();

	spin_unlock(&sched_lock, flags);
	if (t == NULL)
		return NULL;
	t->stack = kstack_alloc();
	if (t->stack == NULL) {
		kfree(t);
		return NULL;
	}
	setup(t, name);
	t->id = id;
	t->fn = fn;
	t->arg = arg;
	t->rsp = thread_stack_init((uint8_t *)t->stack + KSTACK_SIZE - keep);
	return t;
}

/* What the idle thread does before it halts: zeroed frames, a chunk at a time until somebody is ready. */
static bool
zero_some(void)
{
	bool worked;

	preempt_disable();
	worked = pmm_zero_one(&sched_need_switch);
	preempt_enable();
	return worked;
}

static void
idle(void *arg)
{
	(void)arg;
	for (;;) {
		bool (*hook)(void) = __atomic_load_n(&sched_idle_hook, __ATOMIC_RELAXED);

		if (hook == NULL || !hook())
			cpu_idle();
	}
}

int
thread_init(void)
{
	struct thread *t = thread_self();

	setup(t, "main");
	t->id = ++last_id;
	t->state = THREAD_RUNNING;
	t->essential = true;
	t->stack = (uint64_t *)boot_stack;
	/* Less what memset() itself stands on: interrupts are off, it needs little. */
	memset(t->stack, KSTACK_FILL & 0xff,
	       (size_t)((uint8_t *)__builtin_frame_address(0) - boot_stack) - 512);
	t->switches = 1;
	sched_init(clock_tsc_hz());

	sched_idle = make("idle", idle, NULL, 0);
	if (sched_idle == NULL)
		return -ENOMEM;
	sched_idle->essential = true;
	sched_adopt(t);
	sched_adopt(sched_idle);
	sched_set_idle_hook(zero_some);
	return 0;
}

struct thread *
thread_create(const char *name, void (*fn)(void *), void *arg)
{
	struct thread *t = make(name, fn, arg, 0);

	if (t != NULL)
		sched_add(t);
	return t;
}

struct thread *
thread_make_task(const char *name, void (*fn)(void *), struct task *task)
{
	struct thread *t = make(name, fn, task, sizeof(struct trapframe));

	if (t != NULL) {
		t->task = task;
		t->detached = true;
	}
	return t;
}

void
thread_start(struct thread *t)
{
	sched_add(t);
}

void
thread_discard(struct thread *t)
{
	kstack_free(t->stack);
	kfree(t);
}

/* @t is a zombie, off the CPU for good. */
static void
destroy(struct thread *t)
{
	const uint64_t flags = spin_lock(&sched_lock);

	assert(t->state == THREAD_ZOMBIE && t != thread_self());
	sched_forget_locked(t);
	spin_unlock(&sched_lock, flags);
	kstack_free(t->stack);
	kfree(t);
}

void
thread_exit(int code)
{
	struct thread *t = thread_self();

	if (t->essential)
		panic("thread \"%s\", on which the system lives, exits with %d", t->name, code);
	if (sched_preempt_count != 0)
		panic("thread \"%s\" exits with preemption disabled", t->name);
	if (LOCK_ORDER)
		lock_order_exit(false);
	/* Off until the next thread runs: whoever is woken here cannot free the stack too early. */
	irq_disable();
	(void)wake_all(&t->joiners);
	if (t->detached)
		(void)wake_one(&reaper);
	(void)spin_lock(&sched_lock);
	t->exit_code = code;
	t->state = THREAD_ZOMBIE;
	if (t->detached)
		list_add_tail(&dead, &t->run.link);
	sched_leave_locked();
}

int
thread_join_timeout(struct thread *t, uint64_t timeout_ms)
{
	int result;

	might_sleep("thread_join");
	assert(t != thread_self() && !t->detached);
	result = wait_event_timeout(&t->joiners, t->state == THREAD_ZOMBIE, timeout_ms);
	if (result != 0)
		return result;
	result = t->exit_code;
	destroy(t);
	return result;
}

int
thread_join(struct thread *t)
{
	return thread_join_timeout(t, WAIT_FOREVER);
}

void
thread_detach(struct thread *t)
{
	const uint64_t flags = spin_lock(&sched_lock);
	const bool ended = t->state == THREAD_ZOMBIE;

	assert(!t->detached);
	t->detached = true;
	if (ended)
		list_add_tail(&dead, &t->run.link);
	spin_unlock(&sched_lock, flags);
	if (ended)
		(void)wake_one(&reaper);
}

void
thread_set_essential(struct thread *t)
{
	t->essential = true;
}

void
thread_interrupt(struct thread *t)
{
	const uint64_t flags = spin_lock(&sched_lock);

	t->kill_pending = true;
	if (t->killable)
		sched_rouse_locked(t);
	spin_unlock(&sched_lock, flags);
}

void
thread_set_interrupted(struct thread *t, bool on)
{
	t->kill_pending = on;
}

void
thread_set_name(struct thread *t, const char *name)
{
	(void)strlcpy(t->name, name, sizeof(t->name));
}

int
thread_kill(unsigned id)
{
	const uint64_t flags = spin_lock(&sched_lock);
	struct thread *t = thread_find_locked(id);
	int result = 0;

	if (t == NULL || t->state == THREAD_ZOMBIE) {
		result = -ENOENT;
	} else if (t->essential) {
		result = -EPERM;
	} else {
		t->kill_pending = true;
		if (t->killable)
			sched_rouse_locked(t);
	}
	spin_unlock(&sched_lock, flags);
	return result;
}

int
thread_set_nice(unsigned id, int nice)
{
	uint64_t flags;
	struct thread *t;
	int result = 0;

	if (nice < NICE_MIN || nice > NICE_BACKGROUND)
		return -EINVAL;
	flags = spin_lock(&sched_lock);
	t = thread_find_locked(id);
	if (t == NULL || t->state == THREAD_ZOMBIE)
		result = -ENOENT;
	else if (t == sched_idle || (t->essential && nice == NICE_BACKGROUND))
		result = -EPERM;
	else
		sched_set_nice_locked(t, nice);
	spin_unlock(&sched_lock, flags);
	return result;
}

static struct thread *
next_dead(void)
{
	const uint64_t flags = spin_lock(&sched_lock);
	struct thread *t = NULL;

	if (!list_empty(&dead)) {
		t = list_first(&dead, struct thread, run.link);
		list_del(&t->run.link);
	}
	spin_unlock(&sched_lock, flags);
	return t;
}

void
thread_main_loop(void)
{
	for (;;) {
		struct thread *t;

		(void)wait_event(&reaper, !list_empty(&dead));
		while ((t = next_dead()) != NULL)
			destroy(t);
	}
}
