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
	const unsigned char *elf = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);

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
	for (int i = 0; i < 10; i++)
		T(i);
	return 0;
}
