/*
 * test_string.c - kernel/lib/string.c against libc, at every alignment and with guard bytes.
 *
 * SOURCES: kernel/lib/string.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* libc's own, before their names become ours. */
static void *(*const libc_memmove)(void *, const void *, size_t) = memmove;
static int (*const libc_strcmp)(const char *, const char *) = strcmp;
static char *(*const libc_strstr)(const char *, const char *) = strstr;

#include "rename.h"
#include <lib/errno.h>
#include <lib/string.h>

#define GUARD 0xa5

static int
sign(int x)
{
	return (x > 0) - (x < 0);
}

/* Exactly @n bytes, so that ASan sees the first one too many. */
static uint8_t *
exact(const void *from, size_t n)
{
	uint8_t *p = malloc(n > 0 ? n : 1);

	assert_non_null(p);
	libc_memmove(p, from, n);
	return p;
}

static void
test_memcpy(void **state)
{
	uint8_t src[160], dst[200];

	(void)state;
	for (size_t i = 0; i < sizeof(src); i++)
		src[i] = (uint8_t)(i * 7 + 1);
	for (size_t n = 0; n <= 140; n++) {
		for (size_t s = 0; s < 9; s++) {
			for (size_t d = 0; d < 9; d++) {
				for (size_t i = 0; i < sizeof(dst); i++)
					dst[i] = GUARD;
				assert_ptr_equal(memcpy(dst + 16 + d, src + s, n), dst + 16 + d);
				for (size_t i = 0; i < sizeof(dst); i++) {
					const size_t at = i - 16 - d;

					assert_int_equal(dst[i], at < n ? src[s + at] : GUARD);
				}
			}
		}
	}
}

static void
test_memmove(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 150; n++) {
		for (size_t from = 0; from < 20; from++) {
			for (size_t to = 0; to < 20; to++) {
				uint8_t a[200], b[200];

				for (size_t i = 0; i < sizeof(a); i++)
					a[i] = b[i] = (uint8_t)(i ^ 0x35);
				assert_ptr_equal(memmove(a + to, a + from, n), a + to);
				libc_memmove(b + to, b + from, n);
				assert_memory_equal(a, b, sizeof(a));
			}
		}
	}
}

static void
test_memset(void **state)
{
	uint8_t a[200];

	(void)state;
	for (size_t n = 0; n <= 150; n++) {
		for (size_t off = 0; off < 9; off++) {
			for (size_t i = 0; i < sizeof(a); i++)
				a[i] = GUARD;
			assert_ptr_equal(memset(a + off, 0x1fe, n), a + off);
			for (size_t i = 0; i < sizeof(a); i++)
				assert_int_equal(a[i], i - off < n ? 0xfe : GUARD);
		}
	}
}

static void
test_memcmp_memchr(void **state)
{
	uint8_t a[64], b[64];

	(void)state;
	for (size_t n = 1; n <= 40; n++) {
		for (size_t at = 0; at < n; at++) {
			uint8_t *x, *y;

			memset(a, 0x80, sizeof(a));
			memset(b, 0x80, sizeof(b));
			a[at] = 0x7f;
			b[at] = 0xff; /* bytes compare unsigned */
			b[n - 1] = at == n - 1 ? b[n - 1] : 0;
			x = exact(a, n);
			y = exact(b, n);
			assert_true(memcmp(x, y, n) < 0);
			assert_true(memcmp(y, x, n) > 0);
			assert_int_equal(memcmp(x, y, at), 0);
			assert_ptr_equal(memchr(x, 0x17f, n), x + at);
			assert_null(memchr(x, 0x11, n));
			free(x);
			free(y);
		}
	}
	assert_null(memchr(a, 0x80, 0));
}

static void
test_lengths(void **state)
{
	char *s = (char *)exact("hello", 6);
	char *open_end = (char *)exact("world", 5);

	(void)state;
	assert_int_equal(strlen(""), 0);
	assert_int_equal(strlen(s), 5);
	assert_int_equal(strnlen(s, 3), 3);
	assert_int_equal(strnlen(s, 100), 5);
	assert_int_equal(strnlen(open_end, 5), 5);
	free(s);
	free(open_end);
}

