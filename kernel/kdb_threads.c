/*
 * kdb_threads.c - the panic debugger's view of threads: who there is, where each stands.
 *
 * Nobody holds still for it but everybody has stopped: the list is walked without its lock, every
 * thread is copied before it is looked at, and the walk has an end even if the list has none.
 */
#include <kern/ksym.h>
#include <kern/sched.h>
#include <lib/string.h>
#include <mm/vmm.h>
#include <x86/fault.h>
#include <x86/switch.h>
#include <x86/trap.h>
#include "kdb_cmds.h"

#define WALK_MAX 1000
#define BT_LINES 60
#define DEPTH	 12 /* frames looked through for what a thread waits in */

static struct thread copy; /* of the thread that is looked at; large for a stack */

/* Copy the thread whose list node is @node to `copy`, and move *@node on.  False at the end. */
static bool
next_thread(struct list **node, vaddr_t *where)
{
	if (*node == &sched_all)
		return false;
	*where = (vaddr_t)list_entry(*node, struct thread, all_node);
	if (vmm_probe_read(&copy, *where, sizeof(copy)) != 0) {
		printf("the list of threads leads to %#lx, which cannot be read\n", *where);
		return false;
	}
	*node = copy.all_node.next;
	return true;
}

static bool
is_running(vaddr_t where)
{
	return where == (vaddr_t)thread_self();
}

/* Where it goes on when it is switched to; false if its stack cannot be read. */
static bool
saved_place(struct switch_frame *out)
{
	return vmm_probe_read(out, copy.rsp, sizeof(*out)) == 0;
}

/* The first place up the stack of the thread in `copy` that is not the scheduler's; 0 = none. */
static uint64_t
waiting_place(void)
{
	struct trapframe tf = {.vector = TRAP_VECTORS};
	struct switch_frame f;
	uint64_t chain[DEPTH];
	unsigned n;

	if (!saved_place(&f))
		return 0;
	tf.rip = f.rip;
	tf.rbp = f.rbp;
	n = MIN(backtrace_collect(&tf, chain, DEPTH), (unsigned)DEPTH);
	for (unsigned i = 0; i < n; i++) {
		const char *name = ksym_lookup(chain[i] - 1, NULL);

		if (name == NULL || !thread_is_waiting_machinery(name))
			return chain[i];
	}
	return f.rip;
}

/* Its name may be anything. */
static int
name_len(void)
{
	return (int)strnlen(copy.name, sizeof(copy.name));
}

static void
print_backtrace(vaddr_t where)
{
	struct switch_frame f;

	printf("thread %u \"%.*s\":\n", copy.id, name_len(), copy.name);
	if (is_running(where))
		(void)backtrace_print_frame(panic_frame(), BT_LINES);
	else if (saved_place(&f))
		backtrace_print(f.rip, f.rbp);
	else
		printf("  its stack (rsp %#lx) cannot be read\n", copy.rsp);
}

void
kdb_bt(int n, char **words)
{
	const bool all = n == 2 && strcmp(words[1], "all") == 0;
	struct list *node = sched_all.next;
	uint64_t id = 0;
	vaddr_t where;

	if (n == 1) {
		(void)backtrace_print_frame(panic_frame(), BT_LINES);
		return;
	}
	if (!all && (n != 2 || parse_u64(words[1], 0, &id) != 0)) {
		printf("bt [ID | all]\n");
		return;
	}
	for (unsigned i = 0; i < WALK_MAX && next_thread(&node, &where); i++) {
		if (!all && copy.id != id)
			continue;
		print_backtrace(where);
		if (!all)
			return;
		if (!kdb_more(10))
			return;
	}
	if (!all)
		printf("there is no thread %lu\n", id);
}

void
kdb_threads(int n, char **words)
{
	static const char *const names[] = {"ready", "running", "sleeping", "zombie"};
	struct list *node = sched_all.next;
	vaddr_t where;

	printf("  ID  NAME              STATE      SWITCHES  AT\n");
	for (unsigned i = 0; i < WALK_MAX && next_thread(&node, &where); i++) {
		const bool runs = is_running(where);

		printf("%4u%c %-16.*s  %-8s %10lu  ", copy.id, runs ? '*' : ' ', name_len(),
		       copy.name, names[copy.state & 3], copy.switches);
		fault_print_place(runs ? panic_frame()->rip : waiting_place(), true);
		printf("\n");
		if (!kdb_more(1))
			return;
	}
}
