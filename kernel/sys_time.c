/*
 * sys_time.c - clocks, sleeps, interval timers.
 */
#include <fs/vfs.h>
#include <kern/clock.h>
#include <kern/process.h>
#include <kern/sched.h>
#include <kern/sys.h>
#include <kern/usercopy.h>
#include <uapi/resource.h>
#include <uapi/time.h>
#include "proc/internal.h"

/* --- clocks -------------------------------------------------------------------------------------------- */

/* Nanoseconds of clock @id; false = there is none. */
static bool
read_clock(int id, uint64_t *ns)
{
	struct k_rusage u;

	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI: *ns = clock_wall_ns(); return true;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM: *ns = clock_ns(); return true;
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		process_usage(process_self(), RUSAGE_SELF, &u);
		*ns = clock_cycles_to_ns(thread_cycles(thread_self()));
		return true;
	default: return false;
	}
}

static struct timespec64
to_timespec(uint64_t ns)
{
	return (struct timespec64){(int64_t)(ns / NS_PER_SEC), (int64_t)(ns % NS_PER_SEC)};
}

/* Nanoseconds, cut at what a deadline can be.  0 or -EINVAL. */
static int
from_timespec(const struct timespec64 *t, uint64_t *ns)
{
	if (t->sec < 0 || t->nsec < 0 || t->nsec >= (int64_t)NS_PER_SEC)
		return -EINVAL;
	*ns = (uint64_t)MIN(t->sec, (int64_t)(INT64_MAX / NS_PER_SEC / 2)) * NS_PER_SEC +
	      (uint64_t)t->nsec;
	return 0;
}

int64_t
sys_clock_gettime(int id, uptr_t out)
{
	struct timespec64 t;
	uint64_t ns;

	if (!read_clock(id, &ns))
		return -EINVAL;
	t = to_timespec(ns);
	return copy_to_user(out, &t, sizeof(t));
}

int64_t
sys_clock_getres(int id, uptr_t out)
{
	struct timespec64 t = {0, 1};
	uint64_t ns;

	if (!read_clock(id, &ns))
		return -EINVAL;
	if (id == CLOCK_REALTIME_COARSE || id == CLOCK_MONOTONIC_COARSE)
		t.nsec = 4000000;
	return uptr_null(out) ? 0 : copy_to_user(out, &t, sizeof(t));
}

int64_t
sys_clock_settime(int id, uptr_t in)
{
	struct timespec64 t;
	uint64_t ns;

	if (id != CLOCK_REALTIME)
		return read_clock(id, &ns) ? -EINVAL : -EINVAL;
	if (copy_from_user(&t, in, sizeof(t)) != 0)
		return -EFAULT;
	if (from_timespec(&t, &ns) != 0)
		return -EINVAL;
	if (process_self()->cred.euid != 0)
		return -EPERM;
	clock_set_wall_ns(ns);
	return 0;
}

int64_t
sys_gettimeofday(uptr_t tv, uptr_t tz)
{
	const uint64_t us = clock_wall_ns() / 1000;
	const struct k_timeval t = {(int64_t)(us / 1000000), (int64_t)(us % 1000000)};
	const uint64_t utc = 0; /* struct timezone: two ints */

	if (!uptr_null(tv) && copy_to_user(tv, &t, sizeof(t)) != 0)
		return -EFAULT;
	return uptr_null(tz) ? 0 : put_user(utc, tz);
}

int64_t
sys_settimeofday(uptr_t tv, uptr_t tz)
{
	struct k_timeval t;

	(void)tz;
	if (uptr_null(tv))
		return 0;
	if (copy_from_user(&t, tv, sizeof(t)) != 0)
		return -EFAULT;
	if (t.sec < 0 || t.usec < 0 || t.usec >= 1000000)
		return -EINVAL;
	if (process_self()->cred.euid != 0)
		return -EPERM;
	clock_set_wall_ns((uint64_t)t.sec * NS_PER_SEC + (uint64_t)t.usec * 1000);
	return 0;
}

int64_t
sys_time(uptr_t out)
{
	const int64_t now = (int64_t)(clock_wall_ns() / NS_PER_SEC);

	if (!uptr_null(out) && put_user(now, out) != 0)
		return -EFAULT;
	return now;
}

/* --- sleeping --------------------------------------------------------------------------------------------- */

/* Sleep until clock_ns() reaches @deadline; what was left goes to @left if a signal came. */
static int64_t
sleep_to(uint64_t deadline, uptr_t left, bool relative)
{
	static struct wait_queue nobody = WAIT_QUEUE_INIT(nobody);
	struct timespec64 rest;
	uint64_t now;
	const int result = wait_event_until(&nobody, false, deadline);

	if (result == -ETIMEDOUT)
		return 0;
	if (!relative)
		return -ERESTARTNOHAND;
	now = clock_ns();
	rest = to_timespec(deadline > now ? deadline - now : 0);
	if (!uptr_null(left) && copy_to_user(left, &rest, sizeof(rest)) != 0)
		return -EFAULT;
	task_self()->restart_ns = deadline;
	return -ERESTART_RESTARTBLOCK;
}

