/*
 * cmd_irqsoff.c - `irqsoff`: for how long interrupts and preemption were off at most.
 */
#include <kern/irqsoff.h>
#include <kern/ksym.h>
#include <lib/string.h>
#include "cmds.h"

static void
place(const char *word, uint64_t where)
{
	uint64_t offset = 0;
	const char *name = ksym_lookup(where, &offset);

	sh_printf("  %-4s %s+%#lx\n", word, name != NULL ? name : "?", offset);
}

static void
show(const char *what, const struct off_stretch *s)
{
	sh_printf("%-14s %8lu cycles at most\n", what, s->cycles);
	if (s->cycles == 0)
		return;
	place("from", s->from);
	place("to", s->to);
}

int
cmd_irqsoff(int argc, char **argv)
{
	struct off_stretch irqs, preempt;

	if (argc > 2 || (argc == 2 && strcmp(argv[1], "reset") != 0))
		return -EINVAL;
	if (!irqsoff_read(&irqs, &preempt)) {
		sh_printf("this kernel does not measure it: make IRQSOFF=1 BUILD=build/irqsoff\n");
		return -ENOSYS;
	}
	show("interrupts off", &irqs);
	show("preemption off", &preempt);
	if (argc == 2)
		irqsoff_reset();
	return 0;
}
