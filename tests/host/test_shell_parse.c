/*
 * test_shell_parse.c - the shell's language: words, quotes, separators, errors, spelling distance.
 *
 * SOURCES: kernel/shell/parse.c kernel/lib/string.c kernel/lib/printf.c
 */
#include "host.h"
#include <kern/parse.h>
#include <lib/errno.h>
#include <lib/printf.h>
#include <lib/string.h>

/* All commands of a line as one text: "[word|word] [word]", > before ] for `| more`, or the error. */
static const char *
parsed(const char *line)
{
	static char out[8192];
	struct parse_command cmd;
	const char *error = NULL;
	size_t n = 0;
	int result;

	out[0] = '\0';
	while ((result = parse_next(&line, &cmd, &error)) > 0) {
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s[", n > 0 ? " " : "");
		for (int i = 0; i < cmd.argc; i++)
			n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s", i > 0 ? "|" : "",
					      cmd.argv[i]);
		assert_null(cmd.argv[cmd.argc]);
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s]", cmd.more ? ">" : "");
	}
	if (result < 0) {
		assert_int_equal(result, -EINVAL);
		assert_non_null(error);
		snprintf(out, sizeof(out), "%s", error);
	} else {
		assert_int_equal(*line, '\0');
	}
	return out;
}

static void
words(void **state)
{
	assert_string_equal(parsed(""), "");
	assert_string_equal(parsed("   \t "), "");
	assert_string_equal(parsed("help"), "[help]");
	assert_string_equal(parsed("  peek   0x1000\tb  "), "[peek|0x1000|b]");
	assert_string_equal(parsed("echo a=b -n $HOME *"), "[echo|a=b|-n|$HOME|*]");
	assert_string_equal(parsed("echo \xc3\xa4\xe2\x82\xac"), "[echo|\xc3\xa4\xe2\x82\xac]");
}

static void
quotes(void **state)
{
	assert_string_equal(parsed("echo 'a  b' \"c  d\""), "[echo|a  b|c  d]");
	assert_string_equal(parsed("echo 'a'\"b\"c"), "[echo|abc]");
	assert_string_equal(parsed("echo '' \"\""), "[echo||]");
	assert_string_equal(parsed("echo '\"' \"'\""), "[echo|\"|']");
	assert_string_equal(parsed("echo ';#|' \"; # |\""), "[echo|;#||; # |]");
	assert_string_equal(parsed("echo 'a\\b' 'a\\'"), "[echo|a\\b|a\\]");
	assert_string_equal(parsed("echo \"a\\\"b\" \"a\\\\\" \"a\\nb\""), "[echo|a\"b|a\\|a\\nb]");
}

static void
backslash(void **state)
{
	assert_string_equal(parsed("echo a\\ b \\# \\; \\| \\\\ \\' \\\""),
			    "[echo|a b|#|;|||\\|'|\"]");
	assert_string_equal(parsed("\\help"), "[help]");
}

static void
separators(void **state)
{
	assert_string_equal(parsed("a;b"), "[a] [b]");
	assert_string_equal(parsed("a 1 ; b 2 ;"), "[a|1] [b|2]");
	assert_string_equal(parsed(";; ;a;;b;;"), "[a] [b]");
	assert_string_equal(parsed("a\nb\r\nc"), "[a] [b] [c]");
}

static void
comments(void **state)
{
	assert_string_equal(parsed("# nothing"), "");
	assert_string_equal(parsed("a 1 # b ; c"), "[a|1]");
	assert_string_equal(parsed("a#b"), "[a#b]");
	assert_string_equal(parsed("a;# b\nc"), "[a] [c]");
	assert_string_equal(parsed("a # 'not opened"), "[a]");
}

static void
pages(void **state)
{
	assert_string_equal(parsed("dmesg | more"), "[dmesg>]");
	assert_string_equal(parsed("dmesg|more;ps"), "[dmesg>] [ps]");
	assert_string_equal(parsed("dmesg | more # slowly"), "[dmesg>]");
	assert_string_equal(parsed("more"), "[more]");
}

static void
errors(void **state)
{
	static const char pipe[] = "after | only the word more can follow";

	assert_string_equal(parsed("echo 'a"), "a ' is opened but not closed");
	assert_string_equal(parsed("echo \"a"), "a \" is opened but not closed");
	assert_string_equal(parsed("echo \"a\\\""), "a \" is opened but not closed");
	assert_string_equal(parsed("echo a\\"),
			    "a \\ stands at the end with nothing to take literally");
	assert_string_equal(parsed("| more"), "there is no command before the |");
	assert_string_equal(parsed("ps |"), pipe);
	assert_string_equal(parsed("ps | less"), pipe);
	assert_string_equal(parsed("ps | moreover"), pipe);
	assert_string_equal(parsed("ps | more x"), pipe);
	assert_string_equal(parsed("ps | more | more"), pipe);
}

static void
limits(void **state)
{
	char line[4096] = "";

	for (int i = 0; i < PARSE_ARGS_MAX; i++)
		strlcpy(line + strlen(line), "x ", sizeof(line) - strlen(line));
	assert_string_equal(parsed(line)[0] == '[' ? "ok" : parsed(line), "ok");
	strlcpy(line + strlen(line), "x", sizeof(line) - strlen(line));
	assert_string_equal(parsed(line), "too many words in one command");
	memset(line, 'x', PARSE_TEXT_MAX - 1);
	line[PARSE_TEXT_MAX - 1] = '\0';
	assert_int_equal(strlen(parsed(line)), PARSE_TEXT_MAX + 1);
	memset(line, 'x', PARSE_TEXT_MAX);
	line[PARSE_TEXT_MAX] = '\0';
	assert_string_equal(parsed(line), "the command is too long");
}

static void
whole_line_is_checked_first(void **state)
{
	struct parse_command cmd;
	const char *error;

	assert_int_equal(parse_check("a; b 'c' | more", &cmd, &error), 0);
	assert_int_equal(parse_check("a; b 'c", &cmd, &error), -EINVAL);
	assert_string_equal(error, "a ' is opened but not closed");
}

static void
distance(void **state)
{
	assert_int_equal(parse_distance("help", "help"), 0);
	assert_int_equal(parse_distance("hlep", "help"), 1); /* neighbours exchanged */
	assert_int_equal(parse_distance("hel", "help"), 1);
	assert_int_equal(parse_distance("helpp", "help"), 1);
	assert_int_equal(parse_distance("hexp", "help"), 1);
	assert_int_equal(parse_distance("", "help"), 4);
	assert_int_equal(parse_distance("kitten", "sitting"), 3);
	assert_true(parse_distance("0123456789012345678901234567890123456789", "help") > 3);
	assert_true(parse_distance("help", "0123456789012345678901234567890123456789") > 3);
}

/* No line of random characters makes it read or write outside (the sanitizers watch), or loop. */
static void
random_lines(void **state)
{
	static const char alphabet[] = "ab '\"\\;#|more\n\t";
	char line[200];

	srand(1);
	for (unsigned i = 0; i < 20000; i++) {
		const size_t n = (size_t)rand() % sizeof(line);

		for (size_t k = 0; k < n; k++)
			line[k] = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
		line[n == sizeof(line) ? n - 1 : n] = '\0';
		(void)parsed(line);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(quotes),
		cmocka_unit_test(backslash),
		cmocka_unit_test(separators),
		cmocka_unit_test(comments),
		cmocka_unit_test(pages),
		cmocka_unit_test(errors),
		cmocka_unit_test(limits),
		cmocka_unit_test(whole_line_is_checked_first),
		cmocka_unit_test(distance),
		cmocka_unit_test(random_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
