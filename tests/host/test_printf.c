/*
 * test_printf.c - kernel/lib/printf.c: what it prints is what libc prints.
 *
 * SOURCES: kernel/lib/printf.c kernel/lib/string.c
 * CFLAGS: -Wno-format -Wno-format-security
 *
 * Random formats from a fixed seed, each with random arguments, and the corners by hand.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ROUNDS 200000
#define SIZE   256

static int __attribute__((format(printf, 3, 0)))
libc_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	return vsnprintf(buf, size, fmt, ap);
}

#include "rename.h"
#include <lib/printf.h>
#include <lib/string.h>

/* Both, into buffers of the same size; the results must agree to the last byte. */
static void
same(size_t size, const char *fmt, ...)
{
	char ours[SIZE], theirs[SIZE];
	va_list ap;
	int n, m;

	memset(ours, '~', sizeof(ours));
	memset(theirs, '~', sizeof(theirs));
	va_start(ap, fmt);
	n = vsnprintf(ours, size, fmt, ap);
	va_end(ap);
	va_start(ap, fmt);
	m = libc_vsnprintf(theirs, size, fmt, ap);
	va_end(ap);
	if (n != m || strcmp(ours, theirs) != 0)
		fail_msg("\"%s\": %d \"%s\", libc %d \"%s\"", fmt, n, ours, m, theirs);
	assert_memory_equal(ours + MIN((size_t)m + 1, size), theirs + MIN((size_t)m + 1, size),
			    SIZE - MIN((size_t)m + 1, size));
}

static uint64_t seed = 0x123456789abcdef;

static uint64_t
rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static unsigned
below(unsigned n)
{
	return (unsigned)(rnd() >> 33) % n;
}

/* Small, large, and next to powers of two. */
static uint64_t
random_value(void)
{
	switch (below(4)) {
	case 0: return below(20);
	case 1: return (1ULL << below(64)) - below(2);
	case 2: return 0 - (uint64_t)below(1000);
	default: return rnd() >> below(64);
	}
}

static char *
random_spec(char *f, const char *flags)
{
	for (; *flags != '\0'; flags++) {
		if (below(4) == 0)
			*f++ = *flags;
	}
	if (below(2) == 0)
		f += snprintf(f, 8, "%u", below(40));
	if (below(3) == 0)
		f += snprintf(f, 8, ".%u", below(30));
	return f;
}

static void
random_integer(char *f, char *fmt)
{
	static const char *const sizes[] = {"hh", "h", "", "l", "ll", "z", "t", "j"};
	static const char convs[] = "diuxXo";
	const unsigned s = below(8);

	f = random_spec(f, "-0+ #");
	f += strlcpy(f, sizes[s], 4);
	*f++ = convs[below(6)];
	strlcpy(f, ">", 2);
	if (s < 3)
		same(SIZE - below(SIZE - 1), fmt, (int)random_value());
	else
		same(SIZE - below(SIZE - 1), fmt, random_value());
}

static void
random_string(char *f, char *fmt)
{
	static const char *const words[] = {"", "x", "hello", "a longer text with spaces"};

	f = random_spec(f, "-");
	strlcpy(f, "s>", 3);
	same(SIZE - below(SIZE - 1), fmt, words[below(4)]);
}

static void
test_random(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		char fmt[64] = "<%";

		if (below(8) == 0)
			random_string(fmt + 2, fmt);
		else
			random_integer(fmt + 2, fmt);
	}
}

static void
test_corners(void **state)
{
	(void)state;
	same(SIZE, "");
	same(SIZE, "plain");
	same(SIZE, "100%%");
	same(SIZE, "%d %d", INT_MIN, INT_MAX);
	same(SIZE, "%ld %ld", LONG_MIN, LONG_MAX);
	same(SIZE, "%lu %llx", ULONG_MAX, ULLONG_MAX);
	same(SIZE, "%u %x %o %X", 0u, 0u, 0u, 0u);
	same(SIZE, "%.0d|%.0x|%#.0o|%#o|%#x", 0, 0u, 0u, 0u, 0u);
	same(SIZE, "%*d|%-*d|%*d", 6, 1, 6, 2, -6, 3);
	same(SIZE, "%.*s|%.*s|%.*d", 2, "abc", -1, "abc", -5, 7);
	same(SIZE, "%p", (void *)0x1234);
	same(SIZE, "%20p|%-20p|", (void *)0xffffffff80100000UL, (void *)1);
	same(SIZE, "%c%c%5c%-5c|", 'a', 'b', 'c', 'd');
	same(SIZE, "%s|%10s|%-10s|%.2s", "", "right", "left", "cut");
	same(SIZE, "%hhd %hhu %hd %hu", 300, 300, 70000, 70000);
	same(SIZE, "%zu %zd %td %ju", (size_t)-1, (ssize_t)-1, (ptrdiff_t)-2, (uintmax_t)-3);
	same(SIZE, "%s", (char *)NULL);
	same(SIZE, "%+d % d %+d % d", 5, 5, -5, -5);
	same(SIZE, "%-05d|%+05d|% 05d|%05d", 5, 5, 5, -5);
	same(SIZE, "%100d", 5);
	same(1, "%d", 12345);
	same(5, "%d", 12345);
	same(6, "%d", 12345);
}

/* A precision says how much of a string may be read: it need not end in NUL. */
static void
test_unterminated(void **state)
{
	char *s = malloc(3), buf[16];

	(void)state;
	assert_non_null(s);
	memcpy(s, "xyz", 3);
	assert_int_equal(snprintf(buf, sizeof(buf), "%.3s", s), 3);
	assert_string_equal(buf, "xyz");
	free(s);
}

static void
test_size_zero(void **state)
{
	char c = 'q';

	(void)state;
	assert_int_equal(snprintf(&c, 0, "hello %d", 5), 7);
	assert_int_equal(c, 'q');
	assert_int_equal(snprintf(NULL, 0, "hello"), 5);
}

/* What is no conversion of ours is printed as it stands, and takes no argument. */
static void
test_unknown(void **state)
{
	const char *absurd = "%99999999999d";
	char buf[32];

	(void)state;
	snprintf(buf, sizeof(buf), "%k %d", 1);
	assert_string_equal(buf, "%k 1");
	snprintf(buf, sizeof(buf), "end %");
	assert_string_equal(buf, "end %");
	snprintf(buf, sizeof(buf), "end %-5l");
	assert_string_equal(buf, "end %-5l");
	snprintf(buf, sizeof(buf), absurd, 1);
	assert_int_equal(strlen(buf), 31);
}

struct pieces {
	char text[64];
	size_t used;
	unsigned calls;
};

static void
collect(void *arg, const char *s, size_t n)
{
	struct pieces *p = arg;

	assert_true(n > 0);
	memcpy(p->text + p->used, s, n);
	p->used += n;
	p->calls++;
}

static int
to_sink(struct pieces *p, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vfmt(collect, p, fmt, ap);
	va_end(ap);
	return n;
}

static void
test_sink(void **state)
{
	struct pieces p = {.used = 0};

	(void)state;
	assert_int_equal(to_sink(&p, "one %d two %s\n", 1, "two"), 14);
	assert_int_equal(p.used, 14);
	assert_memory_equal(p.text, "one 1 two two\n", 14);
	assert_true(p.calls <= 5); /* not byte by byte */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),	     cmocka_unit_test(test_corners),
		cmocka_unit_test(test_unterminated), cmocka_unit_test(test_size_zero),
		cmocka_unit_test(test_unknown),	     cmocka_unit_test(test_sink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
