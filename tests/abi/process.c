/*
 * process.c - processes: made, waited for, replaced; what belongs to one.
 *
 * SYSCALLS: fork vfork clone execve execveat exit exit_group wait4 waitid getpid gettid getppid getpgid setpgid
 * SYSCALLS: getpgrp getsid setsid set_tid_address set_robust_list get_robust_list arch_prctl prctl personality
 * SYSCALLS: sched_yield getcpu sched_getaffinity sched_setaffinity sched_getscheduler sched_getparam
 * SYSCALLS: sched_get_priority_max sched_get_priority_min getpriority setpriority
 */
#include "abi.h"
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void
numbers(void)
{
	T(syscall(SYS_getpid) == syscall(SYS_gettid));
	N(syscall(SYS_getppid));
	T(getpgid(0) == syscall(SYS_getpgrp));
	T(getpgid(-1));
	T(getpgid(99999999));
	T(getsid(0) == getsid(getpid()));
	T(getsid(99999999));
	CHILD({
		T(setpgid(0, 0));
		T(getpgid(0) == getpid());
		T(setpgid(0, 99999));
		T(setpgid(-1, 0));
		T(setpgid(0, -1));
		T(setpgid(1, 0));
		T(setsid() == getpid());
		_exit(0);
	});
	CHILD({
		T(setsid() == getpid());
		T(getsid(0) == getpid());
		T(setsid());
		T(setpgid(0, 0));
		_exit(7);
	});
}

static void
waiting(void)
{
	siginfo_t si;
	struct rusage ru;
	int st;
	pid_t a;

	T(wait4(-1, &st, 0, NULL));
	T(wait4(-1, &st, 99, NULL));
	T(waitid(P_ALL, 0, &si, WEXITED));
	T(waitid(P_ALL, 0, &si, 0));
	T(waitid(77, 0, &si, WEXITED));
	a = fork();
	if (a == 0)
		_exit(42);
	memset(&si, 0, sizeof(si));
	T(waitid(P_PID, a, &si, WEXITED | WNOWAIT));
	printf("%d %d %d\n", si.si_signo, si.si_code, si.si_status);
	T(wait4(a, &st, 0, &ru) == a);
	printf("status %x\n", st);
	T(wait4(a, &st, 0, NULL));
	a = fork();
	if (a == 0) {
		pause();
		_exit(1);
	}
	T(wait4(a, &st, WNOHANG, NULL));
	memset(&si, 0, sizeof(si));
	T(waitid(P_PID, a, &si, WEXITED | WNOHANG));
	printf("%d\n", si.si_pid);
	T(kill(a, SIGKILL));
	T(waitid(P_PID, a, &si, WEXITED));
	printf("%d %d %d\n", si.si_signo, si.si_code, si.si_status);
	a = fork();
	if (a == 0) {
		kill(getpid(), SIGSTOP);
		pause();
	}
	T(wait4(a, &st, WUNTRACED, NULL) == a);
	printf("status %x\n", st);
	T(kill(a, SIGCONT));
	T(wait4(a, &st, WCONTINUED, NULL) == a);
	printf("status %x\n", st);
	T(kill(a, SIGKILL));
	T(wait4(a, &st, 0, NULL) == a);
	printf("status %x\n", st);
	a = fork();
	if (a == 0)
		_exit(0);
	T(wait4(a, BAD, 0, NULL));
	T(wait4(a, &st, 0, NULL));
}

