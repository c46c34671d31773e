/*
 * signals.c - signals: sent, handled, faults.
 *
 * SYSCALLS: rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend rt_sigtimedwait rt_sigqueueinfo rt_sigreturn
 * SYSCALLS: sigaltstack kill tkill tgkill pause restart_syscall
 */
#include "abi.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

static volatile sig_atomic_t got, code, depth;
static sigjmp_buf back;
static char altstack[16384];
static void *volatile fault_at;
static volatile int on_alt;

static void
simple(int signo)
{
	got = signo;
	depth++;
}

static void
with_info(int signo, siginfo_t *si, void *uc)
{
	(void)uc;
	got = signo;
	code = si->si_code;
	fault_at = si->si_addr;
}

static void
faulting(int signo, siginfo_t *si, void *uc)
{
	char here;

	with_info(signo, si, uc);
	on_alt = &here > altstack && &here < altstack + sizeof(altstack);
	siglongjmp(back, 1);
}

static void
install(int signo, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = {.sa_sigaction = fn, .sa_flags = flags | SA_SIGINFO};

	T(sigaction(signo, &sa, NULL));
}

/* A signal whose default is to be ignored, and that comes while it is waited for. */
static void
wait_for_a_child(void)
{
	struct timespec long_enough = {20, 0};
	siginfo_t si;
	sigset_t chld;
	pid_t child;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	child = fork();
	if (child == 0) {
		usleep(50000);
		_exit(7);
	}
	T(syscall(SYS_rt_sigtimedwait, &chld, &si, &long_enough, 8) == SIGCHLD);
	printf("%d %d\n", si.si_pid == child, si.si_status);
	waitpid(child, NULL, 0);
	sigprocmask(SIG_UNBLOCK, &chld, NULL);
}

static void
basics(void)
{
	struct sigaction sa = {.sa_handler = simple}, old;
	sigset_t set, was, pending;
	siginfo_t si;
	struct timespec soon = {0, 1000000}, wrong = {0, -1};

	T(sigaction(SIGUSR1, &sa, &old));
	T(old.sa_handler == SIG_DFL);
	T(sigaction(SIGKILL, &sa, NULL));
	T(syscall(SYS_rt_sigaction, 0, NULL, NULL, 8));
	T(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8));
	T(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4));
	T(syscall(SYS_rt_sigaction, SIGUSR1, BAD, NULL, 8));
	T(kill(getpid(), SIGUSR1));
	T(got == SIGUSR1);
	got = 0;
	T(raise(SIGUSR1));
	T(got == SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	T(sigprocmask(SIG_BLOCK, &set, &was));
	T(syscall(SYS_rt_sigprocmask, 77, &set, NULL, 8));
	T(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4));
	T(syscall(SYS_rt_sigprocmask, SIG_BLOCK, BAD, NULL, 8));
	got = 0;
	T(kill(getpid(), SIGUSR1));
	T(kill(getpid(), SIGUSR1));
	T(got);
	T(syscall(SYS_rt_sigpending, &pending, 8));
	T(sigismember(&pending, SIGUSR1));
	T(syscall(SYS_rt_sigpending, BAD, 8));
	T(syscall(SYS_rt_sigtimedwait, &set, &si, &soon, 8) == SIGUSR1);
	printf("%d %d\n", si.si_code, si.si_pid == getpid());
	T(syscall(SYS_rt_sigtimedwait, &set, &si, &soon, 8));
	T(syscall(SYS_rt_sigtimedwait, &set, &si, &wrong, 8));
	T(syscall(SYS_rt_sigtimedwait, BAD, &si, &soon, 8));
	wait_for_a_child();
	for (int i = 1; i <= 3; i++) {
		memset(&si, 0, sizeof(si));
		si.si_code = SI_QUEUE;
		si.si_value.sival_int = i;
		T(syscall(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN, &si));
	}
	for (int i = 1; i <= 3; i++) {
		T(syscall(SYS_rt_sigtimedwait, &set, &si, &soon, 8) == SIGRTMIN);
		printf("value %d\n", si.si_value.sival_int);
	}
	T(syscall(SYS_rt_sigqueueinfo, 99999999, SIGRTMIN, &si));
	T(kill(getpid(), SIGUSR1));
	depth = 0;
	sigemptyset(&set);
	T(syscall(SYS_rt_sigsuspend, &set, 8));
	T(depth);
	T(syscall(SYS_rt_sigsuspend, &set, 4));
	T(sigprocmask(SIG_SETMASK, NULL, &pending));
	T(sigismember(&pending, SIGUSR1));
	T(sigprocmask(SIG_SETMASK, &was, NULL));
	T(kill(getpid(), 99));
	T(kill(99999999, 0));
	T(kill(getpid(), 0));
	T(syscall(SYS_tkill, getpid(), SIGUSR1));
	T(syscall(SYS_tkill, 0, SIGUSR1));
	T(syscall(SYS_tkill, 99999999, SIGUSR1));
	T(syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1));
	T(syscall(SYS_tgkill, 1, getpid(), SIGUSR1));
	T(syscall(SYS_tgkill, -1, getpid(), SIGUSR1));
	T(depth);
}

