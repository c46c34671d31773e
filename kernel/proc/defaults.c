/*
 * defaults.c - what a program that the kernel starts begins with: limits, root's rights, the root directory.
 */
#include <fs/vfs.h>
#include <kern/process.h>
#include <uapi/sched.h>
#include "internal.h"

#define PROCESSES_LIMIT 4096

static const struct rlimit64 defaults[NR_RLIMITS] = {
	[RLIMIT_CPU] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_FSIZE] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_DATA] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_STACK] = {MIB(8), RLIM_INFINITY},
	[RLIMIT_CORE] = {0, RLIM_INFINITY},
	[RLIMIT_RSS] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_NPROC] = {PROCESSES_LIMIT, PROCESSES_LIMIT},
	[RLIMIT_NOFILE] = {FD_MAX_DEFAULT, 4096},
	[RLIMIT_MEMLOCK] = {MIB(8), MIB(8)},
	[RLIMIT_AS] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_LOCKS] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_SIGPENDING] = {1024, 1024},
	[RLIMIT_MSGQUEUE] = {819200, 819200},
	[RLIMIT_NICE] = {0, 0},
	[RLIMIT_RTPRIO] = {0, 0},
	[RLIMIT_RTTIME] = {RLIM_INFINITY, RLIM_INFINITY},
};

/* Descriptors 0 to 2 on the console. */
static int
open_console(bool foreground)
{
	for (int fd = 0; fd < 3; fd++) {
		struct file *f;
		int result = vfs_open(NULL, fd == 0 && !foreground ? "/dev/null" : "/dev/console",
				      O_RDWR, 0, &f);

		if (result != 0)
			return result;
		result = fd_install(f, 0, false);
		if (result < 0) {
			file_put(f);
			return result;
		}
	}
	return 0;
}

int
process_set_defaults(struct process *p, bool foreground)
{
	for (size_t i = 0; i < NR_RLIMITS; i++)
		p->rlimits[i] = defaults[i];
	p->exit_signal = SIGCHLD;
	p->dumpable = 1;
	p->files = files_new();
	p->fs = fs_context_new();
	if (p->files == NULL || p->fs == NULL)
		return -ENOMEM;
	return open_console(foreground);
}
