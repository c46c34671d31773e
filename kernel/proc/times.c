/*
 * times.c - how much CPU time a process used, and other counts of getrusage().
 *
 * The whole is exact, by the time stamp counter at each switch.  How it divides into the program's part and the
 * kernel's is sampled: each tick counts for the side that it interrupted.
 */
#include <kern/clock.h>
#include <kern/process.h>
#include <kern/sched.h>
#include <kern/sync.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <uapi/resource.h>
#include <x86/percpu.h>
#include "internal.h"

#define HZ 100 /* of what programs count time in: sysconf(_SC_CLK_TCK) */

/* Cycles so far, divided by the ticks seen on each side. */
static void
split(const struct task *t, uint64_t *user, uint64_t *system)
{
	const uint64_t all = t->thread != NULL ? thread_cycles(t->thread) : 0;
	const uint64_t ticks = t->user_ticks + t->system_ticks;

	*user = ticks != 0 ? all / ticks * t->user_ticks : all;
	*system = all - *user;
}

static struct cpu_ticks all_ticks; /* [c] */

void
process_tick(void)
{
	struct task *t = this_cpu()->task;

	if (t == NULL)
		return;
	if ((this_cpu()->interrupted_cs & 3) == 3) {
		t->user_ticks++;
		all_ticks.user++;
	} else {
		t->system_ticks++;
		all_ticks.system++;
	}
}

struct cpu_ticks
process_all_ticks(void)
{
	return all_ticks;
}

/* --- load ----------------------------------------------------------------------------------------- */

#define ONE	65536
#define STEP_NS (5 * NS_PER_SEC)

static struct mutex load_lock = MUTEX_INIT(load_lock, "load");
static uint64_t loads[3], load_at_ns,
	load_ready; /* [load] up to when, and the scheduler's count then */

/*
 * Each STEP_NS the load moves towards the mean number of threads that ran or wanted to: by 1 - e^(-5/60) for the
 * first, and so on.  Steps that nobody asked about are made up for with the mean over all of them.
 */
static void REQUIRES(load_lock) catch_up_locked(void)
{
	static const uint64_t keep[3] = {60298, 64453,
					 65173}; /* e^(-5/60), e^(-5/300), e^(-5/900), of ONE */
	const uint64_t now = clock_ns();
	const uint64_t steps = MIN((now - load_at_ns) / STEP_NS, 4000ULL);
	struct sched_stats s;
	uint64_t mean;

	if (steps == 0)
		return;
	sched_stats(&s);
	mean = (s.ready_ticks - load_ready) * ONE / MAX((now - load_at_ns) / NS_PER_TICK, 1ULL);
	for (uint64_t i = 0; i < steps; i++) {
		for (unsigned k = 0; k < ARRAY_SIZE(loads); k++)
			loads[k] = (loads[k] * keep[k] + mean * (ONE - keep[k])) / ONE;
	}
	load_at_ns = now;
	load_ready = s.ready_ticks;
}

uint64_t
load_average(unsigned which)
{
	uint64_t load;

	mutex_lock(&load_lock);
	catch_up_locked();
	load = loads[which];
	mutex_unlock(&load_lock);
	return load;
}

/* --- processes ------------------------------------------------------------------------------------ */

void
process_note_times(struct task *t)
{
	uint64_t user, system;

	split(t, &user, &system);
	t->proc->utime_cycles += user;
	t->proc->stime_cycles += system;
	t->proc->voluntary = t->thread->switches;
}

static void
totals(const struct process *p, uint64_t *user, uint64_t *system)
{
	const struct task *t;

	*user = *system = 0;
	if (p->state == PROC_ALIVE && !list_empty(&p->tasks)) {
		t = list_first(&p->tasks, struct task, node);
		split(t, user, system);
	}
	*user += p->utime_cycles;
	*system += p->stime_cycles;
}

uint64_t
process_ticks(const struct process *p, bool user)
{
	uint64_t u, s;

	totals(p, &u, &s);
	return clock_cycles_to_ns(user ? u : s) / (NS_PER_SEC / HZ);
}

static struct k_timeval
timeval(uint64_t cycles)
{
	const uint64_t us = clock_cycles_to_ns(cycles) / 1000;

	return (struct k_timeval){(int64_t)(us / 1000000), (int64_t)(us % 1000000)};
}

void
process_usage(const struct process *p, int who, struct k_rusage *out)
{
	uint64_t user = 0, system = 0;

	*out = (struct k_rusage){0};
	if (who != RUSAGE_CHILDREN) {
		totals(p, &user, &system);
		out->minflt = (int64_t)p->minor_faults;
		out->majflt = (int64_t)p->major_faults;
		out->maxrss = (int64_t)MAX(p->max_rss, p->as != NULL ? p->as->resident * 4 : 0);
		out->nvcsw = (int64_t)p->voluntary;
	}
	if (who == RUSAGE_CHILDREN || who == RUSAGE_BOTH) {
		user += p->child_utime_cycles;
		system += p->child_stime_cycles;
		out->minflt += (int64_t)p->child_minor_faults;
		out->majflt += (int64_t)p->child_major_faults;
	}
	out->utime = timeval(user);
	out->stime = timeval(system);
}
