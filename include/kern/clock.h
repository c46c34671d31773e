/*
 * clock.h - time: nanoseconds since boot, ticks, and the wall clock.
 *
 * Implementation: kernel/clock.c over the TSC (calibrated against the PIT by kernel/tsc.c), or over
 * the PIT alone where the TSC cannot be trusted, and the RTC.
 */
#pragma once
#include <kern/base.h>
#include <lib/datetime.h>

#define CLOCK_HZ    100 /* timer interrupts per second */
#define NS_PER_SEC  1000000000ULL
#define NS_PER_MS   1000000ULL
#define NS_PER_TICK (NS_PER_SEC / CLOCK_HZ)

/*
 * Calibrate the TSC (takes less than 1 ms) and start counting.  0, or -ENODEV when there is no
 * usable TSC: time then comes from the PIT's ticks and counter.
 */
int clock_init(void);
/* Monotonic time since clock_init(); 0 before.  Context: any. */
uint64_t clock_ns(void);
static inline uint64_t
clock_us(void)
{
	return clock_ns() / 1000;
}
/* clock_ns() in @us microseconds from now; saturates. */
uint64_t clock_deadline_us(uint64_t us);
uint64_t clock_tsc_hz(void); /* 0 = not known */
/* What counts the time: "TSC" or "PIT". */
const char *clock_source(void);
/* A time span in TSC cycles; 0 while the TSC's rate is unknown. */
uint64_t clock_cycles_to_ns(uint64_t cycles);
/* Busy-wait, for hardware only.  Works, roughly, before clock_init() too. */
void clock_delay_us(unsigned us);

/* Timer interrupts since boot. */
uint64_t clock_ticks(void);
/*
 * The longest time between two ticks since this was last asked, at least NS_PER_TICK, the one that
 * is due now included.  A busy host makes it long: nothing can be more punctual than the ticks.
 */
uint64_t clock_worst_tick_ns(void);
/* The tick itself; called by the PIT's interrupt handler. */
void clock_tick(void);

/* Seconds since 1970-01-01 UTC, from the RTC at boot (or clock_set_wall()) plus clock_ns(); 0 while unknown. */
uint64_t clock_wall(void);
bool clock_wall_known(void);
void clock_set_wall(uint64_t unix_seconds);

/* kernel/tsc.c: measure the TSC against PIT channel 2.  Its rate in Hz, or 0.  Context: boot, interrupts off. */
uint64_t tsc_calibrate(void);
