/*
 * shell.c - the shell's thread: prompt, execution of lines, and the output of commands.
 *
 * A command runs in the thread that calls shell_execute(), with a struct sh_context that says where
 * its output goes and whether Ctrl-C was typed.  Ctrl-C reaches us in interrupt context: it marks the
 * foreground context and wakes who sleeps in sh_sleep_ms(); commands that take long look at
 * sh_interrupted(), and output of an interrupted command is dropped, so that a long listing ends too.
 */
#include <kern/shell.h>
#include <dev/console.h>
#include <dev/power.h>
#include <kern/boot_trace.h>
#include <kern/cmdline.h>
#include <kern/line_edit.h>
#include <kern/main.h>
#include <kern/parse.h>
#include <kern/selftest.h>
#include <kern/sync.h>
#include <kern/thread.h>
#include <kern/wait.h>
#include <lib/printf.h>
#include <lib/string.h>
#include "cmds.h"
#include "pager.h"

#define PROMPT "minOS> "

/* What a running command prints to.  Only its own thread changes it, but for @interrupted. */
struct sh_context {
	struct pager pager;
	bool paged;
	bool muted;		   /* output is dropped */
	bool fresh_line;	   /* the last byte printed was \n */
	volatile bool interrupted; /* [a] set by the interrupt hook */
	volatile bool reading;	   /* [a] the command reads keys: it gets the Ctrl-C too */
	volatile bool queued;	   /* [a] such a Ctrl-C was put into the input queue */
};

static struct sh_context *volatile foreground; /* [a] NULL = at the prompt */
static struct wait_queue interrupt_queue = WAIT_QUEUE_INIT(interrupt_queue);
static struct mutex prompt_lock = MUTEX_INIT(prompt_lock, "prompt");
static struct line_edit editor; /* [prompt_lock] */
static bool at_prompt;		/* [prompt_lock] the line being typed stands on the console */

static struct sh_context *
context(void)
{
	return thread_self()->shell;
}

/* --- output and input of commands ---------------------------------------------------------------- */

static void
write_to(struct sh_context *ctx, const char *s, size_t n)
{
	if (n == 0 || (ctx != NULL && (ctx->interrupted || ctx->muted)))
		return;
	if (ctx == NULL) {
		console_write(s, n);
		return;
	}
	ctx->fresh_line = s[n - 1] == '\n';
	if (ctx->paged)
		pager_write(&ctx->pager, s, n);
	else
		console_write(s, n);
}

/* vfmt() delivers in small pieces; a console call for each would be slow. */
struct gather {
	struct sh_context *ctx;
	size_t n;
	char buf[128];
};

static void
gather_sink(void *arg, const char *s, size_t n)
{
	struct gather *g = arg;

	if (g->n + n > sizeof(g->buf)) {
		write_to(g->ctx, g->buf, g->n);
		g->n = 0;
	}
	if (n > sizeof(g->buf)) {
		write_to(g->ctx, s, n);
		return;
	}
	memcpy(g->buf + g->n, s, n);
	g->n += n;
}

int
sh_printf(const char *fmt, ...)
{
	struct gather g = {.ctx = context(), .n = 0};
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vfmt(gather_sink, &g, fmt, ap);
	va_end(ap);
	write_to(g.ctx, g.buf, g.n);
	return n;
}

void
sh_write(const char *s)
{
	struct sh_context *ctx = context();

	if (ctx != NULL && ctx->muted)
		return;
	if (ctx != NULL)
		ctx->fresh_line = true; /* who paints leaves a clean place behind */
	console_write(s, strlen(s));
}

void
sh_page_output(void)
{
	struct sh_context *ctx = context();

	if (ctx == NULL || ctx->paged)
		return;
	ctx->paged = true;
	pager_init(&ctx->pager);
}

bool
sh_interrupted(void)
{
	const struct sh_context *ctx = context();

	return thread_killed() ||
	       (ctx != NULL && (ctx->interrupted || (ctx->paged && ctx->pager.quit)));
}

int
sh_sleep_ms(uint64_t ms)
{
	return wait_event_timeout(&interrupt_queue, sh_interrupted(), ms) == -ETIMEDOUT ? 0
											: -EINTR;
}

int
sh_read_byte(uint64_t timeout_ms)
{
	struct sh_context *ctx = context();
	char c;
	ssize_t n;

	/* First: a Ctrl-C behind the question below must find that it has to end the wait. */
	if (ctx != NULL)
		ctx->reading = true;
	n = sh_interrupted() ? -EINTR : console_read(&c, 1, timeout_ms);
	if (ctx != NULL)
		ctx->reading = false;
	if (n <= 0)
		return n == 0 ? -ETIMEDOUT : (int)n;
	if (c != LE_CTRL('C'))
		return (unsigned char)c;
	if (ctx != NULL)
		ctx->queued = false;
	return -EINTR;
}

/*
 * Context: interrupt.  True: the Ctrl-C has done its work and is not input.  It takes back what was
 * typed before it: who stops a command does not want the next one that waits behind it either.
 */
