/*
 * test_cmdline.c - the kernel command line: flags, values, quotes, lengths.
 *
 * SOURCES: kernel/cmdline.c kernel/lib/string.c
 */
#include "host.h"
#include <kern/cmdline.h>
#include <boot/boot_info.h>
#include <lib/string.h>

static unsigned warnings;

void
klog(enum log_level level, const char *fmt, ...)
{
	(void)fmt;
	if (level <= LOG_WARN)
		warnings++;
}

static void
assert_value(const char *key, const char *expected)
{
	char buf[64];

	assert_int_equal(cmdline_get(key, buf, sizeof(buf)), (int)strlen(expected));
	assert_string_equal(buf, expected);
}

static void
test_values(void **state)
{
	(void)state;
	cmdline_init("  console=both quiet loglevel=4  init=/bin/sh empty= console=tty0");
	assert_value("console", "both"); /* the first counts */
	assert_value("loglevel", "4");
	assert_value("init", "/bin/sh");
	assert_value("empty", "");
	assert_true(cmdline_has("quiet"));
	assert_true(cmdline_has("console"));
	assert_string_equal(cmdline_raw(),
			    "  console=both quiet loglevel=4  init=/bin/sh empty= console=tty0");
}

static void
test_absent(void **state)
{
	char buf[8] = "before";

	(void)state;
	cmdline_init("quiet consoles=x xconsole=y nit=1");
	assert_int_equal(cmdline_get("console", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(cmdline_get("quiet", buf, sizeof(buf)), -ENOENT); /* a flag has no value */
	assert_int_equal(cmdline_get("init", buf, sizeof(buf)), -ENOENT);
	assert_false(cmdline_has("qui"));
	assert_false(cmdline_has("quieter"));
	cmdline_init("");
	assert_false(cmdline_has("quiet"));
	assert_int_equal(cmdline_get("console", buf, sizeof(buf)), -ENOENT);
}

static void
test_quotes(void **state)
{
	(void)state;
	cmdline_init("run=\"mem; ps quiet\" panic=exit \"two words\" open=\"to the end");
	assert_value("run", "mem; ps quiet");
	assert_value("panic", "exit");
	assert_value("open", "to the end");
	assert_false(cmdline_has("quiet")); /* it stands inside quotes */
}

static void
test_too_long(void **state)
{
	static char line[2 * BOOT_CMDLINE_MAX];
	char buf[4];

	(void)state;
	cmdline_init("key=1234");
	assert_int_equal(cmdline_get("key", buf, sizeof(buf)), -ERANGE);
	cmdline_init("key=123");
	assert_int_equal(cmdline_get("key", buf, sizeof(buf)), 3);

	memset(line, 'a', sizeof(line) - 1);
	warnings = 0;
	cmdline_init(line);
	assert_int_equal(warnings, 1);
	assert_int_equal(strlen(cmdline_raw()), BOOT_CMDLINE_MAX - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
