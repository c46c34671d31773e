/*
 * sockets.c - AF_UNIX stream sockets: pairs, names, connections, ends, errors.
 *
 * SYSCALLS: socket socketpair bind listen connect accept accept4 getsockname getpeername shutdown sendto recvfrom
 * SYSCALLS: sendmsg recvmsg setsockopt getsockopt
 */
#define _GNU_SOURCE
#include "abi.h"
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define FAMILY_LEN ((socklen_t)sizeof(sa_family_t))

static struct sockaddr_un
named(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	strcpy(a.sun_path, path);
	return a;
}

static void
kinds(void)
{
	int pair[2];

	puts("kinds");
	T(socket(AF_UNIX, SOCK_STREAM, 5));
	T(socket(AF_UNIX, 99, 0));
	T(socket(AF_UNIX, SOCK_STREAM | 0x100000, 0));
	T(socket(4711, SOCK_STREAM, 0));
	T(socket(-1, SOCK_STREAM, 0));
	T(socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)BAD));
	T(socketpair(4711, SOCK_STREAM, 0, pair));
	T(connect(0, (void *)&pair, 2));
	T(listen(-1, 1));
	T(bind(999, NULL, 0));
	T(getsockopt(1, SOL_SOCKET, SO_TYPE, pair, (socklen_t *)&pair[1]));
}

static void
show_poll(int fd)
{
	struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};

	T(poll(&p, 1, 0));
	printf("poll %#x\n", p.revents);
}

static void
pairs(void)
{
	char buf[100];
	struct iovec v[2] = {{buf, 3}, {buf + 50, 20}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
	struct stat st;
	int s[2], n;

	puts("pairs");
	T(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
	T(fcntl(s[0], F_GETFD));
	T(fcntl(s[0], F_GETFL) & ~O_LARGEFILE);
	fstat(s[0], &st);
	printf("mode %o\n", st.st_mode);
	T(lseek(s[0], 0, SEEK_SET));
	show_poll(s[0]);
	T(write(s[0], "hello", 5));
	T(ioctl(s[1], FIONREAD, &n));
	printf("%d\n", n);
	show_poll(s[1]);
	T(recv(s[1], buf, 2, MSG_PEEK));
	T(read(s[1], buf, 100));
	printf("%.5s\n", buf);
	T(recv(s[1], buf, 100, MSG_DONTWAIT));
	T(send(s[1], "both ways", 9, 0));
	memset(buf, '.', sizeof(buf));
	T(recvmsg(s[0], &m, 0));
	printf("%.3s|%.6s| %d\n", buf, buf + 50, m.msg_flags);
	m.msg_iovlen = 1;
	T(sendmsg(s[0], &m, MSG_NOSIGNAL));
	T(syscall(SYS_sendmsg, s[0], BAD, 0));
	T(recvfrom(s[1], buf, 100, 0, NULL, NULL));
	T(sendto(s[0], "x", 1, 0, (void *)buf, 8));
	T(send(s[0], (void *)BAD, 5, 0));
	T(shutdown(s[0], 7));
	T(shutdown(s[0], SHUT_WR));
	show_poll(s[0]);
	show_poll(s[1]);
	T(send(s[0], "x", 1, MSG_NOSIGNAL));
	T(read(s[1], buf, 100));
	T(write(s[1], "still", 5));
	T(read(s[0], buf, 100));
	T(write(s[1], "unread", 6));
	T(close(s[0]));
	show_poll(s[1]);
	T(read(s[1], buf, 100));
	signal(SIGPIPE, SIG_IGN);
	T(write(s[1], "x", 1));
	close(s[1]);
	T(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
	T(read(s[0], buf, 1));
	T(write(s[0], "abc", 3));
	close(s[1]);
	T(read(s[0], buf, 1));
	T(read(s[0], buf, 1));
	close(s[0]);
}

static void
options(void)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int s[2], value = 1;

	puts("options");
	socketpair(AF_UNIX, SOCK_STREAM, 0, s);
	T(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &cred, &len));
	printf("%d %d %d %u\n", cred.pid == getpid(), cred.uid == geteuid(), cred.gid == getegid(),
	       len);
	for (int name = 1; name < 5; name++) {
		if (name == 1)
			continue;
		len = 4;
		T(getsockopt(s[0], SOL_SOCKET, name, &value, &len));
		printf("option %d: %d, %u\n", name, value, len);
	}
	len = 2;
	value = -1;
	T(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &value, &len));
	printf("%#x %u\n", value, len);
	len = -1;
	T(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &value, &len));
	len = 4;
	T(getsockopt(s[0], SOL_SOCKET, SO_DOMAIN, &value, &len));
	printf("%d\n", value);
	T(getsockopt(s[0], SOL_SOCKET, SO_ACCEPTCONN, &value, &len));
	printf("%d\n", value);
	T(getsockopt(s[0], SOL_SOCKET, 4711, &value, &len));
	T(getsockopt(s[0], SOL_SOCKET, SO_TYPE, (void *)BAD, &len));
	T(getsockopt(s[0], 77, SO_TYPE, &value, &len));
	T(setsockopt(s[0], SOL_SOCKET, SO_REUSEADDR, &value, 4));
	T(setsockopt(s[0], SOL_SOCKET, SO_REUSEADDR, &value, 2));
	T(setsockopt(s[0], SOL_SOCKET, SO_REUSEADDR, (void *)BAD, 4));
	T(setsockopt(s[0], SOL_SOCKET, 4711, &value, 4));
	close(s[0]);
	close(s[1]);
}