static bool
on_ctrl_c(void)
{
	struct sh_context *ctx = foreground;

	if (ctx == NULL)
		return false;
	console_input_flush();
	ctx->interrupted = true;
	ctx->queued = ctx->reading;
	(void)wake_all(&interrupt_queue);
	return !ctx->queued;
}

/* A Ctrl-C that was meant to end a wait, but came just behind it, is not for the prompt. */
static void
take_ctrl_c_back(const struct sh_context *ctx)
{
	char c = 0;

	while (ctx->queued && c != LE_CTRL('C') && console_read(&c, 1, 0) == 1)
		;
}

/* --- executing ----------------------------------------------------------------------------------- */

const struct shell_cmd *
shell_find(const char *name)
{
	for (size_t i = 0; i < nr_shell_commands; i++)
		if (strcmp(shell_commands[i].name, name) == 0)
			return &shell_commands[i];
	return NULL;
}

static void
complain_unknown(const char *name)
{
	const char *best = NULL;
	unsigned best_distance = 3;

	for (size_t i = 0; i < nr_shell_commands; i++) {
		const unsigned d = parse_distance(name, shell_commands[i].name);

		if (d < best_distance && d < strlen(name)) {
			best = shell_commands[i].name;
			best_distance = d;
		}
	}
	if (best != NULL)
		sh_printf("unknown command '%s', did you mean '%s'?\n", name, best);
	else
		sh_printf("unknown command '%s'; 'help' lists all there are\n", name);
}

int
shell_run(int argc, char **argv)
{
	const struct shell_cmd *cmd = shell_find(argv[0]);
	int result;

	if (cmd == NULL) {
		char path[256];

		if (program_find(argv[0], path, sizeof(path)))
			return program_run(argc, argv);
		complain_unknown(argv[0]);
		return -ENOENT;
	}
	result = cmd->run(argc, argv);
	if (result == -EINVAL)
		sh_printf("usage: %s\n", cmd->usage);
	return result;
}

int
sh_run_muted(int argc, char **argv)
{
	struct thread *self = thread_self();
	struct sh_context ctx = {.muted = true};
	void *const before = self->shell;
	int result;

	self->shell = &ctx;
	result = shell_run(argc, argv);
	self->shell = before;
	return result;
}

/* One command of a line, in a context of its own. */
static int
run_in_context(struct parse_command *cmd, bool *interrupted)
{
	struct thread *self = thread_self();
	struct sh_context ctx = {.fresh_line = true};
	struct sh_context *const before = foreground;
	void *const before_self = self->shell;
	int result;

	self->shell = &ctx;
	foreground = &ctx;
	if (cmd->more)
		sh_page_output();
	result = shell_run(cmd->argc, cmd->argv);
	foreground = before;
	self->shell = before_self;
	take_ctrl_c_back(&ctx);
	if (ctx.interrupted)
		printf("^C\n");
	else if (!ctx.fresh_line)
		printf("\n");
	*interrupted = ctx.interrupted;
	return result;
}

int
shell_execute(const char *line)
{
	struct parse_command cmd;
	const char *error;
	bool interrupted = false;
	int result = 0;

	if (parse_check(line, &cmd, &error) != 0) {
		printf("%s\n", error);
		return -EINVAL;
	}
	while (!interrupted && parse_next(&line, &cmd, &error) > 0)
		result = run_in_context(&cmd, &interrupted);
	return interrupted ? -EINTR : result;
}

/* --- Tab ----------------------------------------------------------------------------------------- */

static size_t
command_start(const char *line, size_t pos)
{
	while (pos > 0 && line[pos - 1] != ';' && line[pos - 1] != '|')
		pos--;
	return pos;
}

/* Is the word from @start on to stand behind a |? */
static bool
behind_pipe(const char *line, size_t start)
{
	const size_t begin = command_start(line, start);

	return begin > 0 && line[begin - 1] == '|';
}

/* Behind a | comes more, and then nothing. */
static const char *
pipe_candidate(const char *line, size_t start, unsigned i)
{
	while (line[start - 1] == ' ')
		start--;
	return line[start - 1] == '|' && i == 0 ? "more" : NULL;
}

/* Which command and which of its arguments is being typed at the end of @line[0..pos)? */
static const struct shell_cmd *
word_place(const char *line, size_t pos, size_t *start, unsigned *arg)
{
	const struct shell_cmd *cmd = NULL;
	size_t i = command_start(line, pos), begin;

	*arg = 0;
	for (;;) {
		char name[16];

		while (i < pos && line[i] == ' ')
			i++;
		for (begin = i; i < pos && line[i] != ' ';)
			i++;
		*start = begin;
		if (i == pos)
			return cmd;
		(void)strlcpy(name, line + begin, MIN(i - begin + 1, sizeof(name)));
		if (*arg == 0 && strcmp(name, "time") != 0 && strcmp(name, "more") != 0) {
			cmd = shell_find(name);
			*arg = 1;
		} else if (*arg > 0) {
			++*arg;
		}
	}
}

