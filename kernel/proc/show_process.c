/*
 * show_process.c - files of /proc/PID.  Formats: proc(5).
 *
 * The process may run on, or end, while it is looked at: memory and files are taken with a reference
 * (kernel/proc/parts.c), and the rest are words that may be a moment old.
 */
#include <fs/procfs.h>
#include <fs/vfs.h>
#include <kern/clock.h>
#include <kern/parse.h>
#include <kern/sched.h>
#include <kern/tty.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>
#include <uapi/resource.h>
#include <uapi/sched.h>
#include <x86/task.h>
#include <x86/trap.h>
#include "internal.h"
#include "show.h"

/* --- state ---------------------------------------------------------------------------------------- */

static struct thread *
main_thread(const struct process *p)
{
	return list_empty(&p->tasks) ? NULL : list_first(&p->tasks, struct task, node)->thread;
}

char
process_state(const struct process *p)
{
	const struct thread *t;

	if (p->state == PROC_ZOMBIE)
		return 'Z';
	if (p->stopped)
		return 'T';
	t = main_thread(p);
	return t != NULL && t->state != THREAD_SLEEPING ? 'R' : 'S';
}

static const char *
state_name(char state)
{
	switch (state) {
	case 'R': return "R (running)";
	case 'S': return "S (sleeping)";
	case 'T': return "T (stopped)";
	default: return "Z (zombie)";
	}
}

static void
show_comm(struct text *t, struct process *p)
{
	text_printf(t, "%s\n", p->comm);
}

struct sizes {
	uint64_t size, resident, start_code, end_code, stack, brk, args, args_end, env,
		env_end; /* bytes */
};

static struct sizes
sizes_of(struct process *p)
{
	struct aspace *as = process_aspace(p);
	struct sizes s = {0};

	if (as == NULL)
		return s;
	s = (struct sizes){.size = as->mapped * PAGE_SIZE,
			   .resident = as->resident * PAGE_SIZE,
			   .start_code = as->code_start,
			   .end_code = as->code_end,
			   .stack = as->stack_top,
			   .brk = as->brk_start,
			   .args = as->args_start,
			   .args_end = as->args_end,
			   .env = as->env_start,
			   .env_end = as->env_end};
	aspace_put(as);
	return s;
}

/* Signals that are ignored (@ignored) or caught, a bit each. */
static uint64_t
signals(const struct process *p, bool ignored)
{
	uint64_t set = 0;

	for (unsigned i = 0; i < NSIG; i++) {
		const uint64_t handler = p->sig.action[i].handler;

		if (ignored ? handler == 1 : handler > 1)
			set |= BIT(i);
	}
	return set;
}

static uint64_t
blocked(const struct process *p)
{
	return list_empty(&p->tasks) ? 0 : list_first(&p->tasks, struct task, node)->blocked;
}

static void
show_stat(struct text *t, struct process *p)
{
	const struct sizes s = sizes_of(p);
	const uint64_t ms10 = NS_PER_SEC / 100;

	text_printf(t, "%d (%s) %c %d %d %d %d %d 0", p->pid, p->comm, process_state(p),
		    p->parent != NULL ? p->parent->pid : 0, p->pgid, p->sid, tty_number(p),
		    tty_foreground(p));
	text_printf(t, " %lu %lu %lu %lu", p->minor_faults, p->child_minor_faults, p->major_faults,
		    p->child_major_faults);
	text_printf(t, " %lu %lu %lu %lu", process_ticks(p, true), process_ticks(p, false),
		    clock_cycles_to_ns(p->child_utime_cycles) / ms10,
		    clock_cycles_to_ns(p->child_stime_cycles) / ms10);
	text_printf(t, " %d %d 1 0 %lu %lu %lu %lu", 20 + p->nice_value, p->nice_value,
		    p->start_ns / ms10, s.size, s.resident / PAGE_SIZE, p->rlimits[RLIMIT_RSS].cur);
	text_printf(t, " %lu %lu %lu 0 0 %lu %lu %lu %lu 0 0 0 %d 0 0 0 0 0 0", s.start_code,
		    s.end_code, s.stack, p->sig.pending, blocked(p), signals(p, true),
		    signals(p, false), p->exit_signal);
	text_printf(t, " 0 0 %lu %lu %lu %lu %lu %d\n", s.brk, s.args, s.args_end, s.env, s.env_end,
		    p->exit_status);
}

