/*
 * cmd_nice.c - shares of the CPU: nice, renice.
 */
#include <kern/thread.h>
#include <lib/string.h>
#include "cmds.h"

bool
arg_nice(const char *s, int *out)
{
	const bool minus = *s == '-';
	uint64_t n;

	if (strcmp(s, "bg") == 0) {
		*out = NICE_BACKGROUND;
		return true;
	}
	if (!arg_number_max(s + minus, minus ? -NICE_MIN : NICE_MAX, &n))
		return false;
	*out = minus ? -(int)n : (int)n;
	return true;
}

int
cmd_renice(int argc, char **argv)
{
	uint64_t id;
	int nice, result;

	if (argc != 3 || !arg_number_max(argv[1], UINT32_MAX, &id) || !arg_nice(argv[2], &nice))
		return -EINVAL;
	result = thread_set_nice((unsigned)id, nice);
	if (result == -ENOENT)
		sh_printf("there is no thread %lu; ps lists them\n", id);
	else if (result == -EPERM)
		sh_printf("thread %lu: the system lives on it, it cannot wait for all others\n",
			  id);
	return result;
}

/* The shell itself has that value meanwhile, and the threads that it starts keep it. */
int
cmd_nice(int argc, char **argv)
{
	const struct thread *self = thread_self();
	const int before = self->run.nice;
	int nice, result;

	if (argc < 3 || !arg_nice(argv[1], &nice))
		return -EINVAL;
	result = thread_set_nice(self->id, nice);
	if (result == -EPERM)
		sh_printf("the shell cannot be in the background; spawn -n bg can\n");
	if (result != 0)
		return result;
	result = shell_run(argc - 2, argv + 2);
	(void)thread_set_nice(self->id, before);  /* it was valid */
	return result == -EINVAL ? -EIO : result; /* usage was printed by the command's own run */
}
