/*
 * kdb.c - the panic debugger's prompt: polled keys, a line, the command it names.
 *
 * Everything here is static, so that a fault in a command can come back to the prompt on a fresh
 * stack.
 */
#include <kern/kdb.h>
#include <dev/console.h>
#include <kern/log.h>
#include <kern/panic.h>
#include <lib/string.h>
#include <x86/cpu.h>
#include <x86/fault.h>
#include <x86/trap.h>
#include "kdb_cmds.h"

#define LINE_MAX   72
#define PAGE_LINES 22 /* of 25: the command above, the question below */
#define DRAIN_MAX  64 /* bytes typed ahead that are dropped */

#define CTRL(c)	  ((c)&0x1f)
#define BACKSPACE 0x08
#define ESC	  0x1b
#define DEL	  0x7f

static bool active;
static char line[LINE_MAX + 1];
static unsigned lines_shown; /* since the last question */

bool
kdb_active(void)
{
	return active;
}

static int
read_key(void)
{
	int c;

	while ((c = console_poll()) < 0)
		cpu_relax();
	return c;
}

/* Arrow keys and the like are several bytes, which come one after the other. */
static void
drop_sequence(void)
{
	for (unsigned polls = 0; polls < 20000; polls++) {
		const int c = console_poll();

		if (c >= '@' && c <= '~' && c != '[' && c != 'O')
			return;
		cpu_relax();
	}
}

bool
kdb_more(unsigned n)
{
	int c;

	lines_shown += n;
	if (lines_shown < PAGE_LINES)
		return true;
	lines_shown = 0;
	printf("-- more: a key; q ends --");
	console_flush();
	c = read_key();
	if (c == ESC)
		drop_sequence();
	printf("\r                         \r");
	return c != 'q' && c != 'Q' && c != CTRL('c');
}

/* Take @count characters back, as far as there are so many of the @n; returns how many are left. */
static size_t
erase(size_t n, size_t count)
{
	for (; n > 0 && count > 0; n--, count--)
		printf("\b \b");
	return n;
}

/* Read a line into `line`: Backspace takes a character back, Ctrl-U and Ctrl-C all of them. */
static void
read_line(void)
{
	size_t n = 0;

	for (;;) {
		const int c = read_key();

		if (c == '\r' || c == '\n')
			break;
		if (c == ESC) {
			drop_sequence();
		} else if (c == BACKSPACE || c == DEL) {
			n = erase(n, 1);
		} else if (c == CTRL('u') || c == CTRL('c')) {
			n = erase(n, n);
		} else if (c >= ' ' && c < DEL && n < LINE_MAX) {
			line[n++] = (char)c;
			printf("%c", c);
		}
		console_flush();
	}
	line[n] = '\0';
	printf("\n");
}

/* Cut `line` into words. */
static int
split(char **words)
{
	char *p = line;
	int n = 0;

	for (;;) {
		while (*p == ' ')
			*p++ = '\0';
		if (*p == '\0' || n == KDB_WORDS_MAX)
			return n;
		words[n++] = p;
		while (*p != '\0' && *p != ' ')
			p++;
	}
}

NORETURN static void
prompt_loop(void)
{
	char *words[KDB_WORDS_MAX];

	for (;;) {
		int n;

		printf("kdb> ");
		console_flush();
		read_line();
		n = split(words);
		lines_shown = 0;
		if (n > 0)
			kdb_run(n, words);
	}
}

void
kdb_wait(void)
{
	int c;

	active = true;
	for (unsigned i = 0; i < DRAIN_MAX; i++)
		(void)console_poll();
	printf("System halted.  Press a key for the debugger.\n");
	console_flush();
	c = read_key();
	if (c == ESC)
		drop_sequence();
	printf("The panic debugger; help lists its commands.\n");
	prompt_loop();
}

void
kdb_again(const struct trapframe *tf, const char *text)
{
	printf("\nthat failed: %s\n", text);
	fault_print_place(tf->rip, tf->vector == TRAP_VECTORS);
	printf("\n");
	prompt_loop();
}
