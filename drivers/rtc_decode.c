/*
 * rtc_decode.c - what the registers of the real-time clock mean.  Pure.
 *
 * Spec: Motorola MC146818A, "Time, Calendar, and Alarm Locations" and "Register B".
 */
#include <dev/rtc.h>

#define HOUR_PM 0x80

/* Two-digit years without a century: 1970-2069. */
#define PIVOT_YEAR 70

/* A BCD or binary register as a number; 255 when it is not BCD but should be. */
static unsigned
number(uint8_t v, bool binary)
{
	if (binary)
		return v;
	if ((v & 0x0f) > 9 || v >> 4 > 9)
		return 255;
	return (v >> 4) * 10u + (v & 0x0f);
}

static unsigned
hour(const struct rtc_raw *raw, bool binary)
{
	unsigned h;

	if (raw->status_b & RTC_B_24H)
		return number(raw->hour, binary);
	h = number(raw->hour & (uint8_t)~HOUR_PM, binary);
	if (h < 1 || h > 12)
		return 255;
	return h % 12 + (raw->hour & HOUR_PM ? 12 : 0); /* 12 AM is 0, 12 PM is 12 */
}

int
rtc_decode(const struct rtc_raw *raw, struct datetime *out)
{
	const bool binary = (raw->status_b & RTC_B_BINARY) != 0;
	const unsigned year = number(raw->year, binary), century = number(raw->century, binary);

	if (year > 99)
		return -EINVAL;
	out->second = number(raw->second, binary);
	out->minute = number(raw->minute, binary);
	out->hour = hour(raw, binary);
	out->day = number(raw->day, binary);
	out->month = number(raw->month, binary);
	if (century >= 19 && century <= 29)
		out->year = century * 100 + year;
	else
		out->year = year + (year >= PIVOT_YEAR ? 1900 : 2000);
	return datetime_valid(out) ? 0 : -EINVAL;
}
