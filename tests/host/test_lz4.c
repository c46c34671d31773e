/*
 * test_lz4.c - the loader's LZ4 decoder: on what the tool lz4 packs, and on anything else.
 *
 * SOURCES: boot/stage2/lz4.c kernel/lib/string.c
 *
 * Each buffer is a malloc() of exactly its size, so that ASan sees a byte read or written outside.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include "host.h"
#include <lib/errno.h>
#include <lib/string.h>
#include "lz4.h"

#undef snprintf /* for the path of a file: the C library's */

static uint32_t seed;

static uint32_t
rnd(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)seed * n >> 32);
}

/* A frame by hand: header with content size @size, then one block, then the end mark. */
static uint8_t *
frame_of(const void *block, uint32_t n, uint32_t size, size_t *length)
{
	static const uint8_t head[6] = {0x04, 0x22, 0x4d, 0x18, 0x68, 0x70};
	uint8_t *f = calloc(1, 15 + 4 + n + 4);

	memcpy(f, head, sizeof(head));
	memcpy(f + 6, &size, 4);
	memcpy(f + 15, &n, 4);
	memcpy(f + 19, block, n);
	*length = 15 + 4 + n + 4;
	return f;
}

/* Unpack from and to buffers of exactly the right size; the result is the caller's. */
static int
unpack(const uint8_t *data, size_t n, struct lz4_frame *f, uint8_t **out)
{
	uint8_t *copy = malloc(n ? n : 1);
	int error;

	*out = NULL;
	memcpy(copy, data, n);
	error = lz4_open(f, copy, n);
	if (error == 0 && f->size > 1 << 22)
		error = -EINVAL; /* damaged by the fuzzer: no gigabytes for that */
	else if (error == 0) {
		*out = malloc(f->size ? f->size : 1);
		error = lz4_unpack(f, copy, n, *out);
	}
	free(copy);
	return error;
}

static void
expect(const void *block, uint32_t n, uint32_t size, const char *content, const char *why)
{
	struct lz4_frame f;
	size_t length;
	uint8_t *frame = frame_of(block, n, size, &length), *out;
	const int error = unpack(frame, length, &f, &out);

	if (content) {
		assert_int_equal(error, 0);
		assert_memory_equal(out, content, size);
	} else {
		assert_int_equal(error, -EINVAL);
		assert_string_equal(f.why, why);
	}
	free(out);
	free(frame);
}

static void
test_blocks_by_hand(void **state)
{
	expect("\x50hello", 6, 5, "hello", NULL);
	expect("\x13"
	       "a\x01\x00\x10"
	       "b",
	       6, 9, "aaaaaaaab", NULL);
	expect("\x35"
	       "abc\x03\x00\x10"
	       "d",
	       8, 13, "abcabcabcabcd", NULL);
	expect("\x1f"
	       "a\x01\x00\x00\x10"
	       "b",
	       7, 21, "aaaaaaaaaaaaaaaaaaaab", NULL);
	expect("\x50hello", 6, 4, NULL, "LZ4 content longer than its header says");
	expect("\x50hello", 6, 6, NULL, "LZ4 content shorter than its header says");
	expect("\x60hello", 6, 6, NULL, "LZ4 data cut off");
	expect("\xf0\xff\xff", 3, 6, NULL, "LZ4 data cut off");
	expect("\x1f"
	       "a\x01\x00\xff",
	       5, 600, NULL, "LZ4 data cut off");
	expect("\x10"
	       "a\x01",
	       3, 5, NULL, "LZ4 data cut off");
	expect("\x10"
	       "a\x02\x00",
	       4, 5, NULL, "LZ4 match before the beginning");
	expect("\x10"
	       "a\x00\x00",
	       4, 5, NULL, "LZ4 match before the beginning");
	expect("\x13"
	       "a\x01\x00",
	       4, 7, NULL, "LZ4 content longer than its header says");
}

static void
test_headers(void **state)
{
	struct lz4_frame f;
	size_t n;
	uint8_t *frame = frame_of("\x50hello", 6, 5, &n), *out;
	static const struct {
		uint8_t at, value;
		const char *why;
	} wrong[] = {
		{0, 5, "no LZ4 frame"},
		{4, 0xa8, "no LZ4 frame"},
		{4, 0x69, "LZ4 frame that needs a dictionary"},
		{4, 0x60, "LZ4 frame without content size (lz4 --content-size)"},
		{9, 0x11, "LZ4 content larger than 256 MiB"},
		{12, 1, "LZ4 content larger than 256 MiB"},
		{15, 7, "LZ4 data cut off"},
		{16, 1, "LZ4 data cut off"},
		{17, 0x80, "LZ4 data cut off"},
		{18, 1, "LZ4 data cut off"},
		{4, 0x6c, "LZ4 frame with other bytes behind it"}, /* a sum, but none there */
		{25, 1, "LZ4 data cut off"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const uint8_t old = frame[wrong[i].at];

		frame[wrong[i].at] = wrong[i].value;
		assert_int_equal(unpack(frame, n, &f, &out), -EINVAL);
		if (wrong[i].at != 15 && wrong[i].at != 25)
			assert_string_equal(f.why, wrong[i].why);
		frame[wrong[i].at] = old;
		free(out);
	}
	for (size_t cut = 0; cut < n; cut++) {
		assert_int_equal(unpack(frame, cut, &f, &out), -EINVAL);
		free(out);
	}
	free(frame);
}

static uint8_t *
read_all(const char *path, size_t *n)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	*n = (size_t)ftell(file);
	rewind(file);
	data = malloc(*n ? *n : 1);
	assert_int_equal(fread(data, 1, *n, file), *n);
	fclose(file);
	return data;
}

