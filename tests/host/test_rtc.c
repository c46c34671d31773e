/*
 * test_rtc.c - reading the real-time clock while it updates, and when it is not there.
 *
 * SOURCES: drivers/rtc.c drivers/rtc_decode.c kernel/lib/datetime.c kernel/lib/string.c
 *
 * The chip is a model: it counts the accesses, an update begins at a given one and lasts a given
 * time, registers read as FFh meanwhile, and at its end the second changes.
 */
#include "host.h"
#include <dev/cmos.h>
#include <dev/rtc.h>
#include <kern/clock.h>
#include <lib/errno.h>
#include <lib/string.h>

static uint8_t ram[128];
static unsigned accesses, update_from, update_to; /* accesses [from, to) are within an update */
static unsigned delayed_us;
static uint64_t wall;

uint8_t
cmos_read(uint8_t reg)
{
	const unsigned now = accesses++;
	const bool updating = now >= update_from && now < update_to;

	if (now >= update_to) { /* 19:45:59 became 19:46:00 */
		ram[0x00] = 0x00;
		ram[0x02] = 0x46;
	}
	if (reg == 0x0a)
		return (uint8_t)(ram[reg] | (updating ? 0x80 : 0));
	return updating && reg < 0x0a ? 0xff : ram[reg];
}

void
clock_delay_us(unsigned us)
{
	delayed_us += us;
	accesses += us;
}

void
clock_set_wall(uint64_t unix_seconds)
{
	wall = unix_seconds;
}

void
klog(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

static int
setup(void **state)
{
	(void)state;
	memset(ram, 0, sizeof(ram));
	ram[0x00] = 0x59;
	ram[0x02] = 0x45;
	ram[0x04] = 0x19;
	ram[0x07] = 0x21;
	ram[0x08] = 0x11;
	ram[0x09] = 0x26;
	ram[0x0a] = 0x26;
	ram[0x0b] = RTC_B_24H;
	ram[0x32] = 0x20;
	accesses = delayed_us = 0;
	update_from = update_to = ~0u;
	wall = 0;
	return 0;
}

static void
test_plain(void **state)
{
	(void)state;
	assert_int_equal(rtc_init(), 0);
	assert_int_equal(wall, 1795290359); /* 2026-11-21 19:45:59 */
	assert_int_equal(delayed_us, 0);    /* costs no time */
}

/* An update may begin at each single access: what comes out is the time before or after it. */
static void
test_update_anywhere(void **state)
{
	for (unsigned at = 0; at < 40; at++) {
		for (unsigned len = 1; len < 60; len += 7) {
			struct datetime dt;

			setup(state);
			update_from = at;
			update_to = at + len;
			assert_int_equal(rtc_read(&dt), 0);
			assert_int_equal(dt.year, 2026);
			if (dt.second == 59)
				assert_int_equal(dt.minute, 45);
			else
				assert_int_equal(dt.minute * 60 + dt.second, 46 * 60);
		}
	}
}

/* A whole update is waited for, and not much longer. */
static void
test_update_on(void **state)
{
	struct datetime dt;

	(void)state;
	update_from = 0;
	update_to = 1984;
	assert_int_equal(rtc_read(&dt), 0);
	assert_int_equal(dt.minute, 46);
	assert_int_equal(dt.second, 0);
	assert_in_range(delayed_us, 1900, 2100);
}

static void
test_always_updating(void **state)
{
	struct datetime dt;

	(void)state;
	update_from = 0;
	assert_int_equal(rtc_read(&dt), -ETIMEDOUT);
	assert_in_range(delayed_us, 1984, 5000); /* bounded */
}

static void
test_absent(void **state)
{
	(void)state;
	memset(ram, 0xff, sizeof(ram));
	assert_int_equal(rtc_init(), -ENODEV);
	assert_int_equal(wall, 0);
	memset(ram, 0, sizeof(ram)); /* a dead battery */
	assert_int_equal(rtc_init(), -EINVAL);
	assert_int_equal(wall, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_plain, setup),
		cmocka_unit_test_setup(test_update_anywhere, setup),
		cmocka_unit_test_setup(test_update_on, setup),
		cmocka_unit_test_setup(test_always_updating, setup),
		cmocka_unit_test_setup(test_absent, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
