/*
 * datetime.c - calendar arithmetic.
 *
 * Years are counted from 1 March, so that the leap day is the last of its year and all months
 * before it have fixed places: month m (0 = March) starts (153 m + 2) / 5 days into the year.
 * 400 years have 146097 days.
 */
#include <lib/datetime.h>

#define DAY_SECONDS    86400ULL
#define DAYS_400_YEARS 146097ULL
#define DAYS_TO_1970   719468ULL /* from 0000-03-01 to 1970-01-01 */

static bool
is_leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned
month_days(unsigned year, unsigned month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
}

bool
datetime_valid(const struct datetime *dt)
{
	return dt->year >= 1970 && dt->month >= 1 && dt->month <= 12 && dt->day >= 1 &&
	       dt->day <= month_days(dt->year, dt->month) && dt->hour < 24 && dt->minute < 60 &&
	       dt->second < 60;
}

void
datetime_from_unix(uint64_t unix_seconds, struct datetime *out)
{
	const uint64_t days = unix_seconds / DAY_SECONDS + DAYS_TO_1970;
	const unsigned second = (unsigned)(unix_seconds % DAY_SECONDS);
	const uint64_t era = days / DAYS_400_YEARS;
	const unsigned in_era = (unsigned)(days % DAYS_400_YEARS);
	/* Take out the leap days passed, and what is left are years of 365 days. */
	const unsigned year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	const unsigned in_year = in_era - (365 * year + year / 4 - year / 100);
	const unsigned month = (5 * in_year + 2) / 153; /* 0 = March */

	out->day = in_year - (153 * month + 2) / 5 + 1;
	out->month = month < 10 ? month + 3 : month - 9;
	out->year = (unsigned)(era * 400) + year + (month >= 10 ? 1u : 0u);
	out->hour = second / 3600;
	out->minute = second / 60 % 60;
	out->second = second % 60;
	out->weekday = (unsigned)((days + 3) % 7); /* 0000-03-01 was a Wednesday */
}

uint64_t
datetime_to_unix(const struct datetime *dt)
{
	const unsigned month = dt->month > 2 ? dt->month - 3 : dt->month + 9;
	const uint64_t year = dt->year - (dt->month <= 2 ? 1u : 0u);
	const unsigned in_era = (unsigned)(year % 400);
	const uint64_t days = year / 400 * DAYS_400_YEARS + in_era * 365 + in_era / 4 -
			      in_era / 100 + (153 * month + 2) / 5 + dt->day - 1;

	return (days - DAYS_TO_1970) * DAY_SECONDS + dt->hour * 3600 + dt->minute * 60 + dt->second;
}
