/*
 * rtc.c - reading the real-time clock.
 *
 * Once a second the chip updates its registers, during which they read as nonsense; UIP is set from
 * at least 244 us before that.  So: UIP clear, read all, UIP still clear and a second reading the
 * same.  That waits for an update to pass (2 ms) only in the rare case that one is on.
 * Spec: Motorola MC146818A, "Update Cycle" and "Register A".
 */
#include <dev/rtc.h>
#include <dev/cmos.h>
#include <kern/clock.h>
#include <lib/string.h>

enum {
	REG_SECOND = 0x00,
	REG_MINUTE = 0x02,
	REG_HOUR = 0x04,
	REG_DAY = 0x07,
	REG_MONTH = 0x08,
	REG_YEAR = 0x09,
	REG_A = 0x0a,
	REG_B = 0x0b,
	REG_CENTURY = 0x32, /* by custom; rtc_decode() does without when it makes no sense */
};
#define A_UIP 0x80

#define TRIES	    8
#define UIP_POLL_US 20
#define UIP_MAX_US  4000 /* an update takes 1984 us */

static bool
updating(void)
{
	return (cmos_read(REG_A) & A_UIP) != 0;
}

static int
wait_update_over(void)
{
	for (unsigned us = 0; us < UIP_MAX_US; us += UIP_POLL_US) {
		if (!updating())
			return 0;
		clock_delay_us(UIP_POLL_US);
	}
	return -ETIMEDOUT;
}

static void
read_registers(struct rtc_raw *raw)
{
	*raw = (struct rtc_raw){
		.second = cmos_read(REG_SECOND),
		.minute = cmos_read(REG_MINUTE),
		.hour = cmos_read(REG_HOUR),
		.day = cmos_read(REG_DAY),
		.month = cmos_read(REG_MONTH),
		.year = cmos_read(REG_YEAR),
		.century = cmos_read(REG_CENTURY),
		.status_b = cmos_read(REG_B),
	};
}

int
rtc_read(struct datetime *out)
{
	struct rtc_raw first, second;
	int result = -ETIMEDOUT;

	if (cmos_read(REG_A) == 0xff && cmos_read(REG_B) == 0xff)
		return -ENODEV;
	for (unsigned i = 0; i < TRIES && result != 0; i++) {
		if (wait_update_over() != 0)
			return -ETIMEDOUT;
		read_registers(&first);
		read_registers(&second);
		if (!updating() && memcmp(&first, &second, sizeof(first)) == 0)
			result = rtc_decode(&first, out);
	}
	return result;
}

int
rtc_init(void)
{
	struct datetime dt;
	const int result = rtc_read(&dt);

	if (result != 0) {
		log_warn("rtc: no wall time: %s (error %d)",
			 result == -EINVAL ? "the clock chip holds no valid date"
					   : "no clock chip answers",
			 -result);
		return result;
	}
	clock_set_wall(datetime_to_unix(&dt));
	log_info("rtc: %04u-%02u-%02u %02u:%02u:%02u UTC", dt.year, dt.month, dt.day, dt.hour,
		 dt.minute, dt.second);
	return 0;
}
