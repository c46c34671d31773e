/*
 * thread_info.c - threads as people want to see them: ps, top, stack.
 */
#include <kern/sched.h>
#include <kern/clock.h>
#include <kern/ksym.h>
#include <lib/string.h>
#include <mm/kstack.h>
#include <x86/switch.h>

#define WAIT_DEPTH 12 /* frames to look through for whom a thread waits */

bool
thread_is_waiting_machinery(const char *name)
{
	static const char *const prefixes[] = {
		"switch_to", "leave_cpu",  "context_switch", "sched_",	    "sleep_",
		"wait_",     "mutex_",	   "sem_",	     "thread_join", "rw_",
		"lock_slow", "lock_until", "take_until",     "completion_",
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

/* First function up the stack of the sleeping @t that is not machinery; NULL if there is none. */
static const char *
wait_symbol(const struct thread *t)
{
	const struct saved_frame *f = (const struct saved_frame *)t->rsp;
	const uint64_t low = (uint64_t)t->stack, high = low + KSTACK_SIZE;
	uint64_t rip = f->rip, rbp = f->rbp;
	const char *name = NULL;

	for (int i = 0; i < WAIT_DEPTH; i++) {
		uint64_t offset;

		name = ksym_lookup(rip - 1, &offset); /* the call, not what follows it */
		if (name == NULL || !thread_is_waiting_machinery(name))
			return name;
		if (rbp < low || rbp > high - 16 || !IS_ALIGNED(rbp, 8))
			break;
		rip = ((const uint64_t *)rbp)[1];
		rbp = ((const uint64_t *)rbp)[0];
	}
	return name;
}

static void
describe(const struct thread *t, uint64_t now, struct thread_info *out)
{
	const uint64_t cycles = t->cycles + (t == sched_current ? now - t->stamp : 0);

	out->id = t->id;
	memcpy(out->name, t->name, sizeof(out->name));
	out->state = t->state;
	out->nice = t->run.nice;
	out->cpu_ns = clock_cycles_to_ns(cycles);
	out->switches = t->switches;
	out->stack_used = 0;
	out->wait_sym = NULL;
}

/* What lies on the thread's stack, if there still is such a thread. */
static void
describe_stack(struct thread_info *out)
{
	const struct thread *t;
	uint64_t flags;

	preempt_disable(); /* it neither runs nor goes meanwhile; interrupts need not wait for it */
	flags = spin_lock(&sched_lock);
	t = thread_find_locked(out->id);
	spin_unlock(&sched_lock, flags);
	if (t != NULL) {
		out->stack_used = kstack_used(t->stack);
		if (out->state == THREAD_SLEEPING && t->state == THREAD_SLEEPING)
			out->wait_sym = wait_symbol(t);
	}
	preempt_enable();
}

size_t
thread_snapshot(struct thread_info *out, size_t max)
{
	struct sched_stats stats;
	struct thread *t;
	size_t n = 0;

	/*
	 * While no other thread runs none comes or goes, and nothing is written here but states: no
	 * reason to keep interrupts waiting for a long list.
	 */
	preempt_disable();
	sched_stats(&stats);
	list_for_each_entry (t, &sched_all, all_node) {
		if (n == max)
			break;
		describe(t, stats.now, &out[n++]);
	}
	preempt_enable();
	for (size_t i = 0; i < n; i++)
		describe_stack(&out[i]);
	return stats.threads;
}

int
thread_backtrace(unsigned id)
{
	uint64_t rip = 0, rbp = (uint64_t)__builtin_frame_address(0);
	const struct thread *t;
	uint64_t flags;

	preempt_disable(); /* it shall stay where it is, and alive, while its stack is printed */
	flags = spin_lock(&sched_lock);
	t = thread_find_locked(id);
	if (t != NULL && t != thread_self()) {
		const struct saved_frame *f = (const struct saved_frame *)t->rsp;

		rip = f->rip;
		rbp = f->rbp;
	}
	spin_unlock(&sched_lock, flags);
	if (t != NULL)
		backtrace_print(rip, rbp);
	preempt_enable();
	return t != NULL ? 0 : -ENOENT;
}
