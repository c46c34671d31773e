/*
 * clock_event.c - which device makes the tick.
 */
#include <kern/clock_event.h>
#include <kern/clock.h>
#include <x86/cpu.h>

static const struct clock_event *current; /* [c] */

int
clock_event_register(const struct clock_event *ev)
{
	const uint64_t flags = irq_save();
	int result = 0;

	if (current == NULL || ev->rating > current->rating) {
		result = ev->start_periodic(CLOCK_HZ);
		if (result == 0) {
			if (current != NULL)
				current->stop();
			current = ev;
		}
	}
	irq_restore(flags);
	if (result == 0)
		log_info("clock: the tick comes from the %s", current->name);
	return result;
}

void
clock_event_fired(void)
{
	clock_tick();
}

const struct clock_event *
clock_event_current(void)
{
	return current;
}
