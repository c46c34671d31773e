/*
 * irqsoff.c - the longest stretches with interrupts off, and with preemption off.
 *
 * A stretch belongs to the CPU, not to a thread: it may begin in one thread and end in the one that
 * is switched to.  With more CPUs the two `struct off` are fields of each one's struct cpu.
 */
#include <kern/irqsoff.h>
#include <x86/cpu.h>

/* Legend: [c] this CPU, with interrupts off. */
struct off {
	bool running;		    /* [c] */
	uint64_t since, from;	    /* [c] TSC and code where the stretch began */
	struct off_stretch longest; /* [c] */
};

static struct off irqs = {.running = true}; /* off since power-on: the boot itself does not count */
static struct off preempt;

static void
begin(struct off *off, uint64_t where)
{
	if (off->running)
		return;
	off->running = true;
	off->from = where;
	off->since = rdtsc();
}

static void
end(struct off *off, uint64_t where)
{
	const uint64_t cycles = rdtsc() - off->since;

	if (!off->running)
		return;
	off->running = false;
	if (off->from != 0 && cycles > off->longest.cycles)
		off->longest =
			(struct off_stretch){.cycles = cycles, .from = off->from, .to = where};
}

void
irqsoff_begin(void)
{
	begin(&irqs, (uint64_t)__builtin_return_address(0));
}

void
irqsoff_end(void)
{
	end(&irqs, (uint64_t)__builtin_return_address(0));
}

void
preemptoff_begin(void)
{
	begin(&preempt, (uint64_t)__builtin_return_address(0));
}

void
preemptoff_end(void)
{
	end(&preempt, (uint64_t)__builtin_return_address(0));
}

bool
irqsoff_read(struct off_stretch *irqs_out, struct off_stretch *preempt_out)
{
	*irqs_out = irqs.longest;
	*preempt_out = preempt.longest;
	return IRQSOFF_TRACE;
}

void
irqsoff_reset(void)
{
	irqs.longest = preempt.longest = (struct off_stretch){.cycles = 0};
}
