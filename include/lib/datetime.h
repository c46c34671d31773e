/*
 * datetime.h - calendar: seconds since 1970 to year, month, day ... and back.  Pure; any context.
 *
 * Proleptic Gregorian calendar, UTC, no leap seconds (as POSIX has it).
 */
#pragma once
#include <lib/base.h>

struct datetime {
	unsigned year, month, day; /* 2026, 1-12, 1-31 */
	unsigned hour, minute, second;
	unsigned weekday; /* 0 = Sunday */
};

void datetime_from_unix(uint64_t unix_seconds, struct datetime *out);
/* @dt->weekday is not looked at; the others must be valid, the year 1970 or later. */
uint64_t datetime_to_unix(const struct datetime *dt);
/* Does this moment exist?  From 1970 on. */
bool datetime_valid(const struct datetime *dt);
