/*
 * rtc.h - MC146818 real-time clock: wall time that survives power-off.
 *
 * Implementation: drivers/rtc.c (the chip), drivers/rtc_decode.c (what its registers mean; pure).
 */
#pragma once
#include <kern/base.h>
#include <lib/datetime.h>

/* The registers as read. */
struct rtc_raw {
	uint8_t second, minute, hour, day, month, year;
	uint8_t century;  /* register 32h by custom; used if it is plausible */
	uint8_t status_b; /* RTC_B_* */
};
#define RTC_B_24H    0x02
#define RTC_B_BINARY 0x04

/* Registers to date and time: BCD or binary, 12 or 24 hours.  0, or -EINVAL when they make no date. */
int rtc_decode(const struct rtc_raw *raw, struct datetime *out);

/* Read the clock.  0, -ENODEV (no chip), -ETIMEDOUT (always updating), -EINVAL (no date in it).  Any context. */
int rtc_read(struct datetime *out);
/* Start the wall clock from it.  Result as rtc_read(). */
int rtc_init(void);