static void
ends(void)
{
	CHILD(syscall(SYS_exit, 300));
	CHILD(syscall(SYS_exit_group, -1));
	CHILD(kill(getpid(), SIGTERM));
	CHILD(*(volatile int *)0 = 1);
	CHILD(__asm__ volatile("ud2"));
	CHILD(__asm__ volatile("int3"));
	CHILD(__asm__ volatile("hlt"));
	CHILD(volatile int zero = 0; zero = 1 / zero);
	CHILD(abort());
	/* Orphans go to another parent. */
	CHILD({
		int p[2];
		char c;

		if (pipe(p) != 0)
			_exit(1);
		if (fork() == 0) {
			if (fork() == 0) {
				while (getppid() == 0)
					;
				usleep(100000);
				_exit(write(p[1], getppid() != 0 ? "o" : "x", 1) != 1);
			}
			_exit(0);
		}
		wait(NULL);
		T(read(p[0], &c, 1));
		printf("%c\n", c);
		fflush(stdout);
		_exit(0);
	});
}

static volatile int shared;

static void
copies(void)
{
	int st, fd;
	pid_t a;

	shared = 1;
	a = fork();
	if (a == 0) {
		shared = 2;
		_exit(shared);
	}
	T(wait4(a, &st, 0, NULL) == a);
	printf("%d here, %d there\n", shared, WEXITSTATUS(st));
	a = vfork();
	if (a == 0) {
		shared = 5;
		_exit(0);
	}
	T(wait4(a, &st, 0, NULL) == a);
	printf("%d\n", shared);
	a = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (a == 0)
		_exit(9);
	T(wait4(a, &st, 0, NULL) == a);
	printf("%d\n", WEXITSTATUS(st));
	T(syscall(SYS_clone, 0x00010000, 0, 0, 0, 0));
	T(syscall(SYS_clone, 0x00000800, 0, 0, 0, 0));
	fd = open("pos", O_RDWR | O_CREAT, 0600);
	T(write(fd, "0123456789", 10));
	T(lseek(fd, 0, SEEK_SET));
	a = fork();
	if (a == 0) {
		char c[3];

		_exit(read(fd, c, 3) != 3);
	}
	T(wait4(a, &st, 0, NULL) == a);
	T(lseek(fd, 0, SEEK_CUR));
}

static void
programs(char *self)
{
	char *argv[] = {self, "again", "x y", NULL}, *envp[] = {"A=1", "B=", NULL}, *big;
	char *script[] = {"script", NULL};
	char *many[3] = {self, NULL, NULL};
	int fd;

	T(execve("none", argv, envp));
	T(execve(".", argv, envp));
	T(execve("pos", argv, envp));
	T(execve(BAD, argv, envp));
	T(execve(self, BAD, envp));
	T(execve("", argv, envp));
	T(chmod("pos", 0755));
	T(execve("pos", argv, envp));
	T(execve("pos/x", argv, envp));
	big = malloc(200000);
	memset(big, 'x', 199999);
	big[199999] = '\0';
	many[1] = big;
	T(execve(self, many, envp));
	CHILD(execve(self, argv, envp));
	CHILD({
		int f = open(self, O_RDONLY | O_CLOEXEC);

		T(syscall(SYS_execveat, f, "", argv, envp, 0x1000));
	});
	T(syscall(SYS_execveat, AT_FDCWD, "none", argv, envp, 0));
	T(syscall(SYS_execveat, AT_FDCWD, "none", argv, envp, 0x8000));
	fd = open("script", O_WRONLY | O_CREAT, 0755);
	dprintf(fd, "#!%s again\n", self);
	close(fd);
	CHILD(execve("script", script, envp));
	fd = open("loop", O_WRONLY | O_CREAT, 0755);
	dprintf(fd, "#!loop\n");
	close(fd);
	T(execve("loop", script, envp));
	fd = open("noint", O_WRONLY | O_CREAT, 0755);
	dprintf(fd, "#!/no/such/interpreter\n");
	close(fd);
	T(execve("noint", script, envp));
}

static int
again(int argc, char **argv)
{
	const char *slash;

	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "/dev/fd", 7) == 0)
			argv[i] = "/fd";
		slash = strrchr(argv[i], '/');
		printf("arg %s\n", slash != NULL ? slash + 1 : argv[i]);
	}
	for (char **e = environ; *e != NULL; e++)
		printf("env %s\n", *e);
	fflush(stdout);
	return 11;
}