static void
test_compare(void **state)
{
	static const char *const words[] = {"", "a", "b", "ab", "abc", "abd", "aB", "\xff", "\x7f"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(words); j++)
			assert_int_equal(sign(strcmp(words[i], words[j])),
					 sign(libc_strcmp(words[i], words[j])));
	}
	assert_int_equal(strncmp("abcx", "abcy", 3), 0);
	assert_true(strncmp("abcx", "abcy", 4) < 0);
	assert_int_equal(strncmp("x", "y", 0), 0);
	assert_int_equal(strcasecmp("HeLLo-1", "hEllO-1"), 0);
	assert_true(strcasecmp("a", "B") < 0);
	assert_true(strcasecmp("ab", "A") > 0);
	assert_int_not_equal(strcasecmp("[", "{"), 0); /* only letters have a case */
	assert_int_not_equal(strcasecmp("@", "`"), 0);
}

static void
test_search(void **state)
{
	const char *s = "abcabcabd";

	(void)state;
	assert_ptr_equal(strchr(s, 'c'), s + 2);
	assert_ptr_equal(strchr(s, 0), s + 9);
	assert_null(strchr(s, 'x'));
	assert_ptr_equal(strrchr(s, 'a'), s + 6);
	assert_ptr_equal(strrchr(s, 0), s + 9);
	assert_null(strrchr(s, 'x'));
	assert_ptr_equal(strstr(s, "abd"), libc_strstr(s, "abd"));
	assert_ptr_equal(strstr(s, ""), s);
	assert_null(strstr(s, "abdx"));
	assert_null(strstr("", "a"));
	assert_ptr_equal(strstr(s, s), s);
}

static void
test_strlcpy(void **state)
{
	char buf[8];

	(void)state;
	memset(buf, 'x', sizeof(buf));
	assert_int_equal(strlcpy(buf, "abc", sizeof(buf)), 3);
	assert_string_equal(buf, "abc");
	assert_int_equal(strlcpy(buf, "abcdefghij", sizeof(buf)), 10);
	assert_string_equal(buf, "abcdefg");
	assert_int_equal(strlcpy(buf, "zzz", 1), 3);
	assert_string_equal(buf, "");
	buf[0] = 'q';
	assert_int_equal(strlcpy(buf, "zzz", 0), 3);
	assert_int_equal(buf[0], 'q');
}

static void
expect_number(const char *s, int base, uint64_t v)
{
	uint64_t out = ~v;

	assert_int_equal(parse_u64(s, base, &out), 0);
	assert_true(out == v);
}

static void
expect_error(const char *s, int base, int error)
{
	uint64_t out = 4711;

	assert_int_equal(parse_u64(s, base, &out), error);
	assert_int_equal(out, 4711);
}

static void
test_parse(void **state)
{
	(void)state;
	expect_number("0", 0, 0);
	expect_number("42", 0, 42);
	expect_number("0x2a", 0, 42);
	expect_number("0X2A", 0, 42);
	expect_number("010", 0, 10); /* no octal: it surprises more often than it helps */
	expect_number("2a", 16, 42);
	expect_number("0x2a", 16, 42);
	expect_number("18446744073709551615", 10, UINT64_MAX);
	expect_number("ffffffffffffffff", 16, UINT64_MAX);
	expect_number("0000000000000000000000000000000000017", 10, 17);
	expect_error("18446744073709551616", 10, -ERANGE);
	expect_error("99999999999999999999", 10, -ERANGE);
	expect_error("10000000000000000", 16, -ERANGE);
	expect_error("", 0, -EINVAL);
	expect_error("0x", 0, -EINVAL);
	expect_error("0x1g", 0, -EINVAL);
	expect_error("0x10", 10, -EINVAL);
	expect_error("12a", 10, -EINVAL);
	expect_error("-1", 0, -EINVAL);
	expect_error(" 1", 0, -EINVAL);
	expect_error("1 ", 0, -EINVAL);
	expect_error("\xb1", 16, -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memcpy),	cmocka_unit_test(test_memmove),
		cmocka_unit_test(test_memset),	cmocka_unit_test(test_memcmp_memchr),
		cmocka_unit_test(test_lengths), cmocka_unit_test(test_compare),
		cmocka_unit_test(test_search),	cmocka_unit_test(test_strlcpy),
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
