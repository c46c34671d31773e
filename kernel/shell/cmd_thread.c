/*
 * cmd_thread.c - commands about threads: ps, top, spawn, kill, sleep, stack.
 */
#include <dev/console.h>
#include <kern/clock.h>
#include <kern/thread.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <x86/cpu.h>
#include "cmds.h"

#define THREADS_SHOWN 128
#define DEMO_MAX      64 /* threads started by one spawn */

static const char *const state_names[] = {"ready", "running", "sleeping", "zombie"};

/* --- ps ------------------------------------------------------------------------------------------ */

int
cmd_ps(int argc, char **argv)
{
	static struct thread_info info[THREADS_SHOWN]; /* too large for a stack */
	const size_t n = thread_snapshot(info, ARRAY_SIZE(info));

	if (argc > 1)
		return -EINVAL;
	sh_printf("  ID  NAME            STATE      CPU ms    SWITCHES  STACK  SLEEPS IN\n");
	for (size_t i = 0; i < MIN(n, ARRAY_SIZE(info)); i++) {
		const struct thread_info *t = &info[i];

		sh_printf("%4u  %-14s  %-8s %8lu %11lu %5lu B  %s\n", t->id, t->name,
			  state_names[t->state & 3], ns_to_ms(t->cpu_ns), t->switches,
			  t->stack_used, t->wait_sym != NULL ? t->wait_sym : "");
	}
	if (n > ARRAY_SIZE(info))
		sh_printf("... and %zu more\n", n - ARRAY_SIZE(info));
	return 0;
}

/* --- top ----------------------------------------------------------------------------------------- */

struct top_row {
	struct thread_info info;
	uint64_t used_ns; /* since the last refresh */
};

struct top_state {
	struct thread_info before[THREADS_SHOWN], now[THREADS_SHOWN];
	struct top_row rows[THREADS_SHOWN];
	size_t nr_before, nr_now;
	uint64_t before_ns;
};

static uint64_t
used_before(const struct top_state *top, unsigned id)
{
	for (size_t i = 0; i < top->nr_before; i++)
		if (top->before[i].id == id)
			return top->before[i].cpu_ns;
	return 0;
}

/* Insert the threads one by one, the busiest first. */
static void
top_sort(struct top_state *top)
{
	for (size_t i = 0; i < top->nr_now; i++) {
		const struct thread_info *t = &top->now[i];
		const uint64_t used = t->cpu_ns - MIN(used_before(top, t->id), t->cpu_ns);
		size_t at = i;

		while (at > 0 && top->rows[at - 1].used_ns < used) {
			top->rows[at] = top->rows[at - 1];
			at--;
		}
		top->rows[at].info = *t;
		top->rows[at].used_ns = used;
	}
}

static void top_line(const char *fmt, ...) PRINTF(1, 2);

static void
top_line(const char *fmt, ...)
{
	char line[160];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 8, fmt, ap);
	va_end(ap);
	(void)strlcpy(line + MIN((size_t)n, sizeof(line) - 9), "\033[K\r\n", 8);
	sh_write(line);
}

static void
top_paint(struct top_state *top, unsigned rows)
{
	const uint64_t now_ns = clock_ns(), span = MAX(now_ns - top->before_ns, (uint64_t)1000);
	const uint64_t s = now_ns / NS_PER_SEC;
	const size_t all = thread_snapshot(top->now, THREADS_SHOWN);
	size_t shown;

	top->nr_now = MIN(all, (size_t)THREADS_SHOWN);
	top_sort(top);
	shown = MIN(top->nr_now, (size_t)rows - 4);
	sh_write("\033[H");
	top_line("top - up %02lu:%02lu:%02lu, %zu threads; q or Ctrl-C ends it", s / 3600,
		 s / 60 % 60, s % 60, all);
	top_line("%s", "");
	top_line("\033[7m  ID  NAME            STATE      CPU %%   CPU TOTAL     SWITCHES  %s",
		 sh_normal());
	for (size_t i = 0; i < shown; i++) {
		const struct thread_info *t = &top->rows[i].info;
		const uint64_t permille = MIN(top->rows[i].used_ns / (span / 1000), (uint64_t)1000);

		top_line("%4u  %-14s  %-8s   %3lu.%lu  %8lu ms  %11lu", t->id, t->name,
			 state_names[t->state & 3], permille / 10, permille % 10,
			 ns_to_ms(t->cpu_ns), t->switches);
	}
	sh_write("\033[J");
	memcpy(top->before, top->now, sizeof(top->before));
	top->nr_before = top->nr_now;
	top->before_ns = now_ns;
}

