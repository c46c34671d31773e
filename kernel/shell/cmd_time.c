/*
 * cmd_time.c - commands about time: uptime, date, time.
 */
#include <kern/clock.h>
#include <kern/thread.h>
#include <lib/string.h>
#include <x86/cpu.h>
#include "cmds.h"

int
cmd_uptime(int argc, char **argv)
{
	const uint64_t ns = clock_ns(), idle = sched_idle_ns();
	const uint64_t s = ns / NS_PER_SEC;
	const uint64_t busy = ns > idle && ns >= 1000 ? (ns - idle) / (ns / 1000) : 0;

	if (argc > 1)
		return -EINVAL;
	sh_printf("up ");
	if (s >= 86400)
		sh_printf("%lu day%s ", s / 86400, s >= 2 * 86400 ? "s" : "");
	sh_printf("%02lu:%02lu:%02lu.%03lu, %lu timer ticks, CPU busy %lu.%lu %% of it\n",
		  s / 3600 % 24, s / 60 % 60, s % 60, ns_to_ms(ns) % 1000, clock_ticks(), busy / 10,
		  busy % 10);
	return 0;
}

/* --- date ---------------------------------------------------------------------------------------- */

/* @digits decimal digits at *@s, and the separator behind them if it is not 0. */
static bool
take_number(const char **s, unsigned digits, char separator, unsigned *out)
{
	unsigned value = 0;

	while (digits-- > 0) {
		if (**s < '0' || **s > '9')
			return false;
		value = value * 10 + (unsigned)(*(*s)++ - '0');
	}
	*out = value;
	return separator == '\0' || *(*s)++ == separator;
}

static bool
parse_date(const char *s, struct datetime *dt)
{
	return take_number(&s, 4, '-', &dt->year) && take_number(&s, 2, '-', &dt->month) &&
	       take_number(&s, 2, '\0', &dt->day) && *s == '\0';
}

static bool
parse_time(const char *s, struct datetime *dt)
{
	if (!take_number(&s, 2, ':', &dt->hour) || !take_number(&s, 2, '\0', &dt->minute))
		return false;
	dt->second = 0;
	return *s == '\0' || (*s++ == ':' && take_number(&s, 2, '\0', &dt->second) && *s == '\0');
}

/* The calendar is the judge: a date that it does not give back as it was does not exist. */
static bool
date_exists(const struct datetime *dt)
{
	struct datetime back;

	if (dt->year < 1970 || dt->month < 1 || dt->month > 12 || dt->day < 1 || dt->day > 31 ||
	    dt->hour > 23 || dt->minute > 59 || dt->second > 59)
		return false;
	datetime_from_unix(datetime_to_unix(dt), &back);
	return back.day == dt->day && back.month == dt->month;
}

static void
print_date(uint64_t unix_seconds)
{
	static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
					   "Thursday", "Friday", "Saturday"};
	struct datetime dt;

	datetime_from_unix(unix_seconds, &dt);
	sh_printf("%s %04u-%02u-%02u %02u:%02u:%02u UTC\n", days[dt.weekday % 7], dt.year, dt.month,
		  dt.day, dt.hour, dt.minute, dt.second);
}

static int
set_date(const char *date, const char *time)
{
	struct datetime dt = {0};

	if (!parse_date(date, &dt) || (time != NULL && !parse_time(time, &dt))) {
		sh_printf("a date is written 2026-11-21, a time 09:05 or 09:05:30\n");
		return -EINVAL;
	}
	if (!date_exists(&dt)) {
		sh_printf("there is no such day or time\n");
		return -EINVAL;
	}
	clock_set_wall(datetime_to_unix(&dt));
	print_date(clock_wall());
	return 0;
}

int
cmd_date(int argc, char **argv)
{
	char both[32];
	char *time = argc == 4 ? argv[3] : NULL;

	if (argc == 1) {
		if (!clock_wall_known()) {
			sh_printf("unknown: no clock chip with a valid date (dmesg says more); "
				  "date -s sets it\n");
			return -ENODEV;
		}
		print_date(clock_wall());
		return 0;
	}
	if (argc > 4 || argc < 3 || strcmp(argv[1], "-s") != 0)
		return -EINVAL;
	if (strlcpy(both, argv[2], sizeof(both)) >= sizeof(both))
		return -EINVAL;
	if (time == NULL && (time = strchr(both, ' ')) != NULL) /* date -s "DATE TIME" */
		*time++ = '\0';
	return set_date(both, time);
}

/* --- time ---------------------------------------------------------------------------------------- */

int
cmd_time(int argc, char **argv)
{
	uint64_t ns, tsc;
	int result;

	if (argc < 2)
		return -EINVAL;
	ns = clock_ns();
	tsc = rdtsc();
	result = shell_run(argc - 1, argv + 1);
	tsc = rdtsc() - tsc;
	ns = clock_ns() - ns;
	sh_printf("time: %lu.%03lu ms, %s TSC ticks", ns_to_ms(ns), ns / 1000 % 1000,
		  num_text(tsc).s);
	if (clock_tsc_hz() != 0)
		sh_printf(" at %lu MHz", (clock_tsc_hz() + 500000) / 1000000);
	sh_printf("\n");
	return result == -EINVAL ? -EIO : result; /* usage was printed by the command's own run */
}
