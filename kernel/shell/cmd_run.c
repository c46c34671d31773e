/*
 * cmd_run.c - programs at the prompt: the command run, and any name that is no command.
 */
#include <fs/vfs.h>
#include <kern/process.h>
#include <kern/tty.h>
#include <lib/printf.h>
#include <lib/string.h>
#include "cmds.h"

#define ARGS_MAX 64

static const char *const search_path[] = {"/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/"};
static const char *const default_env[] = {"PATH=/bin:/sbin:/usr/bin:/usr/sbin", "HOME=/root",
					  "TERM=linux", "USER=root", "SHELL=/bin/sh"};

static const struct {
	int number;
	const char *text;
} errors[] = {
	{ENOENT, "no such file"},
	{EACCES, "it may not be executed"},
	{ENOEXEC, "it is no program for this machine"},
	{ENOMEM, "there is not enough memory"},
	{E2BIG, "its arguments are too long"},
	{ELOOP, "too many symbolic links or scripts"},
	{ENOTDIR, "a part of its path is no directory"},
	{EAGAIN, "there are too many processes"},
};

static void
show_error(const char *name, int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		if (errors[i].number == error) {
			sh_printf("%s: %s\n", name, errors[i].text);
			return;
		}
	}
	sh_printf("%s: error %d\n", name, error);
}

static const char *const signal_names[] = {
	[SIGHUP] = "SIGHUP",   [SIGINT] = "SIGINT",   [SIGQUIT] = "SIGQUIT", [SIGILL] = "SIGILL",
	[SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT", [SIGBUS] = "SIGBUS",   [SIGFPE] = "SIGFPE",
	[SIGKILL] = "SIGKILL", [SIGUSR1] = "SIGUSR1", [SIGSEGV] = "SIGSEGV", [SIGUSR2] = "SIGUSR2",
	[SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM",
};

static void
show_status(int status)
{
	const unsigned signo = (unsigned)status & 127;

	if (signo == 0 && status != 0)
		sh_printf("exit %d\n", status >> 8 & 255);
	else if (signo != 0 && signo < ARRAY_SIZE(signal_names) && signal_names[signo] != NULL)
		sh_printf("killed by %s\n", signal_names[signo]);
	else if (signo != 0)
		sh_printf("killed by signal %u\n", signo);
}

static bool
is_program(const char *path)
{
	struct path p;
	bool result;

	if (path_lookup(NULL, path, LOOKUP_FOLLOW, &p) != 0)
		return false;
	result = (p.dentry->inode->mode & S_IFMT) == S_IFREG && (p.dentry->inode->mode & 0111) != 0;
	path_put(&p);
	return result;
}

bool
program_find(const char *name, char *buf, size_t size)
{
	if (strchr(name, '/') != NULL)
		return strlcpy(buf, name, size) < size && is_program(buf);
	for (size_t i = 0; i < ARRAY_SIZE(search_path); i++) {
		if ((size_t)snprintf(buf, size, "%s%s", search_path[i], name) < size &&
		    is_program(buf))
			return true;
	}
	return false;
}

/* Words of the form NAME=VALUE in front belong to the environment.  How many. */
static int
count_assignments(int argc, char **argv)
{
	int n = 0;

	for (; n < argc; n++) {
		const char *equals = strchr(argv[n], '='), *slash = strchr(argv[n], '/');

		if (equals == NULL || equals == argv[n] || (slash != NULL && slash < equals))
			break;
	}
	return n;
}

/* Wait for the program in the foreground, and have the console back. */
static int
wait_foreground(int pid)
{
	int status = 0;

	(void)process_wait(pid, &status);
	tty_give_console_back();
	show_status(status);
	return status == 0 ? 0 : -EIO;
}

int
program_run(int argc, char **argv)
{
	char *envp[ARRAY_SIZE(default_env) + ARGS_MAX + 1], *args[ARGS_MAX + 1];
	const int assignments = count_assignments(argc, argv);
	const bool background = argc > 1 && strcmp(argv[argc - 1], "&") == 0;
	char path[256];
	int pid, n = 0;

	argc -= background;
	if (argc - assignments < 1 || argc > ARGS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(default_env); i++)
		envp[n++] = (char *)(uintptr_t)default_env[i];
	for (int i = 0; i < assignments; i++)
		envp[n++] = argv[i];
	envp[n] = NULL;
	for (n = 0; n < argc - assignments; n++)
		args[n] = argv[assignments + n];
	args[n] = NULL;
	if (!program_find(args[0], path, sizeof(path)))
		(void)strlcpy(path, args[0], sizeof(path));
	if (!background) {
		char typed[64];

		tty_preload(typed, sh_take_typed(typed, sizeof(typed)));
	}
	pid = process_spawn(path, args, envp, !background);
	if (pid < 0) {
		if (!background)
			tty_give_console_back();
		show_error(args[0], -pid);
		return pid;
	}
	if (!background)
		return wait_foreground(pid);
	process_disown(pid);
	sh_printf("[%d]\n", pid);
	return 0;
}

int
program_init(const char *path)
{
	static char path_var[] = "PATH=/bin:/sbin:/usr/bin:/usr/sbin", home[] = "HOME=/",
		    term[] = "TERM=linux";
	char *envp[] = {path_var, home, term, NULL};
	char *argv[] = {(char *)(uintptr_t)path, NULL};
	int status = 0;
	const int result = process_spawn_init(path, argv, envp);

	if (result < 0) {
		tty_give_console_back();
		show_error(path, -result);
		return result;
	}
	(void)process_wait(result, &status);
	tty_give_console_back();
	show_status(status);
	return 0;
}

int
cmd_run(int argc, char **argv)
{
	return argc < 2 ? -EINVAL : program_run(argc - 1, argv + 1);
}
