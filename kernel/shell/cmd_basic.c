/*
 * cmd_basic.c - commands about the shell itself: help, echo, clear, history, more, color, ...
 */
#include <dev/power.h>
#include <kern/cmdline.h>
#include <kern/version.h>
#include <lib/printf.h>
#include <lib/string.h>
#include "cmds.h"

/* --- help ---------------------------------------------------------------------------------------- */

#define HELP_WIDTH  79
#define GROUP_WIDTH 12 /* columns of a group's name in the overview */

static bool
first_of_group(size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(shell_commands[j].group, shell_commands[i].group) == 0)
			return false;
	return true;
}

/* The commands of a group by name, as many on a line as fit. */
static void
help_group_names(const char *group)
{
	unsigned col = GROUP_WIDTH;

	sh_printf("  %-*s", GROUP_WIDTH - 2, group);
	for (size_t i = 0; i < nr_shell_commands; i++) {
		const struct shell_cmd *c = &shell_commands[i];

		if (strcmp(c->group, group) != 0)
			continue;
		if (col + strlen(c->name) + 1 > 79) {
			sh_printf("\n%*s", GROUP_WIDTH, "");
			col = GROUP_WIDTH;
		}
		col += (unsigned)sh_printf(" %s", c->name);
	}
	sh_printf("\n");
}

/* Name and brief of the commands of @group, or of all. */
static bool
help_briefs(const char *group)
{
	bool any = false;

	for (size_t i = 0; i < nr_shell_commands; i++) {
		const struct shell_cmd *c = &shell_commands[i];

		if (group != NULL && strcmp(c->group, group) != 0)
			continue;
		sh_printf("  %-9s %s\n", c->name, c->brief);
		any = true;
	}
	return any;
}

/* Print lines, breaking those that are too long for the screen between words. */
static void
print_wrapped(const char *s)
{
	while (*s != '\0') {
		size_t n = 0;

		while (s[n] != '\0' && s[n] != '\n')
			n++;
		if (n > HELP_WIDTH)
			for (n = HELP_WIDTH; n > 1 && s[n] != ' ';)
				n--;
		sh_printf("%.*s\n", (int)n, s);
		s += n;
		while (*s == ' ')
			s++;
		if (*s == '\n')
			s++;
	}
}

static void
help_overview(void)
{
	sh_printf("The commands, by group:\n");
	for (size_t i = 0; i < nr_shell_commands; i++)
		if (first_of_group(i))
			help_group_names(shell_commands[i].group);
	sh_printf("\n"
		  "help NAME   tells all about a command, for example: help vmmap\n"
		  "help GROUP  says in a line what each command of a group does: help memory\n"
		  "help all    the same for every command\n"
		  "Tab completes commands and arguments, the arrows bring back earlier lines,\n"
		  "Ctrl-R searches them, Ctrl-C stops a command, COMMAND | more shows it in "
		  "pages.\n");
}

/* Commands, then groups, then the word all. */
const char *
complete_help(unsigned arg, unsigned i)
{
	unsigned left = i - (unsigned)nr_shell_commands;

	if (arg != 1 || i < nr_shell_commands)
		return complete_command(arg, i);
	for (size_t k = 0; k < nr_shell_commands; k++)
		if (first_of_group(k) && left-- == 0)
			return shell_commands[k].group;
	return left == 0 ? "all" : NULL;
}

int
cmd_help(int argc, char **argv)
{
	const struct shell_cmd *c;

	if (argc > 2)
		return -EINVAL;
	if (argc == 1) {
		help_overview();
		return 0;
	}
	c = shell_find(argv[1]);
	if (c != NULL) {
		sh_printf("%s - %s\nusage: %s\n", c->name, c->brief, c->usage);
		if (c->help[0] != '\0')
			sh_printf("\n");
		print_wrapped(c->help);
		return 0;
	}
	if (help_briefs(strcmp(argv[1], "all") == 0 ? NULL : argv[1]))
		return 0;
	sh_printf("there is no command or group '%s'; help alone lists them\n", argv[1]);
	return -ENOENT;
}

/* --- the small ones ------------------------------------------------------------------------------ */

