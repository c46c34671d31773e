/*
 * clock.h - time: nanoseconds since boot, ticks, and the wall clock.
 *
 * Implementation: kernel/clock.c over the TSC (calibrated against the PIT) and the RTC.
 */
#pragma once
#include <kern/base.h>

#define CLOCK_HZ 100 /* timer interrupts per second */
#define NS_PER_SEC  1000000000ULL
#define NS_PER_MS   1000000ULL
#define NS_PER_TICK (NS_PER_SEC / CLOCK_HZ)

/* Calibrate the TSC (takes less than 1 ms) and start counting.  0, or -ENODEV when the CPU has no usable TSC. */
int clock_init(void);
/* Monotonic time since clock_init(); 0 before.  Context: any. */
uint64_t clock_ns(void);
static inline uint64_t
clock_us(void)
{
	return clock_ns() / 1000;
}
uint64_t clock_tsc_hz(void); /* 0 = no TSC */
/* Busy-wait, for hardware only. */
void clock_delay_us(unsigned us);

/* Timer interrupts since boot. */
uint64_t clock_ticks(void);
/* The tick itself; called by the PIT's interrupt handler. */
void clock_tick(void);

/* Seconds since 1970-01-01 UTC, from the RTC at boot plus clock_ns(); 0 when there is no RTC. */
uint64_t clock_wall(void);
void clock_set_wall(uint64_t unix_seconds);

struct datetime {
	unsigned year, month, day; /* 2026, 1-12, 1-31 */
	unsigned hour, minute, second;
	unsigned weekday; /* 0 = Sunday */
};
/* Both pure; proleptic Gregorian calendar. */
void datetime_from_unix(uint64_t unix_seconds, struct datetime *out);
uint64_t datetime_to_unix(const struct datetime *dt);
