/*
 * cmd_fail.c - the command fail: let allocations fail on purpose.
 *
 * The plan holds for the shell's own thread, so what fails are the commands that are typed next; all
 * other threads go on undisturbed.
 */
#include <kern/fail_sweep.h>
#include <kern/parse.h>
#include <kern/thread.h>
#include <lib/string.h>
#include <mm/fail.h>
#include "cmds.h"

#define CHAIN_SHOWN 8

static const char *const words[] = {
	"off",	"nth",	 "every", "site",  "sweep", "kmalloc",
	"slab", "frame", "pages", "stack", "table",
};

const char *
complete_fail(unsigned arg, unsigned i)
{
	return arg >= 1 ? list_candidate(words, ARRAY_SIZE(words), i) : NULL;
}

static void
print_kinds(unsigned kinds)
{
	for (unsigned k = 0; k < FAIL_KINDS; k++) {
		if (kinds & BIT(k))
			sh_printf(" %s", fail_kind_names[k]);
	}
	sh_printf("\n");
}

static void
print_plan(const struct fail_plan *p)
{
	if (p->nth != 0)
		sh_printf("  fails      number %lu\n", p->nth);
	if (p->every != 0)
		sh_printf("  fails      each one whose number is divisible by %lu\n", p->every);
	if (p->site_end != 0)
		sh_printf("  below      %s\n", sym_text(p->site_start).s);
	sh_printf("  of        ");
	print_kinds(p->kinds);
}

static int
print_state(void)
{
	struct fail_state s;

	fail_get_state(&s);
	sh_printf("%s\n", s.armed ? "armed for the commands that are typed here" : "off");
	if (s.plan.thread == NULL)
		return 0;
	print_plan(&s.plan);
	sh_printf("  so far     %lu allocations counted, %lu made to fail\n", s.counted, s.failed);
	if (s.failed > 0)
		sh_printf("  the last one was asked for by\n");
	for (unsigned i = 0; s.failed > 0 && i < MIN(s.chain_len, CHAIN_SHOWN); i++)
		sh_printf("    %s\n", sym_text(s.chain[i] - 1).s);
	return 0;
}

/* A kind of allocator to BIT(kind); 0 when @name is none. */
static unsigned
kind_bit(const char *name)
{
	for (unsigned k = 0; k < FAIL_KINDS; k++) {
		if (strcmp(name, fail_kind_names[k]) == 0)
			return (unsigned)BIT(k);
	}
	return 0;
}

/* One word of a plan, with its value behind it if it has one.  Words used, or -EINVAL. */
static int
parse_word(int argc, char **argv, struct fail_plan *p)
{
	const unsigned kind = kind_bit(argv[0]);

	if (kind != 0) {
		p->kinds |= kind;
		return 1;
	}
	if (argc < 2)
		return -EINVAL;
	if (strcmp(argv[0], "nth") == 0)
		return arg_number(argv[1], &p->nth) && p->nth > 0 ? 2 : -EINVAL;
	if (strcmp(argv[0], "every") == 0)
		return arg_number(argv[1], &p->every) && p->every > 0 ? 2 : -EINVAL;
	if (strcmp(argv[0], "site") != 0)
		return -EINVAL;
	if (fail_find_site(argv[1], &p->site_start, &p->site_end) == 0)
		return 2;
	sh_printf("fail: there is no function '%s'\n", argv[1]);
	return -EINVAL;
}

static int
arm(int argc, char **argv)
{
	struct fail_plan p = {.thread = thread_self()};

	for (int i = 0; i < argc;) {
		const int used = parse_word(argc - i, argv + i, &p);

		if (used < 0)
			return used;
		i += used;
	}
	if (p.nth == 0 && p.every == 0)
		p.every = 1;
	fail_arm(&p);
	return 0;
}

struct words {
	int argc;
	char **argv;
};

static int
run_muted(void *arg)
{
	const struct words *w = arg;
	char *argv[PARSE_ARGS_MAX + 1] = {NULL};

	memcpy(argv, w->argv,
	       (size_t)w->argc * sizeof(argv[0])); /* commands move their words about */
	return sh_run_muted(w->argc, argv);
}

static int
sweep(int argc, char **argv)
{
	struct words w = {argc, argv};
	struct fail_sweep s;

	if (argc < 1)
		return -EINVAL;
	if (shell_find(argv[0]) == NULL) {
		sh_printf("fail: there is no command '%s'\n", argv[0]);
		return -ENOENT;
	}
	fail_sweep(run_muted, &w, 0, &s);
	sh_printf(
		"%lu allocations were made to fail, one in each run; in %lu runs there was another "
		"way\n",
		s.points, s.survived);
	if (s.endless)
		sh_printf("given up: it always needs one more\n");
	sh_printf("without a failure it returns %d; more in use than before: %ld objects, %ld "
		  "frames\n",
		  s.result, s.objects_lost, s.frames_lost);
	return 0;
}

int
cmd_fail(int argc, char **argv)
{
	if (argc == 1)
		return print_state();
	if (strcmp(argv[1], "sweep") == 0)
		return sweep(argc - 2, argv + 2);
	if (strcmp(argv[1], "off") != 0)
		return arm(argc - 1, argv + 1);
	if (argc > 2)
		return -EINVAL;
	(void)fail_disarm();
	return 0;
}