static void
odds(void)
{
	unsigned long addr = 0, mask = 0;
	char name[129] = "";
	unsigned cpu = 99;
	void *head;
	size_t len;
	int v = -1;

	T(syscall(SYS_set_tid_address, &v) == getpid());
	T(syscall(SYS_set_robust_list, name, 24));
	T(syscall(SYS_set_robust_list, name, 23));
	T(syscall(SYS_get_robust_list, 0, &head, &len));
	printf("%d %zu\n", head == (void *)name, len);
	T(syscall(SYS_get_robust_list, 99999999, &head, &len));
	T(syscall(SYS_get_robust_list, 0, BAD, &len));
	T(syscall(SYS_arch_prctl, 0x1003, &addr));
	T(addr != 0);
	T(syscall(SYS_arch_prctl, 0x1002, 0xffff800000000000UL));
	T(syscall(SYS_arch_prctl, 0x1001, 4096));
	T(syscall(SYS_arch_prctl, 0x1004, &addr));
	T(addr);
	T(syscall(SYS_arch_prctl, 0x1003, BAD));
	T(syscall(SYS_arch_prctl, 77, 0));
	T(prctl(PR_SET_NAME, "a name that is too long", 0, 0, 0));
	T(prctl(PR_GET_NAME, name, 0, 0, 0));
	printf("%s\n", name);
	T(prctl(PR_GET_NAME, BAD, 0, 0, 0));
	T(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	T(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	T(prctl(PR_SET_DUMPABLE, 9, 0, 0, 0));
	T(prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0));
	T(prctl(PR_SET_PDEATHSIG, 99, 0, 0, 0));
	T(prctl(PR_GET_PDEATHSIG, &v, 0, 0, 0));
	T(v);
	T(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	T(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	T(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	T(prctl(987654, 0, 0, 0, 0));
	T(syscall(SYS_personality, 0xffffffff));
	T(syscall(SYS_sched_yield));
	N(syscall(SYS_getcpu, &cpu, NULL, NULL) + (cpu > 64));
	T(syscall(SYS_getcpu, BAD, NULL, NULL));
	N(syscall(SYS_sched_getaffinity, 0, 128, name) > 0 ? 0 : -1);
	T(syscall(SYS_sched_getaffinity, 0, 3, &mask));
	T(syscall(SYS_sched_getaffinity, 99999999, 128, name));
	mask = 0;
	T(syscall(SYS_sched_setaffinity, 0, 8, &mask));
	T(syscall(SYS_sched_setaffinity, 99999999, 8, &mask));
	T(syscall(SYS_sched_getscheduler, 0));
	T(syscall(SYS_sched_getscheduler, -1));
	T(syscall(SYS_sched_getscheduler, 99999999));
	T(syscall(SYS_sched_getparam, 0, &v));
	T(v);
	T(syscall(SYS_sched_getparam, 0, NULL));
	T(syscall(SYS_sched_get_priority_max, 1));
	T(syscall(SYS_sched_get_priority_min, 1));
	T(syscall(SYS_sched_get_priority_max, 0));
	T(syscall(SYS_sched_get_priority_min, 77));
	T(syscall(SYS_getpriority, PRIO_PROCESS, 0));
	T(syscall(SYS_setpriority, PRIO_PROCESS, 0, 5));
	T(syscall(SYS_getpriority, PRIO_PROCESS, 0));
	T(syscall(SYS_setpriority, PRIO_PROCESS, 0, 99));
	T(syscall(SYS_getpriority, PRIO_PROCESS, 0));
	T(syscall(SYS_getpriority, PRIO_PROCESS, 99999999));
	T(syscall(SYS_getpriority, 77, 0));
	T(syscall(SYS_setpriority, 77, 0, 0));
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		return again(argc, argv);
	numbers();
	waiting();
	ends();
	copies();
	programs(argv[0]);
	odds();
	return 0;
}
