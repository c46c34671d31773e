/*
 * vdso.c - the time by the vDSO, against the time by the system calls.
 *
 * SYSCALLS: clock_gettime gettimeofday time
 */
#include "abi.h"
#include <elf.h>
#include <sys/auxv.h>
#include <sys/time.h>
#include <time.h>

#define ROUNDS 2000

static int64_t
ns(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

/* What libc tells by the vDSO lies between what two calls tell. */
static int
between(clockid_t clock)
{
	int wrong = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct timespec a, b, c;

		syscall(SYS_clock_gettime, clock, &a);
		clock_gettime(clock, &b);
		syscall(SYS_clock_gettime, clock, &c);
		wrong += ns(&a) > ns(&b) || ns(&b) > ns(&c);
	}
	return wrong;
}

static int
never_back(void)
{
	struct timespec last = {0}, now;
	int wrong = 0;

	for (int i = 0; i < ROUNDS; i++) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		wrong += ns(&now) < ns(&last) || now.tv_nsec >= 1000000000;
		last = now;
	}
	return wrong;
}

static int
of_day(void)
{
	int wrong = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct timeval a, b, c;
		time_t before, now, after;

		syscall(SYS_gettimeofday, &a, NULL);
		gettimeofday(&b, NULL);
		syscall(SYS_gettimeofday, &c, NULL);
		wrong += timercmp(&a, &b, >) || timercmp(&b, &c, >) || b.tv_usec >= 1000000;
		before = syscall(SYS_time, NULL);
		now = time(NULL);
		after = syscall(SYS_time, NULL);
		wrong += before > now || now > after + 1;
	}
	return wrong;
}

int
main(void)
{
	static const clockid_t coarse[] = {CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE,
					   CLOCK_MONOTONIC_RAW};
	const unsigned char *elf = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);
	struct timespec ts;
	struct timeval tv;
	time_t t;

	T(elf != NULL && memcmp(elf, ELFMAG, SELFMAG) == 0);
	T(((const Elf64_Ehdr *)elf)->e_type == ET_DYN);
	T(((uintptr_t)elf & 4095) == 0);
	T(between(CLOCK_REALTIME));
	T(between(CLOCK_MONOTONIC));
	T(between(CLOCK_BOOTTIME));
	T(never_back());
	T(of_day());
	T(clock_gettime(4711, &(struct timespec){0, 0}));
	/* Its code cannot be written to. */
	T(syscall(SYS_read, open("/dev/zero", O_RDONLY), elf, 1));
	CHILD(*(volatile unsigned char *)elf = 1);
	/* A child has it, too. */
	CHILD(_exit(between(CLOCK_MONOTONIC)));
	T(gettimeofday(&tv, NULL) == 0 && tv.tv_sec > 1700000000);
	T(syscall(SYS_gettimeofday, BAD, NULL));
	T(syscall(SYS_time, BAD));
	T(time(&t) == t);
	for (unsigned i = 0; i < sizeof(coarse) / sizeof(coarse[0]); i++)
		T(clock_gettime(coarse[i], &ts) == 0 && ts.tv_nsec < 1000000000);
	T(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) == 0 && ts.tv_sec < 60);
	T(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts) == 0 && ts.tv_sec < 60);
	T(clock_gettime(-1, &ts));
	T(clock_getres(CLOCK_MONOTONIC, &ts) == 0 && ts.tv_sec == 0 && ts.tv_nsec == 1);
	T(clock_getres(4711, &ts));
	return 0;
}
