/*
 * bench.c - what system calls, faults, processes and pipes cost; the same binary under MinOS and Linux.
 *
 * usage: bench [WORD]	(only rows whose name begins so)
 * Prints `NAME N`, time stamp counter ticks per operation, the least of several rounds.  Under QEMU's
 * `-icount shift=0,sleep=off` a tick is an instruction; `make bench` puts both systems' rows side by side.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 5

static int zero, null, file, fds[2], there[2], back[2];
static char page[4096];
static const char *self;

static uint64_t
ticks(void)
{
	return __builtin_ia32_rdtsc();
}

static void
must(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(1);
	}
}

/* --- calls ---------------------------------------------------------------------------------------- */

static void
do_getppid(int n)
{
	while (n-- > 0)
		syscall(SYS_getppid);
}

static void
do_unknown(int n)
{
	while (n-- > 0)
		syscall(511);
}

static void
do_read_zero(int n)
{
	while (n-- > 0)
		must(read(zero, page, 1) == 1, "read /dev/zero");
}

static void
do_write_null(int n)
{
	while (n-- > 0)
		must(write(null, page, 1) == 1, "write /dev/null");
}

static void
do_read_file(int n)
{
	while (n-- > 0)
		must(pread(file, page, 1, 0) == 1, "read a file");
}

static void
do_read_file_4k(int n)
{
	while (n-- > 0)
		must(pread(file, page, sizeof(page), 0) == sizeof(page), "read a file");
}

static void
do_fstat(int n)
{
	struct stat s;

	while (n-- > 0)
		must(syscall(SYS_fstat, file, &s) == 0, "fstat");
}

static void
do_stat(int n)
{
	struct stat s;

	while (n-- > 0)
		must(syscall(SYS_stat, "/tmp/bench-file", &s) == 0, "stat");
}

static void
do_open_close(int n)
{
	while (n-- > 0)
		close(open("/tmp/bench-file", O_RDONLY));
}

static void
do_poll(int n)
{
	struct pollfd p[10];

	for (int i = 0; i < 10; i++)
		p[i] = (struct pollfd){fds[0], POLLIN, 0};
	while (n-- > 0)
		must(poll(p, 10, 0) == 0, "poll");
}

static void
do_clock(int n)
{
	struct timespec t;

	while (n-- > 0)
		clock_gettime(CLOCK_MONOTONIC, &t);
}

static void
do_yield(int n)
{
	while (n-- > 0)
		sched_yield();
}

/* --- pipes, two processes ---------------------------------------------------------------------------- */

static void
do_pipe(int n)
{
	while (n-- > 0) {
		must(write(fds[1], page, 1) == 1, "write to a pipe");
		must(read(fds[0], page, 1) == 1, "read from a pipe");
	}
}

static void
do_pipe_4k(int n)
{
	while (n-- > 0) {
		must(write(fds[1], page, sizeof(page)) == sizeof(page), "write to a pipe");
		must(read(fds[0], page, sizeof(page)) == sizeof(page), "read from a pipe");
	}
}

static pid_t
echo_start(void)
{
	const pid_t pid = fork();
	char c;

	must(pid >= 0, "fork");
	if (pid != 0)
		return pid;
	while (read(there[0], &c, 1) == 1 && c != 'q')
		must(write(back[1], &c, 1) == 1, "echo");
	_exit(0);
}

/* There and back: two switches, two writes, two reads. */
static void
do_round_trip(int n)
{
	const pid_t pid = echo_start();
	char c = 'x';

	while (n-- > 0) {
		must(write(there[1], &c, 1) == 1, "round trip");
		must(read(back[0], &c, 1) == 1, "round trip");
	}
	c = 'q';
	must(write(there[1], &c, 1) == 1, "round trip");
	waitpid(pid, NULL, 0);
}

/* --- signals ----------------------------------------------------------------------------------------- */

static void
handler(int number)
{
	(void)number;
}

static void
do_signal_install(int n)
{
	struct sigaction a = {.sa_handler = handler};

	while (n-- > 0)
		sigaction(SIGUSR1, &a, NULL);
}

static void
do_signal_deliver(int n)
{
	const pid_t pid = getpid();

	signal(SIGUSR1, handler);
	while (n-- > 0)
		kill(pid, SIGUSR1);
}

/* --- memory ------------------------------------------------------------------------------------------ */

static char *
map(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED, "mmap");
	return p;
}

static void
touch(char *p, size_t size)
{
	for (size_t i = 0; i < size; i += 4096)
		p[i] = 1;
}

static void
do_fault(int n)
{
	char *p = map((size_t)n * 4096);

	madvise(p, (size_t)n * 4096, MADV_NOHUGEPAGE);
	touch(p, (size_t)n * 4096);
	munmap(p, (size_t)n * 4096);
}

