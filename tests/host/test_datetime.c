/*
 * test_datetime.c - the calendar against libc's, and the registers of the real-time clock.
 *
 * SOURCES: kernel/lib/datetime.c kernel/lib/string.c drivers/rtc_decode.c
 */
#include "host.h"
#include <time.h>
#include <dev/rtc.h>
#include <lib/datetime.h>
#include <lib/errno.h>
#include <lib/string.h>

static void
check_against_libc(uint64_t t)
{
	const time_t tt = (time_t)t;
	struct datetime dt;
	struct tm tm;

	assert_non_null(gmtime_r(&tt, &tm));
	datetime_from_unix(t, &dt);
	assert_int_equal(dt.year, tm.tm_year + 1900);
	assert_int_equal(dt.month, tm.tm_mon + 1);
	assert_int_equal(dt.day, tm.tm_mday);
	assert_int_equal(dt.hour, tm.tm_hour);
	assert_int_equal(dt.minute, tm.tm_min);
	assert_int_equal(dt.second, tm.tm_sec);
	assert_int_equal(dt.weekday, tm.tm_wday);
	assert_true(datetime_valid(&dt));
	assert_true(datetime_to_unix(&dt) == t);
}

/* Each day of 530 years, at its first and last second. */
static void
test_days(void **state)
{
	(void)state;
	for (uint64_t day = 0; day < 530 * 366; day++) {
		check_against_libc(day * 86400);
		check_against_libc(day * 86400 + 86399);
	}
}

static void
test_moments(void **state)
{
	uint64_t t = 1;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		t = t * 6364136223846793005ULL + 1442695040888963407ULL;
		check_against_libc(t >> 28); /* 2^36 s: until the year 4147 */
	}
}

static void
test_invalid(void **state)
{
	static const struct datetime bad[] = {
		{.year = 1969, .month = 12, .day = 31},
		{.year = 2026, .month = 0, .day = 1},
		{.year = 2026, .month = 13, .day = 1},
		{.year = 2026, .month = 1, .day = 0},
		{.year = 2026, .month = 2, .day = 29},
		{.year = 2100, .month = 2, .day = 29},
		{.year = 2026, .month = 4, .day = 31},
		{.year = 2026, .month = 1, .day = 1, .hour = 24},
		{.year = 2026, .month = 1, .day = 1, .minute = 60},
		{.year = 2026, .month = 1, .day = 1, .second = 60},
	};
	static const struct datetime leap = {.year = 2000, .month = 2, .day = 29};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(datetime_valid(&bad[i]));
	assert_true(datetime_valid(&leap));
}

static void
check_rtc(struct rtc_raw raw, unsigned year, unsigned hour)
{
	struct datetime dt;

	assert_int_equal(rtc_decode(&raw, &dt), 0);
	assert_int_equal(dt.year, year);
	assert_int_equal(dt.month, 11);
	assert_int_equal(dt.day, 21);
	assert_int_equal(dt.hour, hour);
	assert_int_equal(dt.minute, 45);
	assert_int_equal(dt.second, 59);
}

static void
test_rtc_formats(void **state)
{
	const struct rtc_raw bcd = {.second = 0x59,
				    .minute = 0x45,
				    .hour = 0x19,
				    .day = 0x21,
				    .month = 0x11,
				    .year = 0x26,
				    .century = 0x20,
				    .status_b = RTC_B_24H};
	const struct rtc_raw bin = {.second = 59,
				    .minute = 45,
				    .hour = 19,
				    .day = 21,
				    .month = 11,
				    .year = 26,
				    .century = 20,
				    .status_b = RTC_B_24H | RTC_B_BINARY};

	(void)state;
	check_rtc(bcd, 2026, 19);
	check_rtc(bin, 2026, 19);
}

static void
test_rtc_12_hours(void **state)
{
	struct rtc_raw r = {.second = 0x59,
			    .minute = 0x45,
			    .day = 0x21,
			    .month = 0x11,
			    .year = 0x26,
			    .century = 0x20};
	struct datetime dt;

	(void)state;
	r.hour = 0x12; /* 12 AM */
	check_rtc(r, 2026, 0);
	r.hour = 0x92; /* 12 PM */
	check_rtc(r, 2026, 12);
	r.hour = 0x01;
	check_rtc(r, 2026, 1);
	r.hour = 0x91;
	check_rtc(r, 2026, 23);
	r.hour = 0x00;
	assert_int_equal(rtc_decode(&r, &dt), -EINVAL);
	r.hour = 0x13;
	assert_int_equal(rtc_decode(&r, &dt), -EINVAL);
}

static void
test_rtc_century(void **state)
{
	struct rtc_raw r = {.second = 0x59,
			    .minute = 0x45,
			    .hour = 0x19,
			    .day = 0x21,
			    .month = 0x11,
			    .year = 0x26,
			    .century = 0,
			    .status_b = RTC_B_24H};

	(void)state;
	check_rtc(r, 2026, 19);
	r.century = 0xff; /* not a century at all */
	check_rtc(r, 2026, 19);
	r.century = 0x21;
	check_rtc(r, 2126, 19);
	r.century = 0;
	r.year = 0x99;
	check_rtc(r, 1999, 19);
	r.year = 0x69;
	check_rtc(r, 2069, 19);
	r.year = 0x70;
	check_rtc(r, 1970, 19);
}

static void
test_rtc_nonsense(void **state)
{
	struct rtc_raw r;
	struct datetime dt;

	(void)state;
	memset(&r, 0xff, sizeof(r));
	assert_int_equal(rtc_decode(&r, &dt), -EINVAL);
	memset(&r, 0, sizeof(r));
	r.status_b = RTC_B_24H;
	assert_int_equal(rtc_decode(&r, &dt), -EINVAL); /* month 0 */
	r = (struct rtc_raw){.second = 0x5a,
			     .minute = 0x45,
			     .hour = 0x19,
			     .day = 0x21,
			     .month = 0x11,
			     .year = 0x26,
			     .century = 0x20,
			     .status_b = RTC_B_24H};
	assert_int_equal(rtc_decode(&r, &dt), -EINVAL); /* 5Ah is no BCD */
	r.second = 0x59;
	assert_int_equal(rtc_decode(&r, &dt), 0);
	r.minute = 0x1a; /* nor is this, though 20 would be a minute */
	assert_int_equal(rtc_decode(&r, &dt), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days),	     cmocka_unit_test(test_moments),
		cmocka_unit_test(test_invalid),	     cmocka_unit_test(test_rtc_formats),
		cmocka_unit_test(test_rtc_12_hours), cmocka_unit_test(test_rtc_century),
		cmocka_unit_test(test_rtc_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
