/*
 * test_lib.c - the library as the kernel's compiler options build it, and the log.
 *
 * The thorough tests are in tests/host: these see that the same sources work in here.
 */
#include "tests.h"
#include <kern/clock.h>
#include <lib/crc32.h>
#include <lib/printf.h>
#include <lib/string.h>

void
test_lib_memory(void)
{
	uint8_t a[200], b[200];

	for (unsigned n = 0; n <= 140; n++) {
		for (unsigned off = 0; off < 3; off++) {
			memset(a, 0xee, sizeof(a));
			memset(b, 0x11, sizeof(b));
			memset(a + off + 8, 0x5a, n);
			CHECK(a[off + 7] == 0xee && a[off + 8 + n] == 0xee);
			memcpy(b + 8, a + off + 8, n);
			CHECK(b[7] == 0x11 && b[8 + n] == 0x11);
			CHECK_EQ(memcmp(b + 8, a + off + 8, n), 0);
		}
	}
	for (unsigned i = 0; i < sizeof(a); i++)
		a[i] = (uint8_t)i;
	memmove(a + 3, a, 150);
	CHECK(a[3] == 0 && a[152] == 149 && a[2] == 2);
	memmove(a, a + 3, 150);
	CHECK(a[0] == 0 && a[149] == 149);
}

void
test_lib_printf(void)
{
	char buf[80];

	CHECK_EQ(snprintf(buf, sizeof(buf), "%5d|%-5u|%05x|%+ld|%.3s|%*s|%p", -42, 7u, 0xabcu, 5L,
			  "abcdef", 4, "x", (void *)0xffffffff80000000UL),
		 48);
	CHECK(strcmp(buf, "  -42|7    |00abc|+5|abc|   x|0xffffffff80000000") == 0);
	CHECK_EQ(snprintf(buf, 5, "%llu", 18446744073709551615ULL), 20);
	CHECK(strcmp(buf, "1844") == 0);
}

void
test_lib_crc32(void)
{
	CHECK_EQ(crc32(0, "123456789", 9), 0xcbf43926);
}

static uint64_t
next_record(void)
{
	struct log_record r;
	uint64_t seq = 0;

	while (log_read(seq, &r))
		seq = r.seq + 1;
	return seq;
}

/* Level, time, order; too long a line is cut, a newline at its end dropped. */
void
test_log_record(void)
{
	const uint64_t first = next_record();
	const uint64_t before = clock_ns();
	struct log_record r;
	char long_line[LOG_LINE_MAX + 100];

	memset(long_line, 'y', sizeof(long_line) - 1);
	long_line[sizeof(long_line) - 1] = '\0';
	log_debug("number %d\n", 17);
	log_debug("%s", long_line);
	CHECK(log_read(first, &r));
	CHECK_EQ(r.seq, first);
	CHECK_EQ(r.level, LOG_DEBUG);
	CHECK(strcmp(r.text, "number 17") == 0);
	CHECK(r.time_ns >= before && r.time_ns <= clock_ns());
	CHECK(log_read(first + 1, &r));
	CHECK_EQ(strlen(r.text), LOG_LINE_MAX - 1);
	CHECK(!log_read(first + 2, &r));
}

/* More than the ring holds: the newest stay, none damaged, numbered without a gap. */
void
test_log_wrap(void)
{
	enum { N = 1500, FILL = 200 };
	const uint64_t first = next_record();
	struct log_record r;
	uint64_t seq, seen = 0;
	char expected[FILL + 20], fill[FILL + 1];

	memset(fill, '-', FILL);
	fill[FILL] = '\0';
	for (unsigned i = 0; i < N; i++)
		log_debug("wrap %u %.*s", i, (int)(i % FILL), fill);
	CHECK(log_read(0, &r));
	CHECK(r.seq > first);
	for (seq = r.seq; log_read(seq, &r); seq++) {
		const unsigned i = (unsigned)(seq - first);

		CHECK_EQ(r.seq, seq);
		(void)snprintf(expected, sizeof(expected), "wrap %u %.*s", i, (int)(i % FILL),
			       fill);
		CHECK(strcmp(r.text, expected) == 0);
		seen++;
	}
	CHECK_EQ(seq, first + N);
	CHECK(seen >= 200 && seen < 500); /* the bytes ran out, not the slots */
}
