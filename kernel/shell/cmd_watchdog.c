/*
 * cmd_watchdog.c - the command watchdog: what is allowed, and how often it was not kept to.
 */
#include <kern/clock.h>
#include <kern/watchdog.h>
#include "cmds.h"

int
cmd_watchdog(int argc, char **argv)
{
	const struct watchdog_state w = watchdog_state();

	if (argc > 1)
		return -EINVAL;
	if (w.limit_ns == UINT64_MAX) {
		sh_printf("off\n");
		return 0;
	}
	sh_printf(
		"a thread may keep the CPU, or interrupts be off, or a lock be waited for: %lu s\n"
		"a line may interrupt: %s times a second\n"
		"reports since boot: %u\n",
		(unsigned long)(w.limit_ns / NS_PER_SEC), num_text(w.irq_limit).s, w.reports);
	return 0;
}
