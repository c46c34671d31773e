/*
 * test_crc.c - kernel/lib/crc32.c against the definition, bit by bit.
 *
 * SOURCES: kernel/lib/crc32.c
 */
#include "host.h"
#include <lib/crc32.h>

static uint32_t
by_definition(const uint8_t *p, size_t n)
{
	uint32_t crc = 0xffffffff;

	while (n-- > 0) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void
fill(uint8_t *p, size_t n)
{
	uint32_t x = 2463534242u;

	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		p[i] = (uint8_t)x;
	}
}

static void
test_known(void **state)
{
	(void)state;
	assert_int_equal(crc32(0, "", 0), 0);
	assert_int_equal(crc32(0, "123456789", 9), 0xcbf43926);
	assert_int_equal(crc32(0, "The quick brown fox jumps over the lazy dog", 43), 0x414fa339);
}

/* Each byte value in each place of a step, at each alignment. */
static void
test_definition(void **state)
{
	uint8_t buf[600];

	(void)state;
	fill(buf, sizeof(buf));
	for (size_t off = 0; off < 5; off++) {
		for (size_t n = 0; n < 300; n++)
			assert_int_equal(crc32(0, buf + off, n), by_definition(buf + off, n));
	}
	for (unsigned b = 0; b < 256; b++) {
		for (size_t at = 0; at < 5; at++) {
			uint8_t five[5] = {0, 0, 0, 0, 0};

			five[at] = (uint8_t)b;
			assert_int_equal(crc32(0, five, 5), by_definition(five, 5));
		}
	}
}

static void
test_pieces(void **state)
{
	uint8_t buf[257];

	(void)state;
	fill(buf, sizeof(buf));
	for (size_t cut = 0; cut <= sizeof(buf); cut++) {
		const uint32_t first = crc32(0, buf, cut);

		assert_int_equal(crc32(first, buf + cut, sizeof(buf) - cut),
				 by_definition(buf, sizeof(buf)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_definition),
		cmocka_unit_test(test_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
