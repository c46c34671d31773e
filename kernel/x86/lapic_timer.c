/*
 * lapic_timer.c - the local APIC's timer: a 32-bit counter that counts down to an interrupt.
 *
 * Its clock differs from machine to machine and no register tells its rate, so it is measured
 * against the TSC.  It is set going as soon as the local APIC is mapped, and looked at again when the
 * APICs take over: in between the TSC itself was measured, which takes long enough, so that nobody has to
 * wait.  Compared with the 8254 it needs no port access, and it is each CPU's own.
 * Spec: Intel SDM vol. 3A, "APIC Timer".
 */
#include <kern/clock.h>
#include <kern/clock_event.h>
#include <kern/irq.h>
#include <x86/cpu.h>
#include <x86/lapic.h>

#define WINDOW_NS      (200 * 1000ULL) /* at least */
#define SAMPLE_TRIES   8
#define RATING	       300
#define MIN_NS	       2000 /* programming it takes that long on slow machines */
#define COUNT_MAX      UINT32_MAX
#define PLAUSIBLE_MIN  1000000ULL /* Hz */
#define PLAUSIBLE_MAX  20000000000ULL
#define TRIAL_NS       (10 * 1000ULL)
#define TRIAL_PATIENCE (20 * NS_PER_MS)

struct sample {
	uint64_t tsc;
	uint32_t count;
};

static uint64_t timer_hz;	 /* [I] 0 = not known */
static uint64_t counts_mult;	 /* [I] counts per ns, 32.32 */
static struct sample first;	 /* [I] where the measurement began */
static volatile bool trial_came; /* [a] */

uint64_t
lapic_timer_hz(void)
{
	return timer_hz;
}

/* The counter and when it was read: of some tries the one that took the shortest. */
static struct sample
take_sample(void)
{
	struct sample best = {0, 0};
	uint64_t shortest = UINT64_MAX;

	for (unsigned i = 0; i < SAMPLE_TRIES; i++) {
		const uint64_t before = rdtsc();
		const uint32_t count = lapic_regs[LAPIC_TIMER_CURRENT];
		const uint64_t took = rdtsc() - before;

		if (took < shortest) {
			shortest = took;
			best = (struct sample){.tsc = before + took / 2, .count = count};
		}
	}
	return best;
}

void
lapic_timer_measure(void)
{
	if (lapic_regs == NULL || !cpu_features.tsc)
		return;
	lapic_regs[LAPIC_TIMER_DIVIDE] = TIMER_DIVIDE_BY_1;
	lapic_regs[LAPIC_LVT_TIMER] = LVT_MASKED;
	lapic_regs[LAPIC_TIMER_INITIAL] = COUNT_MAX; /* starts it */
	first = take_sample();
}

/* --- the clock_event -------------------------------------------------------------------------- */

static void
set_mode(uint32_t mode)
{
	const uint32_t old = lapic_regs[LAPIC_LVT_TIMER];

	if ((old & LVT_PERIODIC) != mode)
		lapic_regs[LAPIC_LVT_TIMER] = (old & ~LVT_PERIODIC) | mode;
}

static int
start_periodic(unsigned hz)
{
	if (hz == 0 || timer_hz / hz == 0 || timer_hz / hz > COUNT_MAX)
		return -ERANGE;
	set_mode(LVT_PERIODIC);
	lapic_regs[LAPIC_TIMER_INITIAL] = (uint32_t)((timer_hz + hz / 2) / hz);
	return 0;
}

static void
arm_oneshot(uint64_t delta_ns)
{
	const unsigned __int128 counts = ((unsigned __int128)delta_ns * counts_mult) >> 32;

	set_mode(0);
	/* 0 would stop it. */
	lapic_regs[LAPIC_TIMER_INITIAL] = (uint32_t)MIN(MAX(counts, 1U), COUNT_MAX);
}

static void
stop(void)
{
	lapic_regs[LAPIC_TIMER_INITIAL] = 0;
}

static struct clock_event event = {
	.name = "local APIC",
	.rating = RATING,
	.min_ns = MIN_NS,
	.start_periodic = start_periodic,
	.arm_oneshot = arm_oneshot,
	.stop = stop,
};

static void
fired(void *arg)
{
	(void)arg;
	clock_event_fired();
}

/* --- start ------------------------------------------------------------------------------------ */

static int
finish_measuring(void)
{
	struct sample last;
	uint64_t ns;

	if (clock_tsc_hz() == 0 || first.tsc == 0)
		return -ENODEV;
	while (clock_cycles_to_ns(rdtsc() - first.tsc) < WINDOW_NS)
		cpu_relax();
	last = take_sample();
	ns = clock_cycles_to_ns(last.tsc - first.tsc);
	timer_hz = (first.count - last.count) * NS_PER_SEC / ns;
	/* At 0 it has stopped, who knows when. */
	if (last.count == 0 || timer_hz < PLAUSIBLE_MIN || timer_hz > PLAUSIBLE_MAX) {
		timer_hz = 0;
		return -ERANGE;
	}
	counts_mult = (timer_hz << 32) / NS_PER_SEC;
	event.max_ns = COUNT_MAX * NS_PER_SEC / timer_hz;
	return 0;
}

static void
trial(void *arg)
{
	(void)arg;
	trial_came = true;
}

/* Does its interrupt arrive at all? */
static int
try_interrupt(void)
{
	const uint64_t start = clock_ns();
	int result = irq_register(IRQ_LAPIC_TIMER, "timer's trial", trial, NULL);

	if (result != 0)
		return result;
	arm_oneshot(TRIAL_NS);
	while (!trial_came && clock_ns() - start < TRIAL_PATIENCE)
		cpu_relax();
	stop();
	irq_unregister(IRQ_LAPIC_TIMER);
	return trial_came ? 0 : -EIO;
}

int
lapic_timer_init(void)
{
	int result = finish_measuring();

	if (result == 0)
		result = try_interrupt();
	if (result == 0)
		result = irq_register(IRQ_LAPIC_TIMER, "timer", fired, NULL);
	if (result == 0)
		result = clock_event_register(&event);
	return result;
}
