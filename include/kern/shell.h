/*
 * shell.h - the kernel shell: `minOS> ` on both consoles.  Commands: kernel/shell/commands.c.
 */
#pragma once
#include <kern/base.h>

struct shell_cmd {
	const char *name;
	const char *group; /* what `help` lists it under: one lower-case word */
	const char *usage; /* "peek ADDR [b|w|d|q]" */
	const char *brief; /* one line for `help` */
	const char *help;  /* the whole story for `help NAME`, lines separated by \n */
	/* Returns 0, -EINVAL to have the usage line printed, or another -errno that the command already explained. */
	int (*run)(int argc, char **argv);
	/* Tab: the @i-th candidate for argument number @arg, NULL when there are no more.  May be NULL. */
	const char *(*complete)(unsigned arg, unsigned i);
};

extern const struct shell_cmd shell_commands[];
extern const size_t nr_shell_commands;
const struct shell_cmd *shell_find(const char *name);

/* Start the shell thread.  0 or -ENOMEM. */
int shell_init(void);
/* Execute one line (quotes, ;, #, |more).  Returns the last command's result. */
int shell_execute(const char *line);

/* Output of a command: to the console, or through the pager. */
int sh_printf(const char *fmt, ...) PRINTF(1, 2);
/* True once Ctrl-C was pressed while the command runs: the command ends soon. */
bool sh_interrupted(void);
/* Sleep that Ctrl-C ends: 0 or -EINTR. */
int sh_sleep_ms(uint64_t ms);

/*
 * A message of a background thread to the person at the prompt: it appears above the line that is
 * being typed, which stays as it is.  Context: thread.
 */
void shell_notice(const char *fmt, ...) PRINTF(1, 2);
