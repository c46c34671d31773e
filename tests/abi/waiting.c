/*
 * waiting.c - pipes, and waiting for files.
 *
 * SYSCALLS: pipe pipe2 poll ppoll select pselect6 eventfd eventfd2
 */
#include "abi.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/time.h>

static void
nothing(int signo)
{
	(void)signo;
}

static void
pipes(void)
{
	int p[2], n;
	static char big[70000];

	T(pipe(BAD));
	T(syscall(SYS_pipe2, p, 0x100));
	T(syscall(SYS_pipe2, p, O_NONBLOCK | O_CLOEXEC));
	printf("%d %d\n", p[0], p[1]);
	T(fcntl(p[0], F_GETFD));
	T(fcntl(p[1], F_GETFL));
	T(read(p[0], big, 10));
	T(write(p[1], big, sizeof(big)));
	T(write(p[1], big, 1));
	T(ioctl(p[0], FIONREAD, &n));
	T(n);
	T(fcntl(p[0], 1032));
	T(read(p[0], big, 4095));
	T(write(p[1], big, 4096));
	T(lseek(p[0], 0, SEEK_SET));
	T(pread(p[0], big, 1, 0));
	T(write(p[0], big, 1));
	T(read(p[1], big, 1));
	T(close(p[1]));
	for (n = 0; n < 40 && read(p[0], big, sizeof(big)) > 0; n++)
		;
	T(read(p[0], big, 1));
	T(close(p[0]));
	T(syscall(SYS_pipe, p));
	T(close(p[0]));
	signal(SIGPIPE, SIG_IGN);
	T(write(p[1], "x", 1));
	signal(SIGPIPE, SIG_DFL);
	CHILD(write(p[1], "x", 1));
	T(close(p[1]));
}

static void
fifos(void)
{
	char c;
	int r, w;
	pid_t a;

	T(mkfifo("fifo", 0600));
	T(open("fifo", O_WRONLY | O_NONBLOCK));
	r = open("fifo", O_RDONLY | O_NONBLOCK);
	T(r >= 0);
	T(read(r, &c, 1));
	w = open("fifo", O_WRONLY);
	T(read(r, &c, 1));
	T(write(w, "z", 1));
	T(read(r, &c, 1));
	T(c);
	close(r);
	close(w);
	a = fork();
	if (a == 0) {
		w = open("fifo", O_WRONLY);
		_exit(write(w, "q", 1) != 1);
	}
	r = open("fifo", O_RDONLY);
	T(read(r, &c, 1));
	T(c);
	waitpid(a, NULL, 0);
	T(read(r, &c, 1));
	close(r);
}

static void
polling(void)
{
	struct pollfd f[3];
	struct timespec ms = {0, 1000000}, wrong = {0, -1};
	int p[2];
	pid_t a;

	T(pipe(p));
	f[0] = (struct pollfd){p[0], POLLIN, 0};
	f[1] = (struct pollfd){p[1], POLLOUT, 0};
	f[2] = (struct pollfd){99, POLLIN, 0};
	T(syscall(SYS_poll, f, 2, 0));
	printf("%x %x\n", f[0].revents, f[1].revents);
	T(syscall(SYS_poll, f, 3, 0));
	printf("%x\n", f[2].revents);
	f[2].fd = -1;
	T(syscall(SYS_poll, f, 1, 1));
	T(syscall(SYS_poll, BAD, 1, 0));
	T(syscall(SYS_poll, f, 10000000, 0));
	a = fork();
	if (a == 0) {
		usleep(20000);
		_exit(write(p[1], "x", 1) != 1);
	}
	T(syscall(SYS_poll, f, 1, -1));
	printf("%x\n", f[0].revents);
	waitpid(a, NULL, 0);
	T(syscall(SYS_ppoll, f, 1, &ms, NULL, 8));
	T(syscall(SYS_ppoll, f, 1, &wrong, NULL, 8));
	T(syscall(SYS_ppoll, f, 1, BAD, NULL, 8));
	close(p[1]);
	T(syscall(SYS_poll, f, 1, 0));
	printf("%x\n", f[0].revents);
	close(p[0]);
	signal(SIGALRM, nothing);
	ualarm(20000, 0);
	T(syscall(SYS_poll, NULL, 0, 5000));
}

static void
selecting(void)
{
	struct timeval none = {0, 0}, wrong = {-1, 0}, tv = {5, 0};
	struct timespec ts = {0, 0};
	fd_set r, w;
	int p[2];

	T(pipe(p));
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(p[0], &r);
	FD_SET(p[1], &w);
	T(syscall(SYS_select, p[1] + 1, &r, &w, NULL, &none));
	printf("%d %d\n", FD_ISSET(p[0], &r) != 0, FD_ISSET(p[1], &w) != 0);
	T(write(p[1], "x", 1));
	FD_SET(p[0], &r);
	T(syscall(SYS_select, p[1] + 1, &r, NULL, NULL, &tv));
	T(tv.tv_sec >= 4);
	T(syscall(SYS_select, -1, &r, NULL, NULL, &none));
	T(syscall(SYS_select, p[1] + 1, BAD, NULL, NULL, &none));
	T(syscall(SYS_select, p[1] + 1, &r, NULL, NULL, &wrong));
	FD_ZERO(&r);
	FD_SET(60, &r);
	T(syscall(SYS_select, 61, &r, NULL, NULL, &none));
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	T(syscall(SYS_pselect6, p[1] + 1, &r, NULL, NULL, &ts, NULL));
	T(syscall(SYS_pselect6, p[1] + 1, &r, NULL, NULL, BAD, NULL));
	tv = (struct timeval){0, 1000};
	T(syscall(SYS_select, 0, NULL, NULL, NULL, &tv));
}

static void
events(void)
{
	uint64_t v = 3;
	struct pollfd f;
	int e, s;

	T(syscall(SYS_eventfd2, 5, 99));
	e = (int)syscall(SYS_eventfd2, 5, O_NONBLOCK);
	T(e >= 0);
	T(write(e, &v, 8));
	T(read(e, &v, 8));
	T(v);
	T(read(e, &v, 8));
	T(read(e, &v, 4));
	v = UINT64_MAX;
	T(write(e, &v, 8));
	v--;
	T(write(e, &v, 8));
	v = 1;
	T(write(e, &v, 8));
	f = (struct pollfd){e, POLLIN | POLLOUT, 0};
	T(poll(&f, 1, 0));
	printf("%x\n", f.revents);
	s = (int)syscall(SYS_eventfd2, 2, 1);
	T(read(s, &v, 8));
	T(v);
	T(read(s, &v, 8));
	T(syscall(SYS_eventfd, 0) >= 0);
}

int
main(void)
{
	pipes();
	fifos();
	polling();
	selecting();
	events();
	return 0;
}