static const char *
candidate(void *unused, const char *line, size_t pos, unsigned i, size_t *start)
{
	static unsigned next; /* of the unfiltered list: the editor asks in order */
	unsigned arg;
	const struct shell_cmd *cmd = word_place(line, pos, start, &arg);
	const bool piped = behind_pipe(line, *start);
	const char *word;

	if (i == 0)
		next = 0;
	if (!piped && arg > 0 && (cmd == NULL || cmd->complete == NULL))
		return NULL;
	do
		word = piped	  ? pipe_candidate(line, *start, next++)
		       : arg == 0 ? complete_command(1, next++)
				  : cmd->complete(arg, next++);
	while (word != NULL && strncmp(word, line + *start, pos - *start) != 0);
	return word;
}

/* --- the thread ---------------------------------------------------------------------------------- */

static void
editor_out(void *unused, const char *s, size_t n)
{
	console_write(s, n);
}

const char *
shell_history(unsigned i)
{
	return le_history_get(&editor, i);
}

/* run="cmd; cmd", and then the self-tests if they were asked for: those end the machine. */
static void
run_from_cmdline(void)
{
	char text[BOOT_CMDLINE_MAX];

	if (cmdline_get("run", text, sizeof(text)) > 0)
		(void)shell_execute(text); /* it has said what went wrong */
	if (cmdline_has("selftest")) {
		if (cmdline_get("selftest", text, sizeof(text)) < 0)
			text[0] = '\0';
		power_debug_exit(selftest_run(text) == 0);
	}
}

/* Context: thread. */
void
shell_notice(const char *fmt, ...)
{
	va_list ap;

	mutex_lock(&prompt_lock);
	if (at_prompt)
		le_hide(&editor);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap); /* bytes printed: nobody's concern */
	va_end(ap);
	if (at_prompt)
		le_redraw(&editor);
	mutex_unlock(&prompt_lock);
}

static void
show_prompt(void)
{
	mutex_lock(&prompt_lock);
	le_start(&editor, PROMPT);
	at_prompt = true;
	mutex_unlock(&prompt_lock);
}

/* What was taken from the console; the shell's thread alone uses it. */
static struct {
	char bytes[64];
	size_t have, taken;
} typed;

size_t
sh_take_typed(char *buf, size_t max)
{
	const size_t n = MIN(max, typed.have - typed.taken);

	memcpy(buf, typed.bytes + typed.taken, n);
	typed.taken += n;
	return n;
}

/* Edit one line; what was typed ahead of need stays in @typed for the next. */
static enum le_result
read_line(void)
{
	enum le_result result = LE_MORE;

	while (result == LE_MORE) {
		size_t used;

		if (typed.taken == typed.have) {
			const ssize_t n =
				console_read(typed.bytes, sizeof(typed.bytes), WAIT_FOREVER);

			typed.taken = 0;
			typed.have = n > 0 ? (size_t)n : 0;
		}
		mutex_lock(&prompt_lock);
		result = le_feed(&editor, typed.bytes + typed.taken, typed.have - typed.taken,
				 &used);
		at_prompt = result == LE_MORE;
		mutex_unlock(&prompt_lock);
		typed.taken += used;
	}
	return result;
}

static void
handle_line(enum le_result how)
{
	char line[LE_LINE_MAX];

	if (how == LE_EOF)
		printf("This shell does not end; poweroff turns the machine off.\n");
	if (how != LE_LINE)
		return;
	(void)strlcpy(line, le_line(&editor), sizeof(line)); /* as large as the editor's */
	mutex_lock(&prompt_lock);
	le_history_add(&editor, line);
	mutex_unlock(&prompt_lock);
	if (shell_execute(line) == -EINTR) /* else it has said what went wrong */
		typed.taken = typed.have;  /* typed before the Ctrl-C */
}

/* init= on the command line: that program has the console, until it ends. */
static void
run_init(void)
{
	char path[128];

	if (cmdline_get("init", path, sizeof(path)) <= 0)
		return;
	printf("init: starting %s\n", path);
	(void)program_init(path);
	printf("init: %s is not running, so this is the kernel's shell\n", path);
}

static void
shell_main(void *unused)
{
	unsigned cols, rows;

	main_wait_started(); /* the last row's log line shall not land in the prompt */
	console_size(&cols, &rows);
	le_init(&editor, editor_out, candidate, NULL, cols);
	console_set_interrupt_hook(on_ctrl_c);
	run_from_cmdline();
	run_init();
	printf("\nType help for the list of commands, help NAME for more about one.\n");
	show_prompt();
	boot_trace_add("prompt", 0);
	for (;;) {
		handle_line(read_line());
		show_prompt();
	}
}

int
shell_init(void)
{
	struct thread *t = thread_create("shell", shell_main, NULL);

	if (t == NULL)
		return -ENOMEM;
	thread_set_essential(t);
	thread_detach(t);
	return 0;
}
