/*
 * memory.c - mappings.
 *
 * SYSCALLS: mmap munmap mprotect mremap brk madvise msync mincore mlock munlock mlockall munlockall
 */
#include "abi.h"
#include <setjmp.h>
#include <sys/mman.h>

#define PAGE 4096

static sigjmp_buf back;
static volatile int caught, caught_code;

static void
fault(int signo, siginfo_t *si, void *uc)
{
	(void)uc;
	caught = signo;
	caught_code = si->si_code;
	siglongjmp(back, 1);
}

/* What an access does: 0, or the signal and its code. */
static void
touch(const char *what, volatile char *p, int write)
{
	caught = caught_code = 0;
	if (sigsetjmp(back, 1) == 0) {
		if (write)
			*p = 7;
		else
			(void)*p;
	}
	printf("%s: %d %d\n", what, caught, caught_code);
	fflush(stdout);
}

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

static void
anonymous(void)
{
	char *p = mmap(NULL, 4 * PAGE, RW, ANON, -1, 0), *q;

	T(p != MAP_FAILED);
	touch("write", p + PAGE, 1);
	T(p[PAGE + 1]);
	T(syscall(SYS_munmap, p + PAGE, PAGE));
	touch("hole", p + PAGE, 0);
	touch("beside", p + 2 * PAGE, 1);
	T(syscall(SYS_mprotect, p, PAGE, PROT_READ));
	touch("read only", p, 1);
	touch("read", p, 0);
	T(syscall(SYS_mprotect, p, PAGE, PROT_NONE));
	touch("none", p, 0);
	T(write(1, p, 1));
	T(syscall(SYS_mprotect, p, 4 * PAGE, RW));
	T(syscall(SYS_mprotect, p + 1, PAGE, RW));
	T(syscall(SYS_mprotect, p, 0, RW));
	T(syscall(SYS_mprotect, p, PAGE, 0x1000));
	T(syscall(SYS_munmap, p + 1, PAGE));
	T(syscall(SYS_munmap, p, 0));
	T(syscall(SYS_munmap, 0xffff800000000000UL, PAGE));
	T(syscall(SYS_munmap, p, 4 * PAGE));
	T(syscall(SYS_munmap, p, 4 * PAGE));
	T(syscall(SYS_mmap, NULL, 0, RW, ANON, -1, 0));
	T(syscall(SYS_mmap, NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0));
	T(syscall(SYS_mmap, NULL, PAGE, RW, ANON, -1, 1));
	T(syscall(SYS_mmap, NULL, 1UL << 60, RW, ANON, -1, 0));
	T(syscall(SYS_mmap, NULL, PAGE, RW, MAP_PRIVATE, 99, 0));
	q = mmap((void *)0x30000000, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	T(q);
	q[0] = 5;
	T(mmap((void *)0x30000000, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
	T(mmap((void *)0x30000001, PAGE, RW, ANON | MAP_FIXED, -1, 0));
	T(mmap((void *)0x30000000, PAGE, RW, ANON | MAP_FIXED, -1, 0));
	T(q[0]);
	T(mmap((void *)0x40000000, PAGE, RW, ANON, -1, 0));
	T(syscall(SYS_mmap, 0xffff800000000000UL, PAGE, RW, ANON | MAP_FIXED, -1, 0));
	touch("null", NULL, 0);
}

static void
files(void)
{
	int fd = open("m", O_RDWR | O_CREAT, 0600), ro;
	char *p, *s, c[4] = "";

	T(write(fd, "hello", 5));
	T(ftruncate(fd, PAGE + 10));
	p = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE, fd, 0);
	s = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);
	T(memcmp(p, "hello", 5));
	p[0] = 'J';
	T(s[0]);
	s[1] = 'E';
	T(pread(fd, c, 3, 0));
	printf("%s\n", c);
	T(pwrite(fd, "X", 1, 2));
	T(s[2]);
	T(s[PAGE + 10]);
	touch("past the end", s + 2 * PAGE, 0);
	T(msync(s, PAGE, MS_SYNC));
	T(msync(s + 1, PAGE, MS_SYNC));
	T(msync(s, PAGE, MS_SYNC | MS_ASYNC));
	T(msync(s, PAGE, 77));
	ro = open("m", O_RDONLY);
	T(syscall(SYS_mmap, NULL, PAGE, RW, MAP_SHARED, ro, 0));
	T(mmap(NULL, PAGE, RW, MAP_PRIVATE, ro, 0) != MAP_FAILED);
	s = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0);
	T(mprotect(s, PAGE, RW));
	T(syscall(SYS_mmap, NULL, PAGE, PROT_READ, MAP_SHARED, open("m", O_WRONLY), 0));
	T(syscall(SYS_mmap, NULL, PAGE, PROT_READ, MAP_SHARED, open(".", O_RDONLY), 0));
	CHILD(p[1] = 'x'; _exit(p[0]));
	T(p[1]);
}

