/*
 * test_mp.c - the MP Floating Pointer Structure: right, damaged, cut short, random.
 *
 * SOURCES: drivers/mp_parse.c drivers/acpi_parse.c drivers/acpi_timers.c kernel/lib/string.c
 */
#include "host.h"
#include <dev/acpi.h>
#include <dev/mp.h>
#include <lib/errno.h>
#include <lib/string.h>

static void
make(uint8_t *p, uint8_t revision, uint8_t feature2)
{
	memset(p, 0, MP_POINTER_SIZE);
	memcpy(p, "_MP_", 4);
	p[8] = 1;
	p[9] = revision;
	p[12] = feature2;
	p[10] = (uint8_t)-acpi_sum(p, MP_POINTER_SIZE);
}

static void
right(void **state)
{
	uint8_t p[MP_POINTER_SIZE];
	bool imcr;

	make(p, 4, 0x80);
	assert_int_equal(mp_parse_pointer(p, sizeof(p), &imcr), 0);
	assert_true(imcr);
	make(p, 1, 0x7f);
	assert_int_equal(mp_parse_pointer(p, sizeof(p), &imcr), 0);
	assert_false(imcr);
}

static void
wrong(void **state)
{
	uint8_t p[MP_POINTER_SIZE];
	bool imcr;

	make(p, 4, 0x80);
	for (size_t n = 0; n < MP_POINTER_SIZE; n++)
		assert_int_equal(mp_parse_pointer(p, n, &imcr), -EINVAL);
	make(p, 2, 0);
	assert_int_equal(mp_parse_pointer(p, sizeof(p), &imcr), -EINVAL);
	make(p, 4, 0);
	p[8] = 2;
	p[10]--; /* the checksum stays right */
	assert_int_equal(mp_parse_pointer(p, sizeof(p), &imcr), -EINVAL);
	for (size_t i = 0; i < MP_POINTER_SIZE; i++) { /* any bit flipped */
		make(p, 4, 0x80);
		p[i] ^= 1;
		assert_int_equal(mp_parse_pointer(p, sizeof(p), &imcr), -EINVAL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(right), cmocka_unit_test(wrong)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
