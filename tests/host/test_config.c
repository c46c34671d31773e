/*
 * test_config.c - MINOS.CFG: what is understood, what is reported and with which line number.
 *
 * SOURCES: boot/stage2/config.c boot/stage2/fat.c kernel/lib/string.c kernel/lib/printf.c
 */
#include <time.h>
#include "host.h"
#include <lib/printf.h>
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
test_entries_start_from_the_lines_above(void **state)
{
	parse("kernel A.ELF\ncmdline quiet\nentry one\nentry \"two and more\"\n"
	      "cmdline loglevel=7\nverify off\nEntry Three\ninitrd none\n");
	assert_int_equal(c.wrong_count, 0);
	assert_int_equal(c.count, 3);
	assert_int_equal(c.preset, 0);
	assert_int_equal(c.timeout, 0);
	assert_string_equal(c.entries[0].name, "one");
	assert_string_equal(c.entries[1].name, "two and more");
	assert_string_equal(c.entries[2].name, "Three");
	for (int i = 0; i < 3; i++) {
		assert_string_equal(c.entries[i].kernel, "A.ELF");
		assert_string_equal(c.entries[i].cmdline, i == 1 ? "loglevel=7" : "quiet");
		assert_string_equal(c.entries[i].initrd, i == 2 ? "" : "INITRD.TAR");
		assert_int_equal(c.entries[i].verify, i != 1);
	}
}

static void
test_without_entries_there_is_one_without_a_name(void **state)
{
	parse("cmdline quiet\n");
	assert_int_equal(c.count, 1);
	assert_string_equal(c.entries[0].name, "");
	assert_string_equal(c.entries[0].cmdline, "quiet");
}

static void
test_default(void **state)
{
	parse("default \"b c\"\nentry a\nentry \"b c\"\n");
	assert_int_equal(c.wrong_count, 0);
	assert_int_equal(c.preset, 1);
	parse("entry a\nentry b\ndefault a\nDEFAULT B\n"); /* the last one, in any case */
	assert_int_equal(c.wrong_count, 0);
	assert_int_equal(c.preset, 1);
	expect_wrong("entry a\n\ndefault b\n", 3, "default: no entry");
	assert_int_equal(c.preset, 0);
	expect_wrong("default MINOS.ELF\n", 1, "default: no entry");
	expect_defaults();
}

static void
test_timeout(void **state)
{
	static const struct {
		const char *text;
		uint32_t tenths;
	} good[] = {{"0", 0},	  {"3", 30},   {"99.9", 999}, {"0.5", 5},
		    {"05.0", 50}, {"none", 0}, {"NONE", 0}};
	static const char *const bad[] = {"",	 "100", "-1", "1.",  ".5",	   "1.55",
					  "3 s", "x",	"+1", "1,5", "99999999999"};
	char text[64];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		snprintf(text, sizeof(text), "timeout %s\n", good[i].text);
		parse(text);
		assert_int_equal(c.wrong_count, 0);
		assert_int_equal(c.timeout, good[i].tenths);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "timeout 7\ntimeout %s\n", bad[i]);
		expect_wrong(text, 2, "timeout: ");
		assert_int_equal(c.timeout, 70);
	}
}

/* The lines of an entry that is not taken must not become another one's. */
static void
expect_entry_refused(const char *name, const char *why)
{
	char text[256];

	snprintf(text, sizeof(text), "entry a\nentry %s\nkernel X.ELF\ntimeout 2\nentry z\n", name);
	expect_wrong(text, 2, why);
	assert_int_equal(c.count, 2);
	assert_string_equal(c.entries[0].kernel, "MINOS.ELF");
	assert_string_equal(c.entries[1].name, "z");
	assert_string_equal(c.entries[1].kernel, "MINOS.ELF");
	assert_int_equal(c.timeout, 20); /* this one is the file's */
}

static void
test_wrong_entries(void **state)
{
	char name[CONFIG_NAME_SIZE + 1];

	expect_entry_refused("", "missing");
	expect_entry_refused("\"\"", "missing");
	expect_entry_refused("b c", "quotes");
	expect_entry_refused("\"b", "quote");
	expect_entry_refused("\"b\" c", "quote");
	expect_entry_refused("b\"c", "not allowed");
	expect_entry_refused("\"b\tc\"", "not allowed");
	expect_entry_refused("b\xc3\xa4", "not allowed");
	expect_entry_refused("A", "already");
	memset(name, 'n', sizeof(name));
	name[CONFIG_NAME_SIZE] = '\0';
	expect_entry_refused(name, "longer");
	expect_wrong("entry\nkernel X.ELF\n", 1, "missing");
	expect_defaults();
	name[CONFIG_NAME_SIZE - 1] = '\0';
	parse(name); /* no key: "unknown key" */
	assert_int_equal(c.wrong_count, 1);
}

static void
test_too_many_entries(void **state)
{
	char text[CONFIG_MAX] = "";

	for (int i = 0; i <= CONFIG_ENTRIES; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "entry e%d\nkernel K%d.ELF\n", i, i);
	expect_wrong(text, 2 * CONFIG_ENTRIES + 1, "more than 16");
	assert_int_equal(c.count, CONFIG_ENTRIES);
	assert_string_equal(c.entries[CONFIG_ENTRIES - 1].kernel, "K15.ELF");
}

static void
check_bounds(void)
{
	assert_true(c.count >= 1 && c.count <= CONFIG_ENTRIES && c.preset < c.count);
	assert_true(c.timeout <= 999);
	for (uint32_t i = 0; i < c.count; i++) {
		const struct boot_entry *e = &c.entries[i];

		assert_true(memchr(e->cmdline, 0, sizeof(e->cmdline)) &&
			    memchr(e->kernel, 0, sizeof(e->kernel)) &&
			    memchr(e->initrd, 0, sizeof(e->initrd)) &&
			    memchr(e->name, 0, sizeof(e->name)));
		assert_true(e->name[0] || c.count == 1);
	}
}

static void
test_random_text(void **state)
{
	static const char *const words[] = {
		"kernel ", "initrd ",  "cmdline ",   "verify ",	   "none", "off",
		"\n",	   "\r\n",     "# ",	     "A.ELF",	   "\t",   "\0x",
		"\xff",	   "\nentry ", "\ndefault ", "timeout ",   "\"",   "9",
		".",	   " ",	       "a",	     "\nentry \"x"};
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
		check_bounds();
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
		cmocka_unit_test(test_entries_start_from_the_lines_above),
		cmocka_unit_test(test_without_entries_there_is_one_without_a_name),
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_wrong_entries),
		cmocka_unit_test(test_too_many_entries),
		cmocka_unit_test(test_random_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