static void
show_name(int fd, int peer)
{
	struct sockaddr_un a;
	socklen_t len = sizeof(a);

	memset(&a, 0, sizeof(a));
	T((peer ? getpeername : getsockname)(fd, (void *)&a, &len));
	printf("%u family %d \"%s\" \"%s\"\n", len, a.sun_family, a.sun_path, a.sun_path + 1);
}

static void
not_listening_yet(int l, int c, struct sockaddr_un a)
{
	struct sockaddr_un b = named("./none");
	struct stat st;
	char buf[10];

	show_name(l, 0);
	show_name(l, 1);
	show_poll(c);
	T(write(c, "x", 1));
	T(read(c, buf, 1));
	T(listen(l, 5));
	T(bind(l, (void *)&a, FAMILY_LEN - 1));
	T(bind(l, (void *)&a, sizeof(a) + 1));
	T(bind(l, (void *)BAD, sizeof(a)));
	b.sun_family = 77;
	T(bind(l, (void *)&b, sizeof(b)));
	b.sun_family = AF_UNIX;
	T(connect(c, (void *)&b, sizeof(b)));
	T(bind(l, (void *)&a, sizeof(a)));
	T(bind(l, (void *)&b, sizeof(b)));
	show_name(l, 0);
	T(stat("sock", &st));
	printf("socket %d\n", S_ISSOCK(st.st_mode));
	T(open("sock", O_RDWR));
	T(bind(c, (void *)&a, sizeof(a)));
	T(connect(c, (void *)&a, sizeof(a)));
	T(accept(l, NULL, NULL));
}

static void
one_connection(int l, int c, struct sockaddr_un a)
{
	struct sockaddr_un b;
	socklen_t len;
	char buf[10];
	int d;

	T(listen(l, 1));
	T(fcntl(l, F_SETFL, O_NONBLOCK));
	T(accept(l, NULL, NULL));
	show_poll(l);
	T(connect(c, (void *)&a, sizeof(a)));
	T(connect(c, (void *)&a, sizeof(a)));
	T(listen(c, 1));
	show_poll(l);
	show_name(c, 0);
	show_name(c, 1);
	T(write(c, "early", 5));
	memset(&b, 0, sizeof(b));
	len = sizeof(b);
	d = accept4(l, (void *)&b, &len, SOCK_CLOEXEC);
	T(d >= 0);
	printf("%u %d\n", len, b.sun_family);
	T(fcntl(d, F_GETFD));
	T(read(d, buf, 10));
	show_name(d, 0);
	show_name(d, 1);
	T(write(d, "reply", 5));
	T(recv(c, buf, 5, MSG_WAITALL));
	T(close(d));
	T(read(c, buf, 10));
	close(c);
}

