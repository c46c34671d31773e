/*
 * test_tar.c - the check of an initrd that has no checksum of ours.
 *
 * SOURCES: boot/stage2/tar.c kernel/lib/string.c
 */
#include <time.h>
#include "host.h"
#include <lib/string.h>
#include <boot/tar.h>
#include "tar_seal.h"

static uint8_t archive[8192];
static size_t size;

static void
add(const char *name, size_t length)
{
	uint8_t *h = archive + size;
	char text[16];

	memset(h, 0, 512);
	memcpy(h, name, strlen(name));
	(void)sprintf(text, "%011o", (unsigned)length);
	memcpy(h + 124, text, 12);
	memcpy(h + 257, "ustar\00000", 8);
	seal(h);
	memset(h + 512, 'x', length);
	size += 512 + ((length + 511) & ~511UL);
}

static int
setup(void **state)
{
	memset(archive, 0, sizeof(archive));
	size = 0;
	add("README", 700);
	add("empty", 0);
	add("bin/sh", 512);
	return 0;
}

static const char *
check(size_t n, size_t *at)
{
	uint8_t *copy = malloc(n ? n : 1);
	const char *why;

	memcpy(copy, archive, n);
	why = tar_check(copy, n, at);
	free(copy);
	return why;
}

static void
test_sound(void **state)
{
	size_t at;

	assert_null(check(size, &at));
	assert_int_equal(at, size);
	assert_null(check(size + 1024, &at)); /* with its end marker */
	assert_int_equal(at, size);
}

static void
test_damaged_header(void **state)
{
	size_t at;

	for (size_t i = 0; i < 512; i++) {
		setup(NULL);
		archive[2048 + i] ^= 0x01; /* third header */
		if (i == 155)
			continue; /* behind the checksum's end */
		assert_non_null(check(size, &at));
		assert_int_equal(at, 2048);
	}
}

static void
test_cut(void **state)
{
	size_t at;

	assert_string_equal(check(0, &at), "empty");
	assert_string_equal(check(100, &at), "cut short");
	assert_string_equal(check(1100, &at), "member longer than the archive");
	assert_string_equal(check(size - 1, &at), "member longer than the archive");
}

static void
test_absurd_size(void **state)
{
	size_t at;

	memcpy(archive + 124, "77777777777", 12);
	seal(archive);
	assert_string_equal(check(size, &at), "member longer than the archive");
	memcpy(archive + 124, "00000009999", 12);
	seal(archive);
	assert_string_equal(check(size, &at), "member longer than the archive");
}

static void
test_random_damage(void **state)
{
	uint64_t seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : (uint64_t)time(NULL);
	size_t at;

	print_message("seed %llu\n", (unsigned long long)seed);
	srandom((unsigned)seed);
	for (int round = 0; round < 20000; round++) {
		const size_t n = (size_t)random() % (sizeof(archive) + 1);

		setup(NULL);
		for (long k = random() % 6; k > 0; k--)
			archive[random() % (long)size] = (uint8_t)random();
		if (random() % 2)
			seal(archive);
		(void)check(n, &at);
		assert_true(at <= n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sound, setup),
		cmocka_unit_test(test_damaged_header),
		cmocka_unit_test_setup(test_cut, setup),
		cmocka_unit_test_setup(test_absurd_size, setup),
		cmocka_unit_test(test_random_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
