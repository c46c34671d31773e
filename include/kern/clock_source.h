/*
 * clock_source.h - counters that can tell time, and which of them does.
 *
 * Implementation: kernel/clock.c (the choice), kernel/clock_watch.c (checks), and a file for each counter:
 * kernel/tsc.c, drivers/hpet.c, pmtimer.c, pit.c.  Theory: docs/time.md.
 */
#pragma once
#include <kern/base.h>

#define CLOCK_SOURCES_MAX 8

/* The higher, the better.  The names are those of the command line's clock=. */
enum {
	CLOCK_RATING_PIT =
		100, /* three port accesses, 16 bits: needs looking after 18 times a second */
	CLOCK_RATING_PM = 200,	 /* one or two port accesses */
	CLOCK_RATING_HPET = 250, /* one uncached memory access */
	CLOCK_RATING_TSC = 300,	 /* one instruction; but it may stop or change its rate */
};

struct clock_source {
	const char *name;
	int rating;
	unsigned bits;		/* of the counter: it wraps after 2^bits counts */
	uint64_t hz;		/* counts a second */
	uint64_t (*read)(void); /* counts up, modulo 2^bits.  Context: any, interrupts off */
};

/*
 * From now on @src (which must live for ever) can be the clock; it is at once, if it is better than the
 * present one, or what the command line asks for.  Time goes on without a jump.
 * Returns 0, -EINVAL (nonsense) or -ENOSPC.  Context: boot, thread.
 */
int clock_source_register(const struct clock_source *src);
/* @src has proved wrong: another one, the best that is left, takes over.  Context: any. */
void clock_source_reject(const struct clock_source *src);
/* Number @i of those registered, in the order of registration, or NULL. */
const struct clock_source *clock_source_at(size_t i);
/* Was it rejected? */
bool clock_source_rejected(const struct clock_source *src);
/* The clock now; NULL before there is one. */
const struct clock_source *clock_source_current(void);
/* The best one apart from @src that was not rejected: what to check it by. */
const struct clock_source *clock_source_reference(const struct clock_source *src);
/* One reading, with interrupts off around it. */
uint64_t clock_source_read(const struct clock_source *src);

/* --- the time stamp counter (kernel/tsc.c, kernel/clock.c) --- */

extern const struct clock_source *clock_tsc; /* [I] NULL = none, or of unknown rate */
/* Measure the TSC against PIT channel 2.  Its rate in Hz, or 0.  Context: interrupts off. */
uint64_t tsc_calibrate(void);
/* A better value of its rate.  Time goes on without a jump.  Context: any. */
void clock_set_tsc_hz(uint64_t hz);

/* --- kernel/clock_watch.c --- */

/* Look, since clock_watch_next_ns has come.  Called by the timer interrupt. */
void clock_watch(uint64_t now_ns);
/* clock_ns() at which clock_watch() wants to be called next; UINT64_MAX = never. */
extern uint64_t clock_watch_next_ns; /* [c] */
/* So many timers in a row ran out before their time by the clock, by @early_ns in all: it stands now and then. */
void clock_watch_stands(unsigned timers, uint64_t early_ns);
/* Forget what was found and begin anew: for tests. */
void clock_watch_reset(void);
/* What the watch has found, for the `clock` command. */
struct clock_watch_info {
	const struct clock_source *reference; /* NULL = nothing is compared now */
	unsigned corrections;		      /* of the TSC's rate since boot */
	int64_t last_ppb;		      /* the last one, parts in 10^9 */
	uint64_t baseline_ns;		      /* over which it was measured */
};
void clock_watch_info(struct clock_watch_info *out);
