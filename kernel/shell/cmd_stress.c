/*
 * cmd_stress.c - the command stress: everything in the kernel at once, at random.
 */
#include <dev/console.h>
#include <kern/clock.h>
#include <kern/stress.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <x86/cpu.h>
#include "cmds.h"

#define DEFAULT_OPERATIONS 100000

const char *
complete_stress(unsigned arg, unsigned i)
{
	return arg == 3 ? stress_kind_name(i) : NULL;
}

/* The index of the kind called @name; complains and returns -1 when there is none. */
static int
find_kind(const char *name)
{
	const char *kind;

	for (size_t i = 0; (kind = stress_kind_name(i)) != NULL; i++) {
		if (strcmp(kind, name) == 0)
			return (int)i;
	}
	sh_printf("stress: there is no kind '%s'; there are:", name);
	for (size_t i = 0; (kind = stress_kind_name(i)) != NULL; i++)
		sh_printf(" %s", kind);
	sh_printf("\n");
	return -1;
}

/* By printf(): after Ctrl-C, sh_printf() is silent. */
static void
print_report(const struct stress_report *r, uint64_t seed)
{
	const char *kind;

	/* Colours off; the line that was begun is ended. */
	printf("\x1b[0m%s\r\n", sh_normal());
	for (size_t i = 0; (kind = stress_kind_name(i)) != NULL; i++) {
		const uint64_t tenths = r->done != 0 ? r->by_kind[i] * 1000 / r->done : 0;

		printf("  %-9s %12s  %2lu.%lu%%\n", kind, num_text(r->by_kind[i]).s, tenths / 10,
		       tenths % 10);
	}
	if (r->refused != 0)
		printf("refused for want of memory: %s\n", num_text(r->refused).s);
	if (r->failure[0] != '\0')
		printf("stress: FAILED: %s\n", r->failure);
	printf("stress: %s operations, seed %lu, %s%s, %lu ms\n", num_text(r->done).s, seed,
	       r->failure[0] == '\0' ? "no failure, nothing leaked" : "failed",
	       r->interrupted ? ", interrupted" : "", ns_to_ms(r->ns));
}

int
cmd_stress(int argc, char **argv)
{
	uint64_t n = DEFAULT_OPERATIONS, seed = rdtsc() % 1000000;
	struct stress_report report;
	int only = -1, result;

	if (argc > 4)
		return -EINVAL;
	if ((argc > 1 && !arg_number(argv[1], &n)) || (argc > 2 && !arg_number(argv[2], &seed)))
		return -EINVAL;
	if (argc > 3 && (only = find_kind(argv[3])) < 0)
		return -EINVAL;
	sh_printf("stress: %s operations from seed %lu (Ctrl-C ends it)\n", num_text(n).s, seed);
	result = stress_run(n, seed, only, &report);
	if (result == -ENOMEM)
		sh_printf("stress: no memory to begin with\n");
	print_report(&report, seed);
	return result;
}
