/*
 * info.c - limits, clocks, timers, the machine.
 *
 * SYSCALLS: uname sethostname setdomainname sysinfo getrandom getrlimit setrlimit prlimit64 getrusage times
 * SYSCALLS: clock_gettime clock_getres clock_settime clock_nanosleep nanosleep gettimeofday settimeofday time alarm
 * SYSCALLS: getitimer setitimer
 */
#include "abi.h"
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <time.h>

static void
machine(void)
{
	struct utsname u;
	struct sysinfo si;
	char r[300];

	T(uname(&u));
	printf("%s %s\n", u.sysname, u.machine);
	T(syscall(SYS_uname, BAD));
	T(syscall(SYS_sethostname, "x", -1));
	T(syscall(SYS_sethostname, "x", 100));
	T(syscall(SYS_setdomainname, "x", 100));
	CHILD({
		T(setuid(5));
		T(syscall(SYS_sethostname, "x", 1));
		T(syscall(SYS_setdomainname, "x", 1));
		T(syscall(SYS_settimeofday, (long[]){1, 2}, NULL));
		T(syscall(SYS_clock_settime, CLOCK_REALTIME, (long[]){1, 2}));
		_exit(0);
	});
	T(sysinfo(&si));
	T(si.totalram > si.freeram && si.procs > 0 && si.uptime >= 0);
	T(syscall(SYS_sysinfo, BAD));
	T(syscall(SYS_getrandom, r, 300, 0));
	T(syscall(SYS_getrandom, r, 0, 0));
	T(syscall(SYS_getrandom, r, 5, 99));
	T(syscall(SYS_getrandom, BAD, 5, 0));
	T(syscall(SYS_getrandom, r, 16, 1));
}

static void
limits(void)
{
	struct rlimit l = {5, 4}, old;
	struct rusage ru;
	struct tms t;

	T(syscall(SYS_getrlimit, RLIMIT_STACK, &old));
	T(syscall(SYS_getrlimit, 99, &old));
	T(syscall(SYS_getrlimit, RLIMIT_STACK, BAD));
	T(syscall(SYS_setrlimit, RLIMIT_CORE, &l));
	l = (struct rlimit){0, 0};
	T(syscall(SYS_setrlimit, RLIMIT_CORE, &l));
	T(syscall(SYS_setrlimit, 99, &l));
	T(syscall(SYS_setrlimit, RLIMIT_CORE, BAD));
	l = (struct rlimit){20, 40};
	T(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &l, NULL));
	T(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &old));
	printf("%ld %ld\n", (long)old.rlim_cur, (long)old.rlim_max);
	T(dup2(1, 19));
	T(dup2(1, 20));
	T(fcntl(1, F_DUPFD, 20));
	T(syscall(SYS_prlimit64, 99999999, RLIMIT_NOFILE, NULL, &old));
	T(syscall(SYS_prlimit64, 0, 99, NULL, &old));
	CHILD({
		T(setuid(5));
		l = (struct rlimit){20, 50};
		T(syscall(SYS_setrlimit, RLIMIT_NOFILE, &l));
		_exit(0);
	});
	T(getrusage(RUSAGE_SELF, &ru));
	T(ru.ru_maxrss > 0 && ru.ru_minflt > 0);
	T(getrusage(RUSAGE_CHILDREN, &ru));
	T(getrusage(RUSAGE_THREAD, &ru));
	T(getrusage(99, &ru));
	T(syscall(SYS_getrusage, RUSAGE_SELF, BAD));
	N(syscall(SYS_times, &t));
	T(syscall(SYS_times, BAD));
}

static long
since(const struct timespec *a, const struct timespec *b)
{
	return (b->tv_sec - a->tv_sec) * 1000 + (b->tv_nsec - a->tv_nsec) / 1000000;
}

static void
clocks(void)
{
	struct timespec a, b, none = {0, 0}, wrong = {0, 2000000000}, neg = {-1, 0},
			      ms = {0, 30000000};
	struct timeval tv;

	T(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &a));
	T(syscall(SYS_clock_gettime, CLOCK_REALTIME, &b));
	T(syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &b));
	T(syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &b));
	T(syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &b));
	T(syscall(SYS_clock_gettime, 99, &b));
	T(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, BAD));
	T(syscall(SYS_clock_getres, CLOCK_MONOTONIC, &b));
	printf("%ld %ld\n", (long)b.tv_sec, b.tv_nsec);
	T(syscall(SYS_clock_getres, 99, &b));
	T(syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL));
	T(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &b));
	T(syscall(SYS_clock_settime, CLOCK_REALTIME, &wrong));
	T(syscall(SYS_gettimeofday, &tv, NULL));
	T(syscall(SYS_gettimeofday, BAD, NULL));
	T(tv.tv_sec > 1500000000 && tv.tv_usec < 1000000);
	N(syscall(SYS_time, NULL));
	T(syscall(SYS_time, BAD));
	T(syscall(SYS_nanosleep, &ms, NULL));
	T(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &b));
	T(since(&a, &b) >= 30);
	T(syscall(SYS_nanosleep, &none, NULL));
	T(syscall(SYS_nanosleep, &wrong, NULL));
	T(syscall(SYS_nanosleep, &neg, NULL));
	T(syscall(SYS_nanosleep, BAD, NULL));
	T(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ms, NULL));
	T(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &a, NULL));
	T(syscall(SYS_clock_nanosleep, CLOCK_REALTIME, 0, &ms, NULL));
	T(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &ms, NULL));
	T(syscall(SYS_clock_nanosleep, 99, 0, &ms, NULL));
}

static volatile sig_atomic_t rang;

static void
on_alarm(int signo)
{
	rang += signo == SIGALRM;
}

static void
timers(void)
{
	struct itimerval it = {{0, 10000}, {0, 10000}}, old, off = {{0, 0}, {0, 0}},
			 wrong = {{0, 0}, {0, 1000000}};
	struct timespec second = {1, 0}, left;
	struct sigaction sa = {.sa_handler = on_alarm};

	sigaction(SIGALRM, &sa, NULL);
	T(alarm(100));
	T(alarm(0));
	T(syscall(SYS_setitimer, ITIMER_REAL, &it, NULL));
	while (rang < 3)
		pause();
	T(syscall(SYS_setitimer, ITIMER_REAL, &off, &old));
	T(old.it_interval.tv_usec);
	T(syscall(SYS_getitimer, ITIMER_REAL, &old));
	printf("%ld %ld\n", (long)old.it_value.tv_sec, (long)old.it_value.tv_usec);
	T(syscall(SYS_getitimer, 99, &old));
	T(syscall(SYS_getitimer, ITIMER_REAL, BAD));
	T(syscall(SYS_setitimer, ITIMER_REAL, &wrong, NULL));
	T(syscall(SYS_setitimer, 99, &it, NULL));
	T(syscall(SYS_setitimer, ITIMER_REAL, BAD, NULL));
	it = (struct itimerval){{0, 0}, {0, 20000}};
	T(syscall(SYS_setitimer, ITIMER_REAL, &it, NULL));
	T(syscall(SYS_nanosleep, &second, &left));
	T(left.tv_sec == 0 && left.tv_nsec > 0);
}

int
main(void)
{
	machine();
	limits();
	clocks();
	timers();
	return 0;
}
