/*
 * cmd_clock.c - the command clock: what tells the time, what interrupts, and whether they agree.
 */
#include <kern/clock.h>
#include <kern/clock_event.h>
#include <kern/clock_source.h>
#include <kern/thread.h>
#include <lib/string.h>
#include <lib/timescale.h>
#include "cmds.h"

#define CHECK_SECONDS	  2
#define CHECK_SECONDS_MAX 3600
#define LOOK_MS		  20 /* less than half of the time in which the PIT's counter wraps */

/* Parts per 10^9 as ppm with three decimals. */
static void
print_ppm(int64_t ppb)
{
	const uint64_t size = (uint64_t)(ppb < 0 ? -ppb : ppb);

	sh_printf("%s%lu.%03lu ppm", ppb < 0 ? "-" : "+", size / 1000, size % 1000);
}

static void
print_sources(void)
{
	const struct clock_source *src;

	sh_printf("COUNTER  RATING  BITS             HZ        WRAPS AFTER\n");
	for (size_t i = 0; (src = clock_source_at(i)) != NULL; i++) {
		const struct timescale s = {.mask = timescale_mask(src->bits),
					    .rate = timescale_rate(src->hz)};
		const uint64_t wrap_ms = ns_to_ms(timescale_reach(&s) * 2);

		sh_printf("%-7s  %6d  %4u  %13s  ", src->name, src->rating, src->bits,
			  num_text(src->hz).s);
		if (src->bits == 64)
			sh_printf("%17s", "never");
		else
			sh_printf("%15lu ms", wrap_ms);
		sh_printf("%s\n", src == clock_source_current() ? "  the clock"
				  : clock_source_rejected(src)	? "  rejected"
								: "");
	}
}

static void
print_watch(void)
{
	struct clock_watch_info w;

	clock_watch_info(&w);
	if (w.corrections != 0) {
		sh_printf("The TSC was corrected %u time%s, last by ", w.corrections,
			  w.corrections == 1 ? "" : "s");
		print_ppm(w.last_ppb);
		sh_printf(" (over %lu ms).\n", ns_to_ms(w.baseline_ns));
	}
	if (w.reference != NULL)
		sh_printf("The TSC is being compared with: %s.\n", w.reference->name);
}

static void
print_event(void)
{
	const uint64_t seconds = MAX(ns_to_ms(clock_ns()) / 1000, (uint64_t)1);
	struct clock_event_info e;

	clock_event_info(&e);
	if (e.device == NULL)
		return;
	sh_printf("Interrupts by %s, set %lu times, %lu us to %lu ms ahead.\n", e.device->name,
		  e.armed, e.device->min_ns / 1000, ns_to_ms(e.device->max_ns));
	sh_printf("%lu interrupts, %lu a second, late by at most %lu us; %lu were ticks.\n",
		  e.fired, e.fired / seconds, e.worst_late_ns / 1000, e.ticks);
}

/* --- clock check ---------------------------------------------------------------------------- */

/* All counters side by side, each from its own zero. */
struct race {
	size_t n;
	const struct clock_source *src[CLOCK_SOURCES_MAX];
	struct timescale time[CLOCK_SOURCES_MAX];
	uint64_t clock_start, clock_now;
};

static void
race_start(struct race *r)
{
	for (r->n = 0; (r->src[r->n] = clock_source_at(r->n)) != NULL; r->n++) {
		const struct clock_source *src = r->src[r->n];

		r->time[r->n] = (struct timescale){.mask = timescale_mask(src->bits),
						   .rate = timescale_rate(src->hz)};
	}
	preempt_disable(); /* as much at one moment as can be */
	for (size_t i = 0; i < r->n; i++)
		timescale_start(&r->time[i], clock_source_read(r->src[i]), 0);
	r->clock_start = r->clock_now = clock_ns();
	preempt_enable();
}

static void
race_look(struct race *r)
{
	preempt_disable();
	for (size_t i = 0; i < r->n; i++) {
		(void)timescale_advance(&r->time[i], clock_source_read(r->src[i]));
		r->time[i].rate = timescale_rate(r->src[i]->hz); /* the TSC's may be corrected */
	}
	r->clock_now = clock_ns();
	preempt_enable();
}

static void
race_print(const struct race *r)
{
	const uint64_t passed = r->clock_now - r->clock_start;

	sh_printf("COUNTER           MICROSECONDS  AGAINST THE CLOCK\n");
	sh_printf("%-7s  %21s  (by %s)\n", "clock", num_text(passed / 1000).s, clock_source());
	for (size_t i = 0; i < r->n; i++) {
		const uint64_t ns = r->time[i].base_ns;
		const int64_t diff = (int64_t)(ns - passed);

		sh_printf("%-7s  %21s  ", r->src[i]->name, num_text(ns / 1000).s);
		print_ppm(diff * 1000000 / (int64_t)(passed / 1000));
		sh_printf("\n");
	}
}

static int
check(uint64_t seconds)
{
	struct race r;

	race_start(&r);
	for (uint64_t i = 0; i < seconds * 1000 / LOOK_MS; i++) {
		if (sleep_ms(LOOK_MS) != 0 || sh_interrupted())
			return -EINTR;
		race_look(&r);
	}
	race_print(&r);
	return 0;
}

int
cmd_clock(int argc, char **argv)
{
	uint64_t seconds = CHECK_SECONDS;

	if (argc == 1) {
		print_sources();
		print_watch();
		print_event();
		return 0;
	}
	if (argc > 3 || strcmp(argv[1], "check") != 0)
		return -EINVAL;
	if (argc == 3 && !arg_number_max(argv[2], CHECK_SECONDS_MAX, &seconds))
		return -EINVAL;
	return check(MAX(seconds, (uint64_t)1));
}