static void
nobody_takes_it(int l, struct sockaddr_un a)
{
	char buf[10];
	int c;

	/* Nobody takes it: the one who waits learns of it. */
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	T(connect(c, (void *)&a, sizeof(a)));
	close(l);
	T(read(c, buf, 1));
	T(read(c, buf, 1));
	close(c);
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	T(connect(c, (void *)&a, sizeof(a)));
	T(unlink("sock"));
	T(connect(c, (void *)&a, sizeof(a)));
	close(c);
}

static void
abstract_names(void)
{
	struct sockaddr_un a, long_one;
	int c = socket(AF_UNIX, SOCK_STREAM, 0), l, e;

	l = socket(AF_UNIX, SOCK_STREAM, 0);
	e = socket(AF_UNIX, SOCK_STREAM, 0);
	memset(&a, 0, sizeof(a));
	a.sun_family = AF_UNIX;
	memcpy(a.sun_path, "\0minos-abi", 10);
	T(bind(l, (void *)&a, FAMILY_LEN + 10));
	T(bind(e, (void *)&a, FAMILY_LEN + 10));
	T(listen(l, 0));
	T(connect(c, (void *)&a, FAMILY_LEN + 9));
	T(connect(c, (void *)&a, FAMILY_LEN + 10));
	show_name(c, 1);
	T(fcntl(e, F_SETFL, O_NONBLOCK));
	T(connect(e, (void *)&a, FAMILY_LEN + 10));
	memset(&long_one, 'x', sizeof(long_one));
	long_one.sun_family = AF_UNIX;
	T(connect(e, (void *)&long_one, 40));
	close(e);
	close(c);
	close(l);
}

static void
names(void)
{
	const struct sockaddr_un a = named("./sock");
	const int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);

	puts("names");
	not_listening_yet(l, c, a);
	one_connection(l, c, a);
	nobody_takes_it(l, a);
	abstract_names();
}

/* A server and its clients, as processes; the sums of what went both ways. */
static void
processes(void)
{
	struct sockaddr_un a = named("server");
	const int l = socket(AF_UNIX, SOCK_STREAM, 0);
	static char block[30000];
	long total = 0;

	puts("processes");
	bind(l, (void *)&a, sizeof(a));
	listen(l, 2);
	for (int i = 0; i < 4; i++) {
		if (fork() == 0) {
			const int c = socket(AF_UNIX, SOCK_STREAM, 0);
			long sent = 0, echoed = 0;
			ssize_t n;

			if (connect(c, (void *)&a, sizeof(a)) != 0)
				_exit(1);
			memset(block, 'a' + i, sizeof(block));
			for (int k = 0; k < 10; k++)
				sent += write(c, block, sizeof(block));
			shutdown(c, SHUT_WR);
			while ((n = read(c, block, sizeof(block))) > 0)
				echoed += n;
			_exit(sent == 300000 && echoed == 4 ? 0 : 2);
		}
	}
	for (int i = 0; i < 4; i++) {
		const int s = accept(l, NULL, NULL);
		ssize_t n;

		while ((n = read(s, block, sizeof(block))) > 0)
			total += n;
		write(s, "done", 4);
		close(s);
	}
	printf("%ld\n", total);
	for (int status; wait(&status) > 0;)
		printf("client %#x\n", status);
	close(l);
	unlink("server");
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	kinds();
	pairs();
	options();
	names();
	processes();
	return 0;
}