/* Pieces of what came before, runs with short periods, and noise. */
static void
fill(uint8_t *data, uint32_t n)
{
	for (uint32_t at = 0; at < n;) {
		const uint32_t kind = rnd(3);
		uint32_t length = rnd(kind == 0 ? 30 : 300) + 1;
		const uint32_t distance = kind == 1 ? rnd(9) + 1 : rnd(at + 1) + 1;

		for (; length > 0 && at < n; length--, at++)
			data[at] = kind == 0 || distance > at ? (uint8_t)rnd(256)
							      : data[at - distance];
	}
}

/* Pack @size bytes of @data with the tool; NULL if it is not installed. */
static uint8_t *
pack(const uint8_t *data, size_t size, const char *options, size_t *n)
{
	char plain[] = "/tmp/minos-lz4-XXXXXX", packed[64], command[256];
	const int fd = mkstemp(plain);
	uint8_t *result = NULL;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
	snprintf(packed, sizeof(packed), "%s.lz4", plain);
	snprintf(command, sizeof(command), "lz4 -q -f --content-size %s %s %s", options, plain,
		 packed);
	if (system(command) == 0)
		result = read_all(packed, n);
	unlink(plain);
	unlink(packed);
	return result;
}

static const char *const options[] = {"-1", "-12 --favor-decSpeed --no-frame-crc -B7", "-9 -B4 -BD",
				      "-1 -B4 -BX", "-1 --fast=50 -BI"};

/* Frames with some bytes wrong or the end missing: an error, or all bytes were written. */
static void
damage(const uint8_t *frame, size_t n, uint32_t rounds)
{
	uint8_t *wrong = malloc(n), *out;
	struct lz4_frame f;

	for (uint32_t i = 0; i < rounds; i++) {
		uint32_t changes = rnd(4) + 1;
		const size_t length = rnd(4) ? n : rnd((uint32_t)n);

		memcpy(wrong, frame, n);
		while (changes-- > 0)
			wrong[rnd(2) ? rnd((uint32_t)n) : rnd(MIN(n, 64U))] = (uint8_t)rnd(256);
		if (unpack(wrong, length, &f, &out) == 0)
			assert_true(f.out == f.out_end);
		else
			assert_non_null(f.why ? f.why : "too large");
		free(out);
	}
	free(wrong);
}

static void
test_against_the_tool(void **state)
{
	seed = (uint32_t)time(NULL);
	if (system("lz4 --version > /dev/null 2>&1") != 0)
		skip();
	print_message("seed %u\n", seed);
	for (uint32_t round = 0; round < 30; round++) {
		const uint32_t size = rnd(3) ? rnd(5000) + 1 : rnd(200000) + 1;
		uint8_t *data = malloc(size), *out;
		struct lz4_frame f;
		size_t n;
		uint8_t *frame;

		fill(data, size);
		frame = pack(data, size, options[round % 5], &n);
		assert_non_null(frame);
		assert_int_equal(unpack(frame, n, &f, &out), 0);
		assert_int_equal(f.size, size);
		assert_memory_equal(out, data, size);
		free(out);
		damage(frame, n, size > 5000 ? 50 : 500);
		free(frame);
		free(data);
	}
}

/* Blocks of noise: most fail at once, so tokens with short lengths are more likely. */
static void
test_noise(void **state)
{
	seed = (uint32_t)time(NULL) * 3;
	print_message("seed %u\n", seed);
	for (uint32_t round = 0; round < 20000; round++) {
		uint8_t block[400], *frame, *out;
		const uint32_t n = rnd(sizeof(block)) + 1;
		struct lz4_frame f;
		size_t length;

		for (uint32_t i = 0; i < n; i++)
			block[i] = (uint8_t)(rnd(4) ? rnd(20) : rnd(256));
		frame = frame_of(block, n, rnd(2000), &length);
		if (unpack(frame, length, &f, &out) == 0)
			assert_true(f.out == f.out_end);
		else
			assert_non_null(f.why);
		free(out);
		free(frame);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks_by_hand),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_against_the_tool),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
