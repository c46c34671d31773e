/*
 * ids.c - users and groups.
 *
 * SYSCALLS: getuid geteuid getgid getegid setuid setgid setreuid setregid setresuid setresgid getresuid getresgid
 * SYSCALLS: setfsuid setfsgid getgroups setgroups
 */
#include "abi.h"
#include <grp.h>

static void
all(const char *when)
{
	unsigned u[3], g[3];

	T(syscall(SYS_getresuid, &u[0], &u[1], &u[2]));
	T(syscall(SYS_getresgid, &g[0], &g[1], &g[2]));
	printf("%s: %u %u %u, %u %u %u\n", when, u[0], u[1], u[2], g[0], g[1], g[2]);
}

int
main(void)
{
	gid_t list[3] = {10, 20, 30};

	T(syscall(SYS_getuid));
	T(syscall(SYS_geteuid));
	T(syscall(SYS_getgid));
	T(syscall(SYS_getegid));
	T(syscall(SYS_setgroups, 3, list));
	T(syscall(SYS_getgroups, 0, NULL));
	T(syscall(SYS_getgroups, 1, list));
	T(syscall(SYS_getgroups, 3, list));
	T(syscall(SYS_getgroups, 3, BAD));
	T(syscall(SYS_getgroups, -1, list));
	T(syscall(SYS_setgroups, -1, list));
	T(syscall(SYS_setgroups, 2, BAD));
	T(syscall(SYS_setuid, -1));
	T(syscall(SYS_getresuid, BAD, list, list));
	CHILD({
		T(syscall(SYS_setresgid, 1, 2, 3));
		T(syscall(SYS_setresuid, 4, 0, 5));
		all("res");
		T(syscall(SYS_setfsuid, 77));
		T(syscall(SYS_setfsuid, -1));
		T(syscall(SYS_setfsgid, 78));
		T(syscall(SYS_setfsgid, -1));
		T(syscall(SYS_setreuid, -1, 4));
		all("re");
		T(syscall(SYS_setuid, 9));
		T(syscall(SYS_setuid, 5));
		all("set");
		T(syscall(SYS_setreuid, 9, -1));
		T(syscall(SYS_setreuid, -1, 9));
		T(syscall(SYS_setregid, 9, -1));
		T(syscall(SYS_setgid, 1));
		T(syscall(SYS_setgid, 9));
		all("gid");
		T(syscall(SYS_setresuid, 9, -1, -1));
		T(syscall(SYS_setresgid, -1, -1, 9));
		T(syscall(SYS_setresuid, -1, -1, 4));
		T(syscall(SYS_setgroups, 0, NULL));
		T(syscall(SYS_setfsuid, 0));
		T(syscall(SYS_setfsuid, -1));
		all("end");
		fflush(stdout);
		_exit(0);
	});
	CHILD({
		T(syscall(SYS_setregid, 6, 7));
		T(syscall(SYS_setreuid, 8, 9));
		all("two");
		T(kill(1, 0));
		T(kill(getppid(), SIGTERM));
		_exit(0);
	});
	CHILD({
		T(syscall(SYS_setuid, 12));
		all("one");
		T(syscall(SYS_setuid, 0));
		_exit(0);
	});
	return 0;
}
