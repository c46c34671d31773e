/*
 * clock.h - time: nanoseconds since boot, ticks, and the wall clock.
 *
 * Implementation: kernel/clock.c over the best counter the machine has (kern/clock_source.h); wall
 * time: kernel/clock_wall.c.  Theory: docs/time.md.
 */
#pragma once
#include <kern/base.h>
#include <lib/datetime.h>

#define CLOCK_HZ    100 /* ticks per second while a thread runs */
#define NS_PER_SEC  1000000000ULL
#define NS_PER_MS   1000000ULL
#define NS_PER_US   1000ULL
#define NS_PER_TICK (NS_PER_SEC / CLOCK_HZ)

/*
 * Calibrate the TSC (takes less than 1 ms) and start counting.  0, or -ENODEV when there is no
 * usable TSC: time then comes from the PIT's counter until something better is found.
 */
int clock_init(void);
/* Monotonic time since clock_init(); 0 before.  Never goes back.  Context: any. */
uint64_t clock_ns(void);
static inline uint64_t
clock_us(void)
{
	return clock_ns() / 1000;
}
/* clock_ns() in @us microseconds from now; saturates. */
uint64_t clock_deadline_us(uint64_t us);
uint64_t clock_tsc_hz(void); /* 0 = not known */
/* What counts the time: "tsc", "hpet", "pm" or "pit"; "none" before clock_init(). */
const char *clock_source(void);
/* How long the clock may go unread, at most UINT64_MAX / 2: a narrow counter must be looked at before it has wrapped. */
extern volatile uint64_t clock_reach_ns; /* [a] */
/* A time span in TSC cycles; 0 while the TSC's rate is unknown. */
uint64_t clock_cycles_to_ns(uint64_t cycles);
/* Busy-wait, for hardware only.  Works, roughly, before clock_init() too. */
void clock_delay_us(unsigned us);

/* Time in units of a tick since boot, by the clock: it goes on while no tick comes (an idle machine has none). */
static inline uint64_t
clock_ticks(void)
{
	return clock_ns() / NS_PER_TICK;
}
/*
 * How long after a tick the next may come: NS_PER_TICK and the longest time that a timer interrupt was late since this
 * was last asked, the one that is due now included.  A busy host makes it long: nothing can be more
 * punctual than the interrupts.
 */
uint64_t clock_worst_tick_ns(void);
/* What is done CLOCK_HZ times a second while a thread runs.  Called by kernel/clock_event.c, interrupts off. */
void clock_tick(void);

/* Seconds since 1970-01-01 UTC, from the RTC at boot (or clock_set_wall()) plus clock_ns(); 0 while unknown. */
uint64_t clock_wall(void);
/* The same in nanoseconds; counts from the boot while unknown. */
uint64_t clock_wall_ns(void);
bool clock_wall_known(void);
void clock_set_wall(uint64_t unix_seconds);
void clock_set_wall_ns(uint64_t unix_ns);