static void
show_statm(struct text *t, struct process *p)
{
	const struct sizes s = sizes_of(p);

	text_printf(t, "%lu %lu 0 %lu 0 %lu 0\n", s.size / PAGE_SIZE, s.resident / PAGE_SIZE,
		    (s.end_code - s.start_code + PAGE_SIZE - 1) / PAGE_SIZE, s.size / PAGE_SIZE);
}

static void
show_status(struct text *t, struct process *p)
{
	const struct cred *c = &p->cred;
	const struct sizes s = sizes_of(p);

	text_printf(t,
		    "Name:\t%s\nState:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%"
		    "d\nTracerPid:\t0\n",
		    p->comm, state_name(process_state(p)), p->pid, p->pid,
		    p->parent != NULL ? p->parent->pid : 0);
	text_printf(t, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nGroups:\t", c->uid, c->euid,
		    c->suid, c->fsuid, c->gid, c->egid, c->sgid, c->fsgid);
	for (unsigned i = 0; i < c->nr_groups; i++)
		text_printf(t, "%u ", c->groups[i]);
	text_printf(t, "\n");
	if (s.size != 0)
		text_printf(t, "VmSize:\t%8lu kB\nVmRSS:\t%8lu kB\n", s.size / 1024,
			    s.resident / 1024);
	text_printf(t,
		    "Threads:\t1\nSigQ:\t%u/"
		    "%lu\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n",
		    p->sig.nr_queued, p->rlimits[RLIMIT_SIGPENDING].cur, p->sig.pending, blocked(p),
		    signals(p, true), signals(p, false));
	text_printf(t,
		    "NoNewPrivs:\t%d\nCpus_allowed:\t1\nCpus_allowed_list:\t0\nvoluntary_ctxt_"
		    "switches:\t%lu\n",
		    p->no_new_privs, p->voluntary);
}

/* --- memory ------------------------------------------------------------------------------------------- */

/* The bytes [start, end) of its memory, as far as they are there. */
static void
show_memory(struct text *t, struct process *p, bool environment)
{
	struct aspace *as = process_aspace(p);
	char *page = kmalloc(PAGE_SIZE);
	vaddr_t at, end;

	if (as != NULL && page != NULL) {
		at = environment ? as->env_start : as->args_start;
		end = environment ? as->env_end : as->args_end;
		while (at < end) {
			const size_t n = MIN(end - at, PAGE_SIZE - at % PAGE_SIZE);

			if (aspace_peek(as, at, page, n) != 0)
				break;
			text_bytes(t, page, n);
			at += n;
		}
	}
	kfree(page);
	if (as != NULL)
		aspace_put(as);
}

static void
show_cmdline(struct text *t, struct process *p)
{
	show_memory(t, p, false);
}

static void
show_environ(struct text *t, struct process *p)
{
	show_memory(t, p, true);
}

static const char *
special_name(const struct aspace *as, const struct vma *v)
{
	if (v->start <= as->brk_start && as->brk_start < v->end && as->brk > as->brk_start)
		return "[heap]";
	if (v->start >= as->brk_start && v->end <= ALIGN_UP(as->brk, PAGE_SIZE) &&
	    as->brk > as->brk_start)
		return "[heap]";
	return v->flags & MAP_GROWSDOWN ? "[stack]" : "";
}