static void
flags(void)
{
	struct sigaction sa = {.sa_handler = simple, .sa_flags = SA_RESETHAND}, old;

	T(sigaction(SIGUSR2, &sa, NULL));
	T(raise(SIGUSR2));
	T(sigaction(SIGUSR2, NULL, &old));
	T(old.sa_handler == SIG_DFL);
	sa = (struct sigaction){.sa_handler = SIG_IGN};
	T(sigaction(SIGUSR2, &sa, NULL));
	T(raise(SIGUSR2));
	CHILD(raise(SIGUSR1); _exit(4));
	CHILD({
		signal(SIGUSR2, SIG_DFL);
		raise(SIGUSR2);
		_exit(0);
	});
	CHILD({
		signal(SIGCHLD, SIG_IGN);
		if (fork() == 0)
			_exit(0);
		T(wait(NULL));
		_exit(0);
	});
}

static void
faults(void)
{
	stack_t ss = {.ss_sp = altstack, .ss_size = sizeof(altstack)}, old;
	volatile int zero = 0;
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	T(sigaltstack(NULL, &old));
	T(old.ss_flags);
	T(sigaltstack(&ss, NULL));
	T(sigaltstack(NULL, &old));
	T(old.ss_flags);
	ss.ss_size = 100;
	T(sigaltstack(&ss, NULL));
	ss.ss_flags = 77;
	T(syscall(SYS_sigaltstack, &ss, NULL));
	T(syscall(SYS_sigaltstack, BAD, NULL));
	install(SIGSEGV, faulting, SA_ONSTACK);
	install(SIGFPE, faulting, 0);
	install(SIGILL, faulting, 0);
	install(SIGTRAP, with_info, 0);
	if (sigsetjmp(back, 1) == 0)
		*(volatile int *)0x1234 = 1;
	printf("%d %d %p alt %d\n", got, code, fault_at, on_alt);
	if (sigsetjmp(back, 1) == 0)
		*page = 1;
	printf("%d %d %d\n", got, code, fault_at == page);
	if (sigsetjmp(back, 1) == 0)
		*(volatile int *)0xffffffff80000000UL = 1;
	printf("%d %d\n", got, code);
	if (sigsetjmp(back, 1) == 0)
		*(volatile int *)0x8000000000000000UL = 1;
	printf("%d %d %p\n", got, code, fault_at);
	if (sigsetjmp(back, 1) == 0)
		zero = 1 / zero;
	printf("%d %d alt %d\n", got, code, on_alt);
	if (sigsetjmp(back, 1) == 0)
		__asm__ volatile("ud2");
	printf("%d %d\n", got, code);
	if (sigsetjmp(back, 1) == 0)
		__asm__ volatile("cli");
	printf("%d %d %p\n", got, code, fault_at);
	__asm__ volatile("int3");
	printf("%d %d\n", got, code);
	fflush(stdout);
	/* A stack that runs into its guard. */
	CHILD({
		install(SIGSEGV, faulting, SA_ONSTACK);
		if (sigsetjmp(back, 1) == 0) {
			volatile char *p = (char *)&zero;

			for (;;)
				*(p -= 4096) = 1;
		}
		printf("%d alt %d\n", got, on_alt);
		fflush(stdout);
		_exit(0);
	});
}

/* Registers of all kinds survive a handler. */
static void
registers(void)
{
	double d = 1.5;
	unsigned long r = 0x1122334455667788UL;

	install(SIGUSR1, with_info, 0);
	for (int i = 0; i < 3; i++) {
		d *= 2;
		raise(SIGUSR1);
		d += 0.25;
		r = r * 3 + 1;
	}
	printf("%d %lx\n", (int)(d * 100), r);
}

static void
interrupted(void)
{
	struct sigaction sa = {.sa_handler = simple, .sa_flags = SA_RESTART};
	int p[2];
	char c;
	pid_t parent = getpid(), a;

	T(pipe(p));
	T(sigaction(SIGUSR1, &sa, NULL));
	a = fork();
	if (a == 0) {
		usleep(50000);
		kill(parent, SIGUSR1);
		usleep(50000);
		_exit(write(p[1], "x", 1) != 1);
	}
	T(read(p[0], &c, 1));
	waitpid(a, NULL, 0);
	sa.sa_flags = 0;
	T(sigaction(SIGUSR1, &sa, NULL));
	a = fork();
	if (a == 0) {
		usleep(50000);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	T(read(p[0], &c, 1));
	waitpid(a, NULL, 0);
	a = fork();
	if (a == 0) {
		usleep(50000);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	T(pause());
	waitpid(a, NULL, 0);
	T(syscall(SYS_restart_syscall));
}

int
main(void)
{
	basics();
	flags();
	faults();
	registers();
	interrupted();
	CHILD({ /* a frame that never was */
		signal(SIGSEGV, SIG_DFL);
		__asm__ volatile("xor %%rsp, %%rsp; mov $15, %%eax; syscall" ::
					 : "rax", "rcx", "r11", "memory");
	});
	return 0;
}
