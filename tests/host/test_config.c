/*
 * test_config.c - MINOS.CFG: what is understood, what is reported and with which line number.
 *
 * SOURCES: boot/stage2/config.c boot/stage2/fat.c kernel/lib/string.c
 */
#include <time.h>
#include "host.h"
#include <lib/string.h>
#include "config.h"

static struct boot_config c;

static void
parse(const char *text)
{
	config_parse(&c, text, strlen(text));
}

static void
expect_defaults(void)
{
	assert_string_equal(c.entries[0].kernel, "MINOS.ELF");
	assert_string_equal(c.entries[0].initrd, "INITRD.TAR");
	assert_string_equal(c.entries[0].cmdline, "console=both");
	assert_false(c.entries[0].initrd_named);
	assert_true(c.entries[0].verify);
}

static void
expect_wrong(const char *text, uint32_t line, const char *why)
{
	parse(text);
	assert_int_equal(c.wrong_count, 1);
	assert_int_equal(c.wrong[0].line, line);
	assert_non_null(strstr(c.wrong[0].why, why));
}

static void
test_nothing_in_it(void **state)
{
	static const char *const texts[] = {
		"", "\n", "\n\n\n", "# a comment", "   \t \r\n# x\r\n", "#\n"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		parse(texts[i]);
		expect_defaults();
		assert_int_equal(c.wrong_count, 0);
	}
}

static void
test_all_keys(void **state)
{
	parse("kernel TEST.ELF\ninitrd my.tar\ncmdline quiet  run=\"a; b\"\nverify off\n");
	assert_int_equal(c.wrong_count, 0);
	assert_string_equal(c.entries[0].kernel, "TEST.ELF");
	assert_string_equal(c.entries[0].initrd, "my.tar");
	assert_true(c.entries[0].initrd_named);
	assert_string_equal(c.entries[0].cmdline, "quiet  run=\"a; b\"");
	assert_false(c.entries[0].verify);
}

static void
test_blanks_case_and_line_ends(void **state)
{
	parse("  KERNEL \t a.elf \t\r\n\tInitrd NONE\r\ncmdline\nVerify ON");
	assert_int_equal(c.wrong_count, 0);
	assert_string_equal(c.entries[0].kernel, "a.elf");
	assert_string_equal(c.entries[0].initrd, "");
	assert_false(c.entries[0].initrd_named);
	assert_string_equal(c.entries[0].cmdline, "");
	assert_true(c.entries[0].verify);
}

static void
test_wrong_lines_keep_their_numbers(void **state)
{
	expect_wrong("frobnicate yes\n", 1, "unknown key");
	expect_defaults();
	expect_wrong("# c\n\nkernel\n", 3, "kernel");
	expect_defaults();
	expect_wrong("kernel A.ELF\nkernel far-too-long.elf\n", 2, "kernel");
	assert_string_equal(c.entries[0].kernel, "A.ELF");
	expect_wrong("initrd a/b\n", 1, "initrd");
	expect_wrong("verify maybe\n", 1, "verify");
	expect_wrong("\xff\xfe\n", 1, "unknown key");
	expect_wrong("cmdline a\001b\n", 1, "control character");
	expect_defaults();
}

static void
test_long_lines(void **state)
{
	char text[3000];

	memset(text, 'x', sizeof(text));
	memcpy(text, "cmdline ", 8);
	text[8 + BOOT_CMDLINE_MAX - 1] = '\0';
	parse(text);
	assert_int_equal(c.wrong_count, 0);
	assert_int_equal(strlen(c.entries[0].cmdline), BOOT_CMDLINE_MAX - 1);
	text[8 + BOOT_CMDLINE_MAX - 1] = 'x';
	text[8 + BOOT_CMDLINE_MAX] = '\0';
	expect_wrong(text, 1, "longer");
	text[8 + BOOT_CMDLINE_MAX] = 'x';
	text[2999] = '\0';
	expect_wrong(text, 1, "too long");
	expect_defaults();
	text[0] = '#';
	parse(text);
	assert_int_equal(c.wrong_count, 0);
}

static void
test_many_wrong_lines(void **state)
{
	parse("a\nb\nc\nd\ne\nf\nkernel X.ELF\n");
	assert_int_equal(c.wrong_count, 6);
	assert_int_equal(c.wrong[CONFIG_WRONG - 1].line, CONFIG_WRONG);
	assert_string_equal(c.entries[0].kernel, "X.ELF");
}

static void
test_nul_in_a_line(void **state)
{
	static const char text[] = "kernel A\0B.ELF\nverify off\n";

	config_parse(&c, text, sizeof(text) - 1);
	assert_int_equal(c.wrong_count, 1);
	assert_string_equal(c.entries[0].kernel, "MINOS.ELF");
	assert_false(c.entries[0].verify);
}

static void
test_random_text(void **state)
{
	static const char *const words[] = {"kernel ", "initrd ", "cmdline ", "verify ", "none",
					    "off",     "\n",	  "\r\n",     "# ",	 "A.ELF",
					    "\t",      "\0x",	  "\xff"};
	uint64_t seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : (uint64_t)time(NULL);

	print_message("seed %llu\n", (unsigned long long)seed);
	srandom((unsigned)seed);
	for (int round = 0; round < 20000; round++) {
		const size_t n = (size_t)random() % CONFIG_MAX + 1;
		char *text = malloc(n); /* exactly as long as it is: ASan sees a step too far */

		for (size_t i = 0; i < n;) {
			const char *w = words[random() % (long)ARRAY_SIZE(words)];

			for (size_t k = 0; (k == 0 || w[k]) && i < n; k++)
				text[i++] = w[k];
		}
		config_parse(&c, text, n);
		assert_true(memchr(c.entries[0].cmdline, 0, sizeof(c.entries[0].cmdline)) &&
			    memchr(c.entries[0].kernel, 0, sizeof(c.entries[0].kernel)));
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_in_it),
		cmocka_unit_test(test_all_keys),
		cmocka_unit_test(test_blanks_case_and_line_ends),
		cmocka_unit_test(test_wrong_lines_keep_their_numbers),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_many_wrong_lines),
		cmocka_unit_test(test_nul_in_a_line),
		cmocka_unit_test(test_random_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
