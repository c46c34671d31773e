/*
 * clock_event.c - sets the device that interrupts to the next thing that is to come.
 *
 * What can come: the first timer; the tick, while any thread but the idle one runs; a look at the clock.
 * The idle thread does nothing to stop the tick: the one that is under way still comes, finds nobody to
 * preempt, and is not asked for again.  So a thread that runs often and briefly costs no
 * setting of the device at all.
 *
 * Everything here is done with interrupts off on the CPU whose device it is.
 */
#include <kern/clock_event.h>
#include <kern/clock.h>
#include <kern/clock_source.h>
#include <kern/irq.h>
#include <kern/process.h>
#include <kern/sched.h>
#include <kern/timer.h>
#include <kern/watchdog.h>
#include <x86/cpu.h>
#include <x86/switch.h>

/*
 * Device and clock do not count quite alike, and an interrupt before its time would have to be
 * repeated: so much later is asked for, 1/8192 of the time (122 ppm).
 */
#define MARGIN_SHIFT  13
/* A tick that comes so much early counts. */
#define TICK_EARLY_NS (NS_PER_TICK / 16)

#define EARLY_IN_A_ROW 8
#define EARLY_NS       (100 * NS_PER_MS)

/* For more the device fires again at once, and other interrupts come in between. */
#define TIMERS_AT_ONCE 64

volatile uint64_t clock_event_next_ns; /* [c] */

static const struct clock_event *device; /* [c] */
static uint64_t armed_at, armed_delta;	 /* [c] ns */
static uint64_t tick_ns;		 /* [c] the next tick, while one is wanted */
static uint64_t fired, ticks, armed;	 /* [c] counts, for people */
static unsigned early;			 /* [c] times in a row that it fired much too early */
static uint64_t early_ns;		 /* [c] by how much in all */
static uint64_t worst_late, worst_ever;	 /* [c] ns; the first since it was last asked for */

/* Let the device fire at @next_ns.  Interrupts off. */
static void
set(uint64_t now_ns, uint64_t next_ns)
{
	uint64_t delta = next_ns > now_ns ? next_ns - now_ns : 0;

	delta = MAX(delta + (delta >> MARGIN_SHIFT), device->min_ns);
	delta = MIN(delta, device->max_ns);
	armed_at = now_ns;
	armed_delta = delta;
	clock_event_next_ns = now_ns + delta;
	armed++;
	device->arm_oneshot(delta);
}

/* Let it fire at the first thing to come. */
static inline void
set_next(uint64_t now, bool tick_wanted)
{
	uint64_t next = MIN(timer_next(), clock_watch_next_ns);

	if (tick_wanted)
		next = MIN(next, tick_ns);
	set(now, MIN(next, now + MIN(clock_reach_ns, CLOCK_EVENT_MAX_NS)));
}

void
clock_tick(void)
{
	sched_tick();
	process_tick();
}

static void
tick_if_due(uint64_t now)
{
	if (now + TICK_EARLY_NS < tick_ns)
		return;
	tick_ns += NS_PER_TICK;
	if (tick_ns <= now)
		tick_ns = now + NS_PER_TICK; /* some were missed */
	ticks++;
	clock_tick();
}

/*
 * The device has fired after @passed ns by the clock.  Much too early, once, is an interrupt that was under way when
 * the device was set anew.  Much too early time and again, not one on time between: the clock stands still while
 * the CPU halts.  (Too late proves nothing: a busy host, interrupts off.)
 */
static inline void
note_passed(uint64_t passed)
{
	if (likely(passed >= armed_delta - armed_delta / 16)) {
		early = 0;
		early_ns = 0;
		if (passed > armed_delta + worst_late)
			worst_late = passed - armed_delta;
		return;
	}
	early_ns += armed_delta - passed;
	if (++early >= EARLY_IN_A_ROW && early_ns >= EARLY_NS)
		clock_watch_stands(early, early_ns);
}

void
clock_event_fired(void)
{
	const bool idles = sched_current == sched_idle;
	uint64_t now = clock_ns();

	fired++;
	note_passed(now - armed_at);
	watchdog_tick(now);
	clock_event_next_ns = 0; /* what is armed from here on is looked at below */
	if (timer_run(now, device->arm_oneshot != NULL ? TIMERS_AT_ONCE : UINT32_MAX))
		now = clock_ns();
	if (!idles)
		tick_if_due(now);
	else if (sched_need_switch)
		tick_ns = now + NS_PER_TICK; /* idle no more */
	if (unlikely(now >= clock_watch_next_ns)) {
		clock_watch(now);
		now = clock_ns();
	}
	if (likely(device->arm_oneshot != NULL))
		set_next(now, !idles || sched_need_switch);
	else
		armed_at = now;
}

void
clock_event_need(uint64_t deadline_ns)
{
	const uint64_t flags = irq_save();

	if (deadline_ns < clock_event_next_ns)
		set(clock_ns(), deadline_ns);
	irq_restore(flags);
}

void
clock_idle_exit(void)
{
	const uint64_t now = clock_ns();

	tick_ns = now + NS_PER_TICK;
	if (tick_ns < clock_event_next_ns)
		set(now, tick_ns);
}

int
clock_event_register(const struct clock_event *ev)
{
	const struct clock_event *before = device;
	const uint64_t flags = irq_save();
	int result = 0;

	if (ev->arm_oneshot == NULL && ev->start_periodic == NULL) {
		result = -EINVAL;
	} else if (before == NULL || ev->rating > before->rating) {
		if (before != NULL)
			before->stop();
		tick_ns = clock_ns() + NS_PER_TICK;
		device = ev;
		clock_event_next_ns = 0;
		armed_at = clock_ns();
		armed_delta = NS_PER_TICK;
		if (ev->arm_oneshot != NULL)
			set_next(armed_at, true);
		else
			result = ev->start_periodic(CLOCK_HZ);
	}
	irq_restore(flags);
	if (device == ev)
		log_info("clock: interrupts by %s", ev->name);
	return result;
}

/* --- for people and tests ------------------------------------------------------------------- */

uint64_t
clock_worst_tick_ns(void)
{
	const uint64_t flags = irq_save();
	const uint64_t now = clock_ns(), due = armed_at + armed_delta;
	const uint64_t worst = MAX(worst_late, now > due ? now - due : 0);

	worst_ever = MAX(worst_ever, worst);
	worst_late = 0;
	irq_restore(flags);
	return NS_PER_TICK + worst;
}

uint64_t
clock_event_count(void)
{
	return fired;
}

void
clock_event_info(struct clock_event_info *out)
{
	const uint64_t flags = irq_save();

	*out = (struct clock_event_info){
		.device = device,
		.fired = fired,
		.ticks = ticks,
		.armed = armed,
		.worst_late_ns = MAX(worst_ever, worst_late),
	};
	irq_restore(flags);
}