/* The child writes to pages that it shares with us: what a copy costs beyond an anonymous fault's own work. */
static void
do_cow(int n)
{
	const size_t size = (size_t)n * 4096;
	char *p = map(size);
	uint64_t *took = (uint64_t *)(void *)page;
	int ends[2];
	pid_t pid;

	madvise(p, size, MADV_NOHUGEPAGE);
	touch(p, size);
	must(pipe(ends) == 0, "pipe");
	pid = fork();
	must(pid >= 0, "fork");
	if (pid == 0) {
		uint64_t t = ticks();

		touch(p, size);
		t = ticks() - t;
		must(write(ends[1], &t, sizeof(t)) == sizeof(t), "write");
		_exit(0);
	}
	must(read(ends[0], took, sizeof(*took)) == sizeof(*took), "read");
	waitpid(pid, NULL, 0);
	close(ends[0]);
	close(ends[1]);
	munmap(p, size);
}

static void
do_mmap_64k(int n)
{
	while (n-- > 0) {
		char *p = map(65536);

		touch(p, 65536);
		munmap(p, 65536);
	}
}

/* --- processes --------------------------------------------------------------------------------------- */

static void
do_fork(int n)
{
	while (n-- > 0) {
		const pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		must(pid > 0 && waitpid(pid, NULL, 0) == pid, "fork");
	}
}

static void
do_fork_exec(int n)
{
	while (n-- > 0) {
		const pid_t pid = fork();

		if (pid == 0) {
			execl(self, self, "--nothing", (char *)NULL);
			_exit(1);
		}
		must(pid > 0 && waitpid(pid, NULL, 0) == pid, "fork and exec");
	}
}

static void
do_fork_8m(int n)
{
	static char *p; /* stays, so that filling it does not count */
	const size_t size = 8 << 20;

	if (p == NULL) {
		p = map(size);
		madvise(p, size, MADV_NOHUGEPAGE);
		touch(p, size);
	}
	do_fork(n);
}

/* --- the table --------------------------------------------------------------------------------------- */

static const struct row {
	const char *name;
	void (*run)(int n);
	int n; /* operations in a round */
} rows[] = {
	{"getppid", do_getppid, 1000},
	{"unknown_call", do_unknown, 1000},
	{"read_zero", do_read_zero, 1000},
	{"write_null", do_write_null, 1000},
	{"read_file_1", do_read_file, 1000},
	{"fstat", do_fstat, 1000},
	{"stat", do_stat, 500},
	{"open_close", do_open_close, 500},
	{"poll_10", do_poll, 500},
	{"pipe_alone", do_pipe, 500},
	{"pipe_round_trip", do_round_trip, 500},
	{"sched_yield", do_yield, 1000},
	{"clock_gettime", do_clock, 1000},
	{"signal_install", do_signal_install, 1000},
	{"signal_deliver", do_signal_deliver, 500},
	{"fault_anonymous", do_fault, 256},
	{"fault_copy", do_cow, 256},
	{"mmap_64k", do_mmap_64k, 100},
	{"fork", do_fork, 20},
	{"fork_exec", do_fork_exec, 20},
	{"pipe_4k", do_pipe_4k, 500},
	{"read_file_4k", do_read_file_4k, 500},
	{"fork_8m", do_fork_8m, 10}, /* last: what follows would be larger, too */
};

static uint64_t
one_round(const struct row *r)
{
	const uint64_t before = ticks();

	r->run(r->n);
	/* The child has measured itself. */
	return r->run == do_cow ? *(uint64_t *)(void *)page : ticks() - before;
}

static void
measure(const struct row *r)
{
	uint64_t best = UINT64_MAX;

	r->run(1);
	for (int i = 0; i < ROUNDS; i++) {
		const uint64_t took = one_round(r);

		best = took < best ? took : best;
	}
	printf("%-16s %8llu\n", r->name, (unsigned long long)(best / (unsigned)r->n));
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--nothing") == 0)
		return 0;
	self = "/proc/self/exe";
	zero = open("/dev/zero", O_RDONLY);
	null = open("/dev/null", O_WRONLY);
	file = open("/tmp/bench-file", O_RDWR | O_CREAT | O_TRUNC, 0644);
	must(zero >= 0 && null >= 0 && file >= 0, "open");
	must(write(file, page, sizeof(page)) == sizeof(page), "write");
	must(pipe(fds) == 0 && pipe(there) == 0 && pipe(back) == 0, "pipe");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (argc < 2 || strncmp(rows[i].name, argv[1], strlen(argv[1])) == 0)
			measure(&rows[i]);
	}
	unlink("/tmp/bench-file");
	return 0;
}
