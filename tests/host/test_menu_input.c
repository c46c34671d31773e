/*
 * test_menu_input.c - the menu's keys from both consoles, its line editor, its clock.
 *
 * SOURCES: boot/stage2/keys.c boot/stage2/edit.c kernel/lib/string.c
 */
#include <time.h>
#include "host.h"
#include <lib/string.h>
#include "edit.h"
#include "keys.h"

/* --- keys --- */

static void
test_bios_keys(void **state)
{
	static const struct {
		uint16_t ax;
		int key;
	} cases[] = {
		{0x1e61, 'a'},	      {0x1c0d, KEY_ENTER}, {0x0e08, KEY_BACKSPACE},
		{0x011b, KEY_ESC},    {0x4800, KEY_UP},	   {0x48e0, KEY_UP},
		{0x5000, KEY_DOWN},   {0x4be0, KEY_LEFT},  {0x4d00, KEY_RIGHT},
		{0x4700, KEY_HOME},   {0x4f00, KEY_END},   {0x5300, KEY_DELETE},
		{0x1615, KEY_CTRL_U}, {0x3b00, KEY_NONE},  {0x0000, KEY_NONE},
		{0x4838, '8'},	      {0x1e84, KEY_NONE},  {0x0039, '9'},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(key_from_bios(cases[i].ax), cases[i].key);
}

/* All keys that the bytes give, one character each; arrows and the like as letters. */
static const char *
keys_of(const char *bytes)
{
	static const char special[] = "UDLRHEX"; /* from KEY_UP on */
	static char out[64];
	struct key_serial s = {0};
	size_t n = 0;

	for (; *bytes; bytes++) {
		const int key = key_from_serial(&s, (uint8_t)*bytes);

		if (key >= KEY_UP)
			out[n++] = special[key - KEY_UP];
		else if (key != KEY_NONE)
			out[n++] = (char)key;
	}
	out[n] = '\0';
	assert_int_equal(key_serial_idle(&s) == KEY_ESC, bytes[-1] == KEY_ESC);
	return out;
}

static void
test_serial_keys(void **state)
{
	assert_string_equal(keys_of("ab~"), "ab~");
	assert_string_equal(keys_of("\033[A\033[B\033[C\033[Dx"), "UDRLx");
	assert_string_equal(keys_of("\033OA\033OH\033OFx"), "UHEx");
	assert_string_equal(keys_of("\033[1~\033[4~\033[3~\033[7~\033[8~x"), "HEXHEx");
	assert_string_equal(keys_of("\033[1;5A\033[3;5~x"), "UXx");
	assert_string_equal(keys_of("\033[99999999999~\033[2~\033[15~\033[Zx"), "x");
	assert_string_equal(keys_of("\r\nx\ny\r"), "\rx\ry\r");
	assert_string_equal(keys_of("\177\b\025"), "\b\b\025");
	assert_string_equal(keys_of("\001\005"), "HE");
	assert_string_equal(keys_of("\033xy"), "y");
	assert_string_equal(keys_of("\033\033"), "\033");
	assert_string_equal(keys_of("\033\r\n\033\033\rx"), "\r\033\rx");
	assert_string_equal(keys_of("\xc3\xa4z"), "z");
}

static void
test_random_bytes(void **state)
{
	struct key_serial s = {0};
	uint64_t seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : (uint64_t)time(NULL);

	print_message("seed %llu\n", (unsigned long long)seed);
	srandom((unsigned)seed);
	for (int i = 0; i < 200000; i++) {
		const int key = random() % 7
					? key_from_serial(&s, "\033[O;0139~AZ\r\n"[random() % 13])
					: key_from_serial(&s, (uint8_t)random());

		assert_true(key >= KEY_NONE && key <= KEY_DELETE);
	}
}

/* --- the line --- */

static void
type(struct edit *e, const char *bytes)
{
	struct key_serial s = {0};

	for (; *bytes; bytes++)
		edit_key(e, key_from_serial(&s, (uint8_t)*bytes));
}

static void
expect_line(const char *start, const char *bytes, const char *result, uint32_t cursor)
{
	char text[16];
	struct edit e;

	strlcpy(text, start, sizeof(text));
	edit_start(&e, text, sizeof(text));
	type(&e, bytes);
	assert_string_equal(text, result);
	assert_int_equal(e.length, strlen(result));
	assert_int_equal(e.cursor, cursor);
}

static void
test_edit(void **state)
{
	expect_line("", "abc", "abc", 3);
	expect_line("ac", "\033[Db", "abc", 2);
	expect_line("abc", "\b\b", "a", 1);
	expect_line("abc", "\033[H\b", "abc", 0);
	expect_line("abc", "\033[H\033[3~", "bc", 0);
	expect_line("abc", "\033[3~", "abc", 3);
	expect_line("abc", "\033[C\033[Cd", "abcd", 4);
	expect_line("abc", "\033[H\033[D>\033[F<", ">abc<", 5);
	expect_line("abc", "\025", "", 0);
	expect_line("abc", "\033[D\025x", "xc", 1);
	expect_line("0123456789", "abcdefgh", "0123456789abcde", 15); /* full */
	expect_line("0123456789abcde", "\033[Hx", "0123456789abcde", 0);
	expect_line("abc", "\033[A\033[B", "abc", 3);
}

static void
test_window(void **state)
{
	char text[200], view[EDIT_WIDTH + 1];
	struct edit e;

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = (char)('a' + i % 26);
	text[sizeof(text) - 1] = '\0';
	edit_start(&e, text, sizeof(text));
	edit_view(&e, view);
	assert_int_equal(strlen(view), EDIT_WIDTH - 1); /* the cursor stands behind the end */
	assert_string_equal(view, text + sizeof(text) - EDIT_WIDTH);
	edit_key(&e, KEY_HOME);
	edit_view(&e, view);
	assert_int_equal(strlen(view), EDIT_WIDTH);
	assert_memory_equal(view, text, EDIT_WIDTH);
	for (int i = 0; i < EDIT_WIDTH; i++)
		edit_key(&e, KEY_RIGHT);
	edit_view(&e, view);
	assert_memory_equal(view, text + 1, EDIT_WIDTH);
	strlcpy(text, "a\tb\xff", sizeof(text));
	edit_start(&e, text, sizeof(text));
	edit_view(&e, view);
	assert_string_equal(view, "a?b?");
}

static void
test_random_editing(void **state)
{
	static const int keys[] = {KEY_LEFT, KEY_RIGHT, KEY_HOME,      KEY_END, KEY_DELETE,
				   KEY_UP,   KEY_NONE,	KEY_BACKSPACE, 'x',	'y'};
	char *text = malloc(100), view[EDIT_WIDTH + 1]; /* ASan sees a step too far */
	uint64_t seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : (uint64_t)time(NULL);
	struct edit e;

	print_message("seed %llu\n", (unsigned long long)seed);
	srandom((unsigned)seed);
	text[0] = '\0';
	edit_start(&e, text, 100);
	for (int i = 0; i < 300000; i++) {
		const long r = random() % 16;

		edit_key(&e, r < (long)ARRAY_SIZE(keys) ? keys[r]
			     : random() % 200		? 'z'
							: KEY_CTRL_U);
		edit_view(&e, view);
		assert_true(e.cursor <= e.length && e.length == strlen(text) && e.length < 100);
		assert_true(e.cursor >= e.scroll && e.cursor - e.scroll < EDIT_WIDTH);
	}
	free(text);
}

/* --- time --- */

static void
test_ticks_are_counted(void **state)
{
	struct tick_clock c = {0};

	tick_poll(&c, 1000000); /* the first look: some time, but not the whole day so far */
	assert_int_equal(c.passed, 1);
	for (uint32_t i = 1; i <= 100; i++) {
		tick_poll(&c, 1000000 + i);
		tick_poll(&c, 1000000 + i);
	}
	assert_int_equal(c.passed, 101);
	tick_poll(&c, 1000103); /* three at once: a BIOS call took long */
	assert_int_equal(c.passed, 104);
	tick_poll(&c, 0); /* midnight */
	assert_int_equal(c.passed, 105);
	tick_poll(&c, 1);
	assert_int_equal(c.passed, 106);
}

static void
test_time_passes_without_ticks(void **state)
{
	struct tick_clock c = {0};
	uint32_t polls = 0;

	for (; c.passed < 100 && polls < 1000000; polls++)
		tick_poll(&c, 0);
	assert_int_equal(polls, TICK_STILL + 99 * TICK_POLLS);
	tick_poll(&c, 1); /* and back, should it tick again */
	assert_int_equal(c.passed, 101);
	for (uint32_t i = 0; i < TICK_POLLS * 2; i++)
		tick_poll(&c, 1);
	assert_int_equal(c.passed, 101);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bios_keys),
		cmocka_unit_test(test_serial_keys),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_edit),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_random_editing),
		cmocka_unit_test(test_ticks_are_counted),
		cmocka_unit_test(test_time_passes_without_ticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
