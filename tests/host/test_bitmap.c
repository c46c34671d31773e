/*
 * test_bitmap.c - kernel/lib/bitmap.c against a plain array of bools, with random operations.
 *
 * SOURCES: kernel/lib/bitmap.c
 */
#include "host.h"
#include <lib/bitmap.h>

#define BITS   300
#define ROUNDS 20000

static uint64_t map[BITMAP_WORDS(BITS)];
static bool model[BITS];
static uint64_t seed = 0x9e3779b97f4a7c15;

static size_t
below(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed >> 20) % n;
}

static size_t
model_find(size_t start, size_t end, bool value)
{
	for (size_t i = start; i < end; i++) {
		if (model[i] == value)
			return i;
	}
	return BITMAP_NONE;
}

static size_t
model_run(size_t start, size_t end, size_t n, size_t align)
{
	for (size_t i = start; i < end; i++) {
		size_t len = 0;

		if (i % align != 0)
			continue;
		while (i + len < end && len < n && model[i + len])
			len++;
		if (len == n)
			return i;
	}
	return BITMAP_NONE;
}

static size_t
model_count(size_t start, size_t end)
{
	size_t n = 0;

	for (size_t i = start; i < end; i++)
		n += model[i];
	return n;
}

static void
check_all(void)
{
	const size_t start = below(BITS + 1), end = start + below(BITS + 1 - start);
	const size_t n = 1 + below(70), align = (size_t)1 << below(7);

	for (size_t i = 0; i < BITS; i++)
		assert_int_equal(bitmap_test(map, i), model[i]);
	assert_int_equal(bitmap_count(map, start, end), model_count(start, end));
	assert_int_equal(bitmap_find_set(map, start, end), model_find(start, end, true));
	assert_int_equal(bitmap_find_clear(map, start, end), model_find(start, end, false));
	assert_int_equal(bitmap_find_set_run(map, start, end, n, align),
			 model_run(start, end, n, align));
}

static void
test_random(void **state)
{
	(void)state;
	for (unsigned r = 0; r < ROUNDS; r++) {
		const size_t start = below(BITS), end = start + below(BITS + 1 - start);
		const size_t bit = below(BITS);

		switch (below(4)) {
		case 0:
			bitmap_set(map, bit);
			model[bit] = true;
			break;
		case 1:
			bitmap_clear(map, bit);
			model[bit] = false;
			break;
		case 2:
			bitmap_set_range(map, start, end);
			for (size_t i = start; i < end; i++)
				model[i] = true;
			break;
		default:
			bitmap_clear_range(map, start, end);
			for (size_t i = start; i < end; i++)
				model[i] = false;
		}
		check_all();
	}
}

/* Every range over two words' border. */
static void
test_ranges(void **state)
{
	(void)state;
	for (size_t start = 0; start <= 130; start++) {
		for (size_t end = start; end <= 192; end++) {
			uint64_t m[3] = {0, 0, 0};

			bitmap_set_range(m, start, end);
			assert_int_equal(bitmap_count(m, 0, 192), end - start);
			assert_int_equal(bitmap_find_set(m, 0, 192),
					 start < end ? start : BITMAP_NONE);
			bitmap_clear_range(m, start, end);
			assert_int_equal(m[0] | m[1] | m[2], 0);
		}
	}
}

static void
test_nothing(void **state)
{
	uint64_t m[1] = {~0ULL};

	(void)state;
	assert_int_equal(bitmap_find_set(m, 5, 5), BITMAP_NONE);
	assert_int_equal(bitmap_find_clear(m, 0, 64), BITMAP_NONE);
	assert_int_equal(bitmap_find_set_run(m, 0, 64, 0, 1), BITMAP_NONE);
	assert_int_equal(bitmap_find_set_run(m, 0, 64, 65, 1), BITMAP_NONE);
	assert_int_equal(bitmap_find_set_run(m, 0, 64, SIZE_MAX, 1), BITMAP_NONE);
	assert_int_equal(bitmap_find_set_run(m, 0, 64, 64, 64), 0);
	assert_int_equal(bitmap_find_set_run(m, 1, 64, 1, 1ULL << 63), BITMAP_NONE);
	assert_int_equal(bitmap_count(m, 7, 7), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
