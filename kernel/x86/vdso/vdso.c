/*
 * vdso.c - code that the kernel lends to every program: the time, without going through the kernel.
 *
 * Linked by itself as a shared object (vdso.lds), whose bytes are part of the kernel (kernel/x86/vdso_image.asm).  It runs
 * in ring 3 and knows nothing but the page of data before it.  What it cannot answer it asks the kernel.
 * Spec: vdso(7); clock_gettime(2).
 */
#include <kern/vdso.h>

#define SYS_GETTIMEOFDAY  96
#define SYS_TIME	  201
#define SYS_CLOCK_GETTIME 228
#define SYS_CLOCK_GETRES  229

enum {
	CLOCK_REALTIME = 0,
	CLOCK_MONOTONIC = 1,
	CLOCK_MONOTONIC_RAW = 4,
	CLOCK_REALTIME_COARSE = 5,
	CLOCK_MONOTONIC_COARSE = 6,
	CLOCK_BOOTTIME = 7,
};

struct timespec {
	int64_t sec, nsec;
};

struct timeval {
	int64_t sec, usec;
};

int __vdso_clock_gettime(int clock, struct timespec *out);
int __vdso_clock_getres(int clock, struct timespec *out);
int __vdso_gettimeofday(struct timeval *out, void *zone);
int64_t __vdso_time(int64_t *out);
int __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused);

static inline int64_t
call(int64_t number, uint64_t a, uint64_t b)
{
	int64_t result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b)
			 : "rcx", "r11", "memory");
	return result;
}

/* Not before what stands before it in the program. */
static inline uint64_t
ordered_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

/* Nanoseconds of the clock, and of wall time.  False: only the kernel can tell. */
static inline bool
read_clock(bool wall, uint64_t *ns)
{
	uint32_t seq;

	do {
		seq = __atomic_load_n(&vdso_data.seq, __ATOMIC_ACQUIRE);
		if (vdso_data.scale.rate == 0)
			return false;
		*ns = timescale_ns_64(&vdso_data.scale, ordered_tsc()) +
		      (wall ? vdso_data.wall_ns : 0);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while ((seq & 1) != 0 || seq != vdso_data.seq);
	return true;
}

int
__vdso_clock_gettime(int clock, struct timespec *out)
{
	const bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
	uint64_t ns;

	if ((wall || clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
	     clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME) &&
	    read_clock(wall, &ns)) {
		out->sec = (int64_t)(ns / 1000000000);
		out->nsec = (int64_t)(ns % 1000000000);
		return 0;
	}
	return (int)call(SYS_CLOCK_GETTIME, (uint64_t)(unsigned)clock, (uint64_t)out);
}

int
__vdso_clock_getres(int clock, struct timespec *out)
{
	return (int)call(SYS_CLOCK_GETRES, (uint64_t)(unsigned)clock, (uint64_t)out);
}

int
__vdso_gettimeofday(struct timeval *out, void *zone)
{
	uint64_t ns;

	if (zone != NULL || out == NULL || !read_clock(true, &ns))
		return (int)call(SYS_GETTIMEOFDAY, (uint64_t)out, (uint64_t)zone);
	out->sec = (int64_t)(ns / 1000000000);
	out->usec = (int64_t)(ns % 1000000000 / 1000);
	return 0;
}

int64_t
__vdso_time(int64_t *out)
{
	uint64_t ns;

	if (!read_clock(true, &ns))
		return call(SYS_TIME, (uint64_t)out, 0);
	if (out != NULL)
		*out = (int64_t)(ns / 1000000000);
	return (int64_t)(ns / 1000000000);
}

/* There is one processor. */
int
__vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
	(void)unused;
	if (cpu != NULL)
		*cpu = 0;
	if (node != NULL)
		*node = 0;
	return 0;
}