static void
show_range(struct text *t, const struct aspace *as, const struct vma *v, struct vm_name *name)
{
	name->device = name->inode = 0;
	name->name[0] = '\0';
	if (v->object != NULL && v->object->ops->describe != NULL)
		v->object->ops->describe(v->object, name);
	else
		(void)strlcpy(name->name, special_name(as, v), sizeof(name->name));
	text_printf(t, "%lx-%lx %c%c%c%c %08lx 00:%02lx %lu", v->start, v->end,
		    v->prot & PROT_READ ? 'r' : '-', v->prot & PROT_WRITE ? 'w' : '-',
		    v->prot & PROT_EXEC ? 'x' : '-',
		    (v->flags & MAP_TYPE) == MAP_PRIVATE ? 'p' : 's',
		    v->object != NULL ? v->offset : 0, name->device, name->inode);
	if (name->name[0] != '\0')
		text_printf(t, "%26s%s", "", name->name);
	text_printf(t, "\n");
}

static void
show_maps(struct text *t, struct process *p)
{
	struct aspace *as = process_aspace(p);
	struct vm_name *name = kmalloc(sizeof(*name));
	struct vma v = {.end = 0};

	while (as != NULL && name != NULL && aspace_range_at(as, v.end, &v)) {
		show_range(t, as, &v, name);
		if (v.object != NULL)
			v.object->ops->put(v.object);
	}
	kfree(name);
	if (as != NULL)
		aspace_put(as);
}

/* --- the rest ----------------------------------------------------------------------------------------- */

void
show_mounts(struct text *t, struct process *p)
{
	(void)p;
	mounts_show(t);
}

static void
show_limits(struct text *t, struct process *p)
{
	static const struct {
		const char *name, *unit;
	} rows[NR_RLIMITS] = {
		{"Max cpu time", "seconds"},	 {"Max file size", "bytes"},
		{"Max data size", "bytes"},	 {"Max stack size", "bytes"},
		{"Max core file size", "bytes"}, {"Max resident set", "bytes"},
		{"Max processes", "processes"},	 {"Max open files", "files"},
		{"Max locked memory", "bytes"},	 {"Max address space", "bytes"},
		{"Max file locks", "locks"},	 {"Max pending signals", "signals"},
		{"Max msgqueue size", "bytes"},	 {"Max nice priority", ""},
		{"Max realtime priority", ""},	 {"Max realtime timeout", "us"},
	};

	text_printf(t, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < NR_RLIMITS; i++) {
		const uint64_t values[2] = {p->rlimits[i].cur, p->rlimits[i].max};

		text_printf(t, "%-25s ", rows[i].name);
		for (unsigned k = 0; k < 2; k++) {
			if (values[k] == UINT64_MAX)
				text_printf(t, "%-20s ", "unlimited");
			else
				text_printf(t, "%-20lu ", values[k]);
		}
		text_printf(t, "%-10s\n", rows[i].unit);
	}
}

static void
show_oom_adj(struct text *t, struct process *p)
{
	text_printf(t, "%d\n", p->oom_adj);
}

static int
store_oom_adj(struct process *p, const char *value)
{
	const bool minus = *value == '-';
	uint64_t n;

	if (parse_u64(value + minus, 10, &n) != 0 || n > 1000)
		return -EINVAL;
	p->oom_adj = minus ? -(int)n : (int)n;
	return 0;
}

static void
show_oom_score(struct text *t, struct process *p)
{
	text_printf(t, "%d\n", oom_score(p));
}

static void
show_wchan(struct text *t, struct process *p)
{
	(void)p;
	text_printf(t, "0");
}

const struct proc_file proc_process_files[] = {
	{"cmdline", 0444, show_cmdline, NULL},
	{"comm", 0444, show_comm, NULL},
	{"environ", 0400, show_environ, NULL},
	{"limits", 0444, show_limits, NULL},
	{"maps", 0444, show_maps, NULL},
	{"mounts", 0444, show_mounts, NULL},
	{"oom_score", 0444, show_oom_score, NULL},
	{"oom_score_adj", 0644, show_oom_adj, store_oom_adj},
	{"stat", 0444, show_stat, NULL},
	{"statm", 0444, show_statm, NULL},
	{"status", 0444, show_status, NULL},
	{"wchan", 0444, show_wchan, NULL},
	{NULL, 0, NULL, NULL},
};
