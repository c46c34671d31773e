/*
 * cmd_run.c - the command run: programs.
 */
#include <kern/process.h>
#include "cmds.h"

int
cmd_run(int argc, char **argv)
{
	char *const envp[] = {NULL};
	int status = 0, pid;

	if (argc < 2)
		return -EINVAL;
	pid = process_spawn(argv[1], argv + 1, envp);
	if (pid < 0) {
		sh_printf("run: %s: error %d\n", argv[1], -pid);
		return pid;
	}
	(void)process_wait(pid, &status);
	sh_printf("[%d ended: %#x]\n", pid, status);
	return 0;
}