int64_t
sys_clock_nanosleep(int id, int flags, uptr_t request, uptr_t left)
{
	const bool absolute = (flags & TIMER_ABSTIME) != 0;
	struct timespec64 t;
	uint64_t ns, now;

	if (!read_clock(id, &now))
		return -EINVAL;
	if (id == CLOCK_THREAD_CPUTIME_ID)
		return -EOPNOTSUPP;
	if (copy_from_user(&t, request, sizeof(t)) != 0)
		return -EFAULT;
	if (from_timespec(&t, &ns) != 0)
		return -EINVAL;
	if (absolute)
		ns = ns > now ? ns - now : 0;
	return sleep_to(clock_ns() + ns, left, !absolute);
}

int64_t
sys_nanosleep(uptr_t request, uptr_t left)
{
	return sys_clock_nanosleep(CLOCK_MONOTONIC, 0, request, left);
}

/* nanosleep() goes on after a stop: the signal had no handler. */
int64_t
sys_restart_syscall(void)
{
	return task_self()->restart_ns != 0 ? sleep_to(task_self()->restart_ns, (uptr_t){0}, true)
					    : -EINTR;
}

/* --- interval timers --------------------------------------------------------------------------------------- */

static void
ring(void *arg)
{
	struct process *p = arg;
	const struct k_siginfo info = {.signo = SIGALRM, .code = SI_KERNEL};

	(void)signal_send(p, &info);
}

/* Arm it anew (0 = off); what was left of the old one. */
static void
set_alarm(struct process *p, uint64_t value_ns, uint64_t interval_ns, uint64_t *left_ns)
{
	const uint64_t now = clock_ns();

	if (p->alarm.fn == NULL)
		timer_setup(&p->alarm, ring, p);
	*left_ns = 0;
	if (timer_cancel(&p->alarm) && p->alarm_ns > now)
		*left_ns = p->alarm_ns - now;
	else if (p->alarm_interval_ns != 0 && p->alarm_ns != 0 && now >= p->alarm_ns)
		*left_ns = p->alarm_interval_ns - (now - p->alarm_ns) % p->alarm_interval_ns;
	p->alarm_interval_ns = interval_ns;
	p->alarm_ns = value_ns != 0 ? now + value_ns : 0;
	if (value_ns == 0)
		return;
	if (interval_ns != 0)
		timer_arm_periodic(&p->alarm, p->alarm_ns, interval_ns);
	else
		timer_arm(&p->alarm, p->alarm_ns);
}

int64_t
sys_alarm(unsigned seconds)
{
	uint64_t left;

	set_alarm(process_self(), seconds * NS_PER_SEC, 0, &left);
	return left == 0 ? 0 : (int64_t)MAX((left + NS_PER_SEC / 2) / NS_PER_SEC, 1UL);
}

static void
fill_itimer(struct k_itimerval *v, uint64_t left, uint64_t interval)
{
	v->value_sec = (int64_t)(left / NS_PER_SEC);
	v->value_usec = (int64_t)(left % NS_PER_SEC / 1000);
	v->interval_sec = (int64_t)(interval / NS_PER_SEC);
	v->interval_usec = (int64_t)(interval % NS_PER_SEC / 1000);
}

int64_t
sys_getitimer(int which, uptr_t out)
{
	const struct process *p = process_self();
	struct k_itimerval v = {0};
	const uint64_t now = clock_ns();
	uint64_t left = 0;

	if (which < ITIMER_REAL || which > ITIMER_PROF)
		return -EINVAL;
	if (which == ITIMER_REAL) {
		if (p->alarm_ns > now)
			left = p->alarm_ns - now;
		else if (p->alarm_ns != 0 && p->alarm_interval_ns != 0)
			left = p->alarm_interval_ns - (now - p->alarm_ns) % p->alarm_interval_ns;
		fill_itimer(&v, left, p->alarm_interval_ns);
	}
	return copy_to_user(out, &v, sizeof(v));
}

int64_t
sys_setitimer(int which, uptr_t in, uptr_t out)
{
	struct process *p = process_self();
	struct k_itimerval v = {0}, old = {0};
	uint64_t left, interval = p->alarm_interval_ns;

	if (!uptr_null(in) && copy_from_user(&v, in, sizeof(v)) != 0)
		return -EFAULT;
	if (v.value_sec < 0 || v.interval_sec < 0 || v.value_usec < 0 || v.value_usec >= 1000000 ||
	    v.interval_usec < 0 || v.interval_usec >= 1000000)
		return -EINVAL;
	if (which < ITIMER_REAL || which > ITIMER_PROF)
		return -EINVAL;
	if (which != ITIMER_REAL)
		return v.value_sec != 0 || v.value_usec != 0 ? -EINVAL : 0;
	set_alarm(p,
		  (uint64_t)MIN(v.value_sec, (int64_t)1 << 32) * NS_PER_SEC +
			  (uint64_t)v.value_usec * 1000,
		  (uint64_t)MIN(v.interval_sec, (int64_t)1 << 32) * NS_PER_SEC +
			  (uint64_t)v.interval_usec * 1000,
		  &left);
	fill_itimer(&old, left, interval);
	return uptr_null(out) ? 0 : copy_to_user(out, &old, sizeof(old));
}