int
cmd_echo(int argc, char **argv)
{
	const bool newline = argc < 2 || strcmp(argv[1], "-n") != 0;

	for (int i = newline ? 1 : 2; i < argc; i++)
		sh_printf("%s%s", argv[i], i + 1 < argc ? " " : "");
	if (newline)
		sh_printf("\n");
	return 0;
}

int
cmd_clear(int argc, char **argv)
{
	if (argc > 1)
		return -EINVAL;
	sh_write(sh_normal());
	sh_write("\033[H\033[2J");
	return 0;
}

int
cmd_uname(int argc, char **argv)
{
	if (argc > 2 || (argc == 2 && strcmp(argv[1], "-a") != 0))
		return -EINVAL;
	if (argc == 1)
		sh_printf("%s\n", MINOS_NAME);
	else
		sh_printf("%s %s %s, command line: %s\n", MINOS_NAME, MINOS_VERSION, MINOS_MACHINE,
			  cmdline_raw());
	return 0;
}

int
cmd_history(int argc, char **argv)
{
	const char *line;

	if (argc > 1)
		return -EINVAL;
	for (unsigned i = 0; (line = shell_history(i)) != NULL && !sh_interrupted(); i++)
		sh_printf("%4u  %s\n", i + 1, line);
	return 0;
}

int
cmd_more(int argc, char **argv)
{
	int result;

	if (argc < 2)
		return -EINVAL;
	sh_page_output();
	result = shell_run(argc - 1, argv + 1);
	return result == -EINVAL ? -EIO : result; /* its usage was printed, not ours */
}

int
cmd_reboot(int argc, char **argv)
{
	if (argc > 1)
		return -EINVAL;
	sh_printf("Restarting.\n");
	power_reboot();
}

int
cmd_poweroff(int argc, char **argv)
{
	if (argc > 1)
		return -EINVAL;
	sh_printf("Good-bye.\n");
	power_off();
}

/* --- color --------------------------------------------------------------------------------------- */

/* In the order of the SGR numbers 30-37.  Spec: ECMA-48, "SGR - Select Graphic Rendition". */
static const char *const color_names[] = {"black",   "red",  "green", "yellow", "blue",
					  "magenta", "cyan", "white", "default"};

/* The SGR offset of a colour, 60 higher for bright-NAME; -1 if there is none of that name. */
static int
color_number(const char *name)
{
	const bool bright = strncmp(name, "bright-", 7) == 0;

	for (unsigned i = 0; i < ARRAY_SIZE(color_names); i++)
		if (strcmp(color_names[i], name + (bright ? 7 : 0)) == 0)
			return i == 8 ? (bright ? -1 : 9) : (int)i + (bright ? 60 : 0);
	sh_printf("'%s' is no colour; Tab shows the names\n", name);
	return -1;
}

static char normal[24] = "\033[0m";

const char *
sh_normal(void)
{
	return normal;
}

static void
color_table(void)
{
	for (unsigned i = 0; i < 8; i++)
		sh_printf("  \033[%um%-8s%s  \033[%umbright-%-8s%s  \033[%u;%um on %-8s%s\n",
			  30 + i, color_names[i], normal, 90 + i, color_names[i], normal, 40 + i,
			  i == 0 ? 37 : 30, color_names[i], normal);
	sh_printf("color NAME sets the colour of the text, color NAME BACKGROUND both;\n"
		  "color default brings back what was.\n");
}

const char *
complete_color(unsigned arg, unsigned i)
{
	static char bright[20];

	if (arg > 2)
		return NULL;
	if (i < ARRAY_SIZE(color_names))
		return color_names[i];
	if (i >= ARRAY_SIZE(color_names) + 8)
		return NULL;
	snprintf(bright, sizeof(bright), "bright-%s", color_names[i - ARRAY_SIZE(color_names)]);
	return bright;
}

int
cmd_color(int argc, char **argv)
{
	int fg, bg = 9;

	if (argc > 3)
		return -EINVAL;
	if (argc == 1) {
		color_table();
		return 0;
	}
	fg = color_number(argv[1]);
	if (argc == 3)
		bg = color_number(argv[2]);
	if (fg < 0 || bg < 0)
		return -EINVAL;
	snprintf(normal, sizeof(normal), "\033[0;%d;%dm", 30 + fg, 40 + bg);
	sh_write(normal);
	return 0;
}