static void
sharing(void)
{
	char *s = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *p = mmap(NULL, PAGE, RW, ANON, -1, 0);

	s[0] = p[0] = 1;
	CHILD(s[0] = 2; p[0] = 2; _exit(s[0]));
	printf("%d %d\n", s[0], p[0]);
}

static void
moving(void)
{
	char *p = mmap(NULL, 2 * PAGE, RW, ANON, -1, 0), *q;

	p[0] = 3;
	p[PAGE] = 4;
	q = mremap(p, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
	T(q != MAP_FAILED);
	printf("%d %d %d\n", q[0], q[PAGE], q[63 * PAGE]);
	T(mremap(q, 64 * PAGE, PAGE, 0) == q);
	touch("cut off", q + PAGE, 0);
	T(mremap(q + 1, PAGE, PAGE, 0));
	T(mremap(q, PAGE, 0, 0));
	T(mremap(q, PAGE, PAGE, 77));
	T(mremap((void *)0x70000000, PAGE, 2 * PAGE, 0));
	T(mremap(q, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)0x50000000));
	T(((char *)0x50000000)[0]);
}

static void
advice(void)
{
	char *p = mmap(NULL, 4 * PAGE, RW, ANON, -1, 0);
	unsigned char there[4];

	p[0] = p[PAGE] = 9;
	T(madvise(p, PAGE, MADV_DONTNEED));
	printf("%d %d\n", p[0], p[PAGE]);
	T(madvise(p + 1, PAGE, MADV_DONTNEED));
	T(madvise(p, PAGE, 4711));
	T(madvise((void *)0x71000000, PAGE, MADV_WILLNEED));
	T(madvise(p, PAGE, MADV_SEQUENTIAL));
	T(mincore(p, 4 * PAGE, there));
	printf("%d %d %d\n", there[1] & 1, there[2] & 1, there[3] & 1);
	T(syscall(SYS_mincore, p + 1, PAGE, there));
	T(syscall(SYS_mincore, p, PAGE, BAD));
	T(syscall(SYS_mincore, 0x71000000, PAGE, there));
	T(mlock(p, 2 * PAGE));
	T(munlock(p, 2 * PAGE));
	T(mlock((void *)0x71000000, PAGE));
	T(munlock((void *)0x71000000, PAGE));
	T(mlockall(0));
	T(mlockall(99));
	T(mlockall(MCL_CURRENT));
	T(munlockall());
}

static void
breaks(void)
{
	char *start = (char *)syscall(SYS_brk, 0), *p;

	p = (char *)syscall(SYS_brk, start + 3 * PAGE);
	T(p == start + 3 * PAGE);
	start[2 * PAGE] = 1;
	T(syscall(SYS_brk, start) == (long)start);
	T(syscall(SYS_brk, 1) == (long)start);
	T(syscall(SYS_brk, start + 3 * PAGE) == (long)(start + 3 * PAGE));
	T(start[2 * PAGE]);
}

int
main(void)
{
	struct sigaction sa = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_NODEFER};

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	anonymous();
	files();
	sharing();
	moving();
	advice();
	breaks();
	return 0;
}
