/*
 * cmd_thread.c - commands about threads: ps, spawn, kill, sleep, stack.
 */
#include <kern/clock.h>
#include <kern/thread.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <x86/cpu.h>
#include "cmds.h"

#define DEMO_MAX       1000 /* threads started by one spawn */
#define SNAPSHOT_SPARE 16   /* for threads that come meanwhile */

/* --- ps ------------------------------------------------------------------------------------------ */

const char *
thread_state_text(enum thread_state state)
{
	static const char *const names[] = {"ready", "running", "sleeping", "zombie"};

	return names[state & 3];
}

const char *
nice_text(int nice)
{
	static char text[8];

	if (nice == NICE_BACKGROUND)
		return "bg";
	snprintf(text, sizeof(text), "%d", nice);
	return text;
}

size_t
snapshot_grow(struct thread_info **info, size_t *room)
{
	for (;;) {
		const size_t n = thread_snapshot(*info, *room);
		struct thread_info *more;

		if (n <= *room)
			return n;
		more = krealloc(*info, (n + SNAPSHOT_SPARE) * sizeof(*more));
		if (more == NULL)
			return *room; /* those that there is room for */
		*info = more;
		*room = n + SNAPSHOT_SPARE;
	}
}

int
cmd_ps(int argc, char **argv)
{
	struct thread_info *info = NULL;
	size_t room = 0, n;

	if (argc > 1)
		return -EINVAL;
	n = snapshot_grow(&info, &room);
	sh_printf("  ID  NAME            STATE    NICE   CPU ms  SWITCHES  STACK  SLEEPS IN\n");
	for (size_t i = 0; i < n; i++) {
		const struct thread_info *t = &info[i];

		sh_printf("%4u  %-14s  %-8s %4s %8lu %9lu %5lu B  %.16s\n", t->id, t->name,
			  thread_state_text(t->state), nice_text(t->nice), ns_to_ms(t->cpu_ns),
			  t->switches, t->stack_used, t->wait_sym != NULL ? t->wait_sym : "");
	}
	kfree(info);
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

static const char *const demo_names[] = {"spin",   "sleep", "print",	"hog",	 "deaf",
					 "holder", "storm", "deadlock", "waiter"};
static void (*const demo_fns[])(void *) = {
	demo_spin,	demo_sleep,    demo_print,	 trouble_hog,	 trouble_deaf,
	trouble_holder, trouble_storm, trouble_deadlock, trouble_waiter,
};

const char *
complete_spawn(unsigned arg, unsigned i)
{
	return arg == 1 ? list_candidate(demo_names, ARRAY_SIZE(demo_names), i) : NULL;
}

static int
spawn(unsigned kind, uint64_t count, int nice)
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
		(void)thread_set_nice(t->id, nice); /* valid, and it may have ended */
		thread_detach(t);
		if (sh_interrupted())
			return -EINTR;
	}
	return 0;
}

int
cmd_spawn(int argc, char **argv)
{
	int nice = thread_self()->run.nice;
	uint64_t count = 1;
	unsigned kind = 0;

	if (argc > 1 && strcmp(argv[1], "-n") == 0) {
		if (argc == 2 || !arg_nice(argv[2], &nice))
			return -EINVAL;
		argc -= 2;
		argv += 2;
	}
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
	return spawn(kind, count, nice);
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
