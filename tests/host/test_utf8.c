/*
 * test_utf8.c - UTF-8 decoding and encoding, character widths, code page 437.
 *
 * SOURCES: drivers/utf8.c drivers/cp437.c
 */
#include "host.h"
#include <dev/utf8.h>

/* Decode @n bytes; returns how many characters. */
static size_t
decode(const char *s, size_t n, uint32_t *out, size_t max)
{
	struct utf8 u = {0};
	size_t count = 0;

	for (size_t i = 0; i < n;) {
		uint32_t cp;
		const enum utf8_result r = utf8_feed(&u, (uint8_t)s[i], &cp);

		if (r != UTF8_MORE) {
			assert_true(count < max);
			out[count++] = cp;
		}
		if (r != UTF8_AGAIN)
			i++;
	}
	return count;
}

static void
every_character_survives(void **state)
{
	for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
		char bytes[UTF8_MAX];
		uint32_t back[4];
		size_t n;

		if (cp == 0xd800)
			cp = 0xe000;
		n = utf8_encode(cp, bytes);
		assert_int_equal(decode(bytes, n, back, 4), 1);
		assert_int_equal(back[0], cp);
	}
}

static void
known_encodings(void **state)
{
	char b[UTF8_MAX];

	assert_int_equal(utf8_encode(0xe4, b), 2);
	assert_memory_equal(b, "\xc3\xa4", 2);
	assert_int_equal(utf8_encode(0x20ac, b), 3);
	assert_memory_equal(b, "\xe2\x82\xac", 3);
	assert_int_equal(utf8_encode(0x1f600, b), 4);
	assert_memory_equal(b, "\xf0\x9f\x98\x80", 4);
	assert_int_equal(utf8_encode(0xd800, b), 3); /* a surrogate is no character */
	assert_memory_equal(b, "\xef\xbf\xbd", 3);
	assert_int_equal(utf8_encode(0x110000, b), 3);
}

/* Spec: The Unicode Standard, "U+FFFD Substitution of Maximal Subparts", its tables of examples. */
static void
malformed(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		uint32_t expect[12];
		size_t count;
	} cases[] = {
		{"\x80", 1, {0xfffd}, 1},
		{"\xff\xfe", 2, {0xfffd, 0xfffd}, 2},
		{"\xc0\xaf", 2, {0xfffd, 0xfffd}, 2}, /* overlong / */
		{"\xe0\x80\xaf", 3, {0xfffd, 0xfffd, 0xfffd}, 3},
		{"\xed\xa0\x80", 3, {0xfffd, 0xfffd, 0xfffd}, 3}, /* surrogate */
		{"\xf4\x90\x80\x80", 4, {0xfffd, 0xfffd, 0xfffd, 0xfffd}, 4},
		{"\xe2\x82"
		 "A",
		 3,
		 {0xfffd, 'A'},
		 2}, /* cut short: one replacement */
		{"\xf0\x9f\x98\xc3\xa4", 5, {0xfffd, 0xe4}, 2},
		{"\xc3\x1b", 2, {0xfffd, 0x1b}, 2},
		{"A\xe1\x80\xe2\xf0\x91\x92\xf1\xbf"
		 "B",
		 10,
		 {'A', 0xfffd, 0xfffd, 0xfffd, 0xfffd, 'B'},
		 6},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t got[12];

		assert_int_equal(decode(cases[i].bytes, cases[i].n, got, 12), cases[i].count);
		for (size_t k = 0; k < cases[i].count; k++)
			assert_int_equal(got[k], cases[i].expect[k]);
	}
}

static void
widths(void **state)
{
	assert_int_equal(unicode_width('a'), 1);
	assert_int_equal(unicode_width(0xe4), 1);
	assert_int_equal(unicode_width(0x301), 0);
	assert_int_equal(unicode_width(0x200d), 0);
	assert_int_equal(unicode_width(0x4e2d), 2);
	assert_int_equal(unicode_width(0xac00), 2);
	assert_int_equal(unicode_width(0x1f600), 2);
	assert_int_equal(unicode_width(0x2500), 1);
	assert_int_equal(unicode_width(UTF8_REPLACEMENT), 1);
}

static void
cp437_both_ways(void **state)
{
	/* Every glyph has a character that leads back to it. */
	for (unsigned c = 1; c < 256; c++)
		assert_int_equal(cp437_from_unicode(cp437_to_unicode((uint8_t)c)), c);
}

static void
cp437_chosen(void **state)
{
	assert_int_equal(cp437_from_unicode(0xe4), 0x84);   /* ä */
	assert_int_equal(cp437_from_unicode(0xdf), 0xe1);   /* ß */
	assert_int_equal(cp437_from_unicode(0xe9), 0x82);   /* é */
	assert_int_equal(cp437_from_unicode(0xa7), 0x15);   /* § */
	assert_int_equal(cp437_from_unicode(0xb0), 0xf8);   /* ° */
	assert_int_equal(cp437_from_unicode(0xc0), 'A');    /* À: without its accent */
	assert_int_equal(cp437_from_unicode(0x20ac), 0xee); /* €: an epsilon */
	assert_int_equal(cp437_from_unicode(0x2500), 0xc4);
	assert_int_equal(cp437_from_unicode(0x2501), 0xc4); /* heavy as light */
	assert_int_equal(cp437_from_unicode(0x2557), 0xbb);
	assert_int_equal(cp437_from_unicode(0x256d), 0xda); /* round corner */
	assert_int_equal(cp437_from_unicode(0x2588), 0xdb);
	assert_int_equal(cp437_from_unicode(0x4e2d), '?');
	assert_int_equal(cp437_from_unicode(0x10ffff), '?');
	assert_int_equal(cp437_from_unicode(UTF8_REPLACEMENT), 0xfe);
	for (uint32_t cp = 0x7f; cp < 0xa0; cp++)
		assert_int_equal(cp437_from_unicode(cp), '?');
	/* Nothing prints as NUL, and Latin-1 shows as something but a question mark. */
	for (uint32_t cp = 0x20; cp < 0x10000; cp++)
		assert_true(cp437_from_unicode(cp) != 0);
	for (uint32_t cp = 0xa0; cp <= 0xff; cp++)
		if (cp != 0xbe)
			assert_true(cp437_from_unicode(cp) != '?');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_character_survives),
		cmocka_unit_test(known_encodings),
		cmocka_unit_test(malformed),
		cmocka_unit_test(widths),
		cmocka_unit_test(cp437_both_ways),
		cmocka_unit_test(cp437_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
