/*
 * thread_info.c - threads as people want to see them: ps, top, stack.
 */
#include <kern/sched.h>
#include <kern/clock.h>
#include <kern/ksym.h>
#include <lib/string.h>

#define STACK_WORDS (KSTACK_SIZE / sizeof(uint64_t))
#define WAIT_DEPTH  12 /* frames to look through for whom a thread waits */

/* How switch.asm leaves the stack of a thread that does not run. */
struct saved_frame {
	uint64_t r15, r14, r13, r12, rbx, rbp, rip;
};

static uint64_t
stack_used(const struct thread *t)
{
	const uint64_t untouched = THREAD_STACK_FILL * 0x0101010101010101ULL;
	size_t i = 0;

	while (i < STACK_WORDS && t->stack[i] == untouched)
		i++;
	return (STACK_WORDS - i) * sizeof(uint64_t);
}

/* The scheduler's own functions say nothing about what a thread waits for. */
static bool
is_waiting_machinery(const char *name)
{
	static const char *const prefixes[] = {
		"switch_away", "context_switch", "sched_", "sleep_",
		"wait_",       "mutex_",	 "sem_",   "thread_join",
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
		if (name == NULL || !is_waiting_machinery(name))
			return name;
		if (rbp < low || rbp > high - 16 || !IS_ALIGNED(rbp, 8))
			break;
		rip = ((const uint64_t *)rbp)[1];
		rbp = ((const uint64_t *)rbp)[0];
	}
	return name;
}

static void
describe_locked(const struct thread *t, struct thread_info *out)
{
	uint64_t cycles = t->cycles;

	if (t == sched_current)
		cycles += rdtsc() - t->stamp;
	out->id = t->id;
	memcpy(out->name, t->name, sizeof(out->name));
	out->state = t->state;
	out->cpu_ns = clock_cycles_to_ns(cycles);
	out->switches = t->switches;
	out->stack_used = stack_used(t);
	out->wait_sym = t->state == THREAD_SLEEPING ? wait_symbol(t) : NULL;
}

size_t
thread_snapshot(struct thread_info *out, size_t max)
{
	const uint64_t flags = spin_lock(&sched_lock);
	struct thread *t;
	size_t n = 0;

	list_for_each_entry (t, &sched_all, all_node) {
		if (n < max)
			describe_locked(t, &out[n]);
		n++;
	}
	spin_unlock(&sched_lock, flags);
	return n;
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