int
cmd_top(int argc, char **argv)
{
	static struct top_state top;
	unsigned cols, rows;
	int key;

	if (argc > 1)
		return -EINVAL;
	console_size(&cols, &rows);
	memset(&top, 0, sizeof(top));
	sh_write("\033[2J");
	do {
		top_paint(&top, MAX(rows, 10u));
		key = sh_read_byte(1000);
	} while (key != 'q' && key != 'Q' && (key >= 0 || key == -ETIMEDOUT));
	return 0;
}

/* --- demo threads -------------------------------------------------------------------------------- */

static void
demo_spin(void *unused)
{
	while (!thread_killed())
		cpu_relax();
}

static void
demo_sleep(void *unused)
{
	while (sleep_ms(1000) == 0)
		;
}

static void
demo_print(void *unused)
{
	for (unsigned i = 1; i <= 5 && !thread_killed(); i++) {
		shell_notice("[thread %u: line %u of 5]\n", thread_self()->id, i);
		if (sleep_ms(1000) != 0)
			break;
	}
}

static const char *const demo_names[] = {"spin", "sleep", "print"};
static void (*const demo_fns[])(void *) = {demo_spin, demo_sleep, demo_print};

const char *
complete_spawn(unsigned arg, unsigned i)
{
	return arg == 1 ? list_candidate(demo_names, ARRAY_SIZE(demo_names), i) : NULL;
}

static int
spawn(unsigned kind, uint64_t count)
{
	char name[THREAD_NAME_MAX];

	snprintf(name, sizeof(name), "demo-%s", demo_names[kind]);
	for (uint64_t i = 0; i < count; i++) {
		struct thread *t;

		t = thread_create(name, demo_fns[kind], NULL);
		if (t == NULL) {
			sh_printf("out of memory after %lu threads\n", i);
			return -ENOMEM;
		}
		sh_printf("thread %u: %s\n", t->id, name);
		thread_detach(t);
	}
	return 0;
}

int
cmd_spawn(int argc, char **argv)
{
	uint64_t count = 1;
	unsigned kind = 0;

	if (argc > 3)
		return -EINVAL;
	if (argc > 1) {
		while (kind < ARRAY_SIZE(demo_names) && strcmp(demo_names[kind], argv[1]) != 0)
			kind++;
		if (kind == ARRAY_SIZE(demo_names))
			return -EINVAL;
	}
	if (argc == 3 && !arg_number_max(argv[2], DEMO_MAX, &count))
		return -EINVAL;
	return spawn(kind, count);
}

static int
kill_one(const char *arg)
{
	uint64_t id;
	int result;

	if (!arg_number_max(arg, UINT32_MAX, &id))
		return -EINVAL;
	result = thread_kill((unsigned)id);
	if (result == -ENOENT)
		sh_printf("there is no thread %lu; ps lists them\n", id);
	else if (result == -EPERM)
		sh_printf("thread %lu stays: the system lives on it\n", id);
	return result;
}

int
cmd_kill(int argc, char **argv)
{
	int result = 0;

	if (argc < 2)
		return -EINVAL;
	for (int i = 1; i < argc; i++) {
		const int one = kill_one(argv[i]);

		if (result == 0 || one == -EINVAL)
			result = one;
	}
	return result;
}

/* "2", "0.25": seconds in at most three decimals, as milliseconds. */
static bool
parse_seconds(const char *s, uint64_t *ms)
{
	uint64_t whole = 0, thousandths = 0, scale = 100;

	if (*s == '\0' || (*s == '.' && s[1] == '\0'))
		return false;
	for (; *s >= '0' && *s <= '9'; s++)
		if ((whole = whole * 10 + (uint64_t)(*s - '0')) > 1000000000)
			return false;
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++, scale /= 10)
			thousandths += (uint64_t)(*s - '0') * scale;
	*ms = whole * 1000 + thousandths;
	return *s == '\0';
}

int
cmd_sleep(int argc, char **argv)
{
	uint64_t ms;

	if (argc != 2 || !parse_seconds(argv[1], &ms))
		return -EINVAL;
	return sh_sleep_ms(ms);
}

int
cmd_stack(int argc, char **argv)
{
	uint64_t id = thread_self()->id;

	if (argc > 2)
		return -EINVAL;
	if (argc == 2 && !arg_number_max(argv[1], UINT32_MAX, &id))
		return -EINVAL;
	if (thread_backtrace((unsigned)id) == 0)
		return 0;
	sh_printf("there is no thread %lu; ps lists them\n", id);
	return -ENOENT;
}
