/*
 * test_ustar.c - the reader of tar archives: what GNU tar and pax write, and what nobody should.
 *
 * SOURCES: fs/ustar.c kernel/lib/string.c
 */
#include <time.h>
#include "host.h"
#include <lib/string.h>
#include <fs/ustar.h>
#include "tar_seal.h"

static uint8_t archive[65536];
static size_t size;
static struct ustar u;

/* An entry with @length bytes of @data; its header. */
static uint8_t *
add(char type, const char *name, const char *data, size_t length)
{
	uint8_t *h = archive + size;
	char text[16];

	memset(h, 0, 512);
	memcpy(h, name, strlen(name));
	memcpy(h + 100,
	       "0000640\0"
	       "0000012\0"
	       "0000013",
	       24);
	(void)sprintf(text, "%011o", (unsigned)length);
	memcpy(h + 124, text, 12);
	memcpy(h + 136, "00000000017", 12);
	h[156] = (uint8_t)type;
	memcpy(h + 257, "ustar\00000", 8);
	seal(h);
	memset(h + 512, 0, (length + 511) & ~511UL);
	memcpy(h + 512, data, length);
	size += 512 + ((length + 511) & ~511UL);
	return h;
}

static int
setup(void **state)
{
	memset(archive, 0, sizeof(archive));
	size = 0;
	return 0;
}

static void
begin(void)
{
	ustar_begin(&u, archive, size);
}

static void
expect_end(void)
{
	assert_false(ustar_next(&u));
	assert_null(u.error);
	assert_ptr_equal(u.at, archive + size);
}

static void
expect(char type, const char *name)
{
	assert_true(ustar_next(&u));
	assert_null(u.entry.problem);
	assert_int_equal(u.entry.type, type);
	assert_string_equal(u.entry.name, name);
}

static void
expect_error(const char *why, size_t at)
{
	assert_false(ustar_next(&u));
	assert_non_null(u.error);
	assert_string_equal(u.error, why);
	assert_int_equal(u.at - u.start, at);
}

static void
test_every_kind(void **state)
{
	uint8_t *h;

	add('0', "file", "hello", 5);
	memcpy(add('1', "hard", "", 0) + 100 + 57, "file", 4);
	seal(archive + size - 512);
	h = add('2', "soft", "", 0);
	memcpy(h + 157, "../file", 7);
	seal(h);
	h = add('3', "chr", "", 0);
	memcpy(h + 329,
	       "0000001\0"
	       "0000003",
	       16);
	seal(h);
	add('4', "blk", "", 0);
	add('5', "dir/", "", 0);
	add('6', "fifo", "", 0);
	add('\0', "old/", "", 0);
	add('7', "contiguous", "", 0);
	begin();
	expect('0', "file");
	assert_int_equal(u.entry.size, 5);
	assert_memory_equal(u.entry.data, "hello", 5);
	assert_int_equal(u.entry.mode, 0640);
	assert_int_equal(u.entry.uid, 10);
	assert_int_equal(u.entry.gid, 11);
	assert_int_equal(u.entry.mtime, 15);
	expect('1', "hard");
	assert_string_equal(u.entry.link, "file");
	expect('2', "soft");
	assert_string_equal(u.entry.link, "../file");
	expect('3', "chr");
	assert_int_equal(u.entry.major, 1);
	assert_int_equal(u.entry.minor, 3);
	expect('4', "blk");
	expect('5', "dir/");
	expect('6', "fifo");
	expect('5', "old/");
	expect('0', "contiguous");
	expect_end();
}

static void
test_names_in_two_parts(void **state)
{
	uint8_t *h = add('0', "tail", "", 0);

	memset(h + 345, 'p', 155);
	memset(h, 't', 100);
	seal(h);
	begin();
	assert_true(ustar_next(&u));
	assert_int_equal(strlen(u.entry.name), 155 + 1 + 100);
	assert_int_equal(u.entry.name[155], '/');
	/* GNU's format has other things there. */
	memcpy(h + 257, "ustar  ", 8);
	seal(h);
	begin();
	assert_true(ustar_next(&u));
	assert_int_equal(strlen(u.entry.name), 100);
}

static void
test_long_names_of_gnu(void **state)
{
	char name[300], link[400];

	memset(name, 'n', sizeof(name));
	memset(link, 'l', sizeof(link));
	add('L', "././@LongLink", name, sizeof(name));
	add('K', "././@LongLink", link, sizeof(link));
	add('2', "short", "", 0);
	add('0', "next", "", 0);
	begin();
	assert_true(ustar_next(&u));
	assert_int_equal(strlen(u.entry.name), 300);
	assert_int_equal(strlen(u.entry.link), 400);
	expect('0', "next");
	assert_string_equal(u.entry.link, "");
	expect_end();
}

static void
test_pax_records(void **state)
{
	static const char records[] = "12 path=a/b\n"
				      "16 linkpath=c/d\n"
				      "9 size=3\n"
				      "20 mtime=1.5 blank \n"
				      "20 SCHILY.xattr.x=y\n";

	add('g', "global", "22 comment=for others\n", 22);
	add('x', "././@PaxHeader", records, sizeof(records) - 1);
	add('0', "ignored", "xyz", 3);
	add('0', "next", "", 0);
	begin();
	expect('0', "a/b");
	assert_string_equal(u.entry.link, "c/d");
	assert_int_equal(u.entry.size, 3);
	expect('0', "next");
	assert_int_equal(u.entry.size, 0);
	expect_end();
}

static void
test_wrong_pax_records(void **state)
{
	static const char *const wrong[] = {
		"path=a\n",   "99 path=a\n", "9 path=ab\n",
		"8 path=ab",  "3 =\n",	     "10 patha\n\n\n",
		"0 path=a\n", "9 size=x\n",  "99999999999999999999 a=b\n"};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		setup(NULL);
		add('0', "first", "", 0);
		add('x', "pax", wrong[i], strlen(wrong[i]));
		add('0', "next", "", 0);
		begin();
		expect('0', "first");
		if (i == 4) /* an empty keyword is none of ours */
			continue;
		expect_error("wrong PAX record", 512);
	}
}

static void
test_large_and_absurd_numbers(void **state)
{
	uint8_t *h = add('0', "file", "abc", 3);

	memcpy(h + 124, "\x80\0\0\0\0\0\0\0\0\0\0\3", 12); /* base 256 */
	seal(h);
	begin();
	expect('0', "file");
	assert_int_equal(u.entry.size, 3);
	memset(h + 124, 0xff, 12);
	seal(h);
	begin();
	expect_error("size is no number", 0);
	memcpy(h + 124, "77777777777", 12);
	seal(h);
	begin();
	expect_error("member longer than the archive", 0);
	memcpy(h + 124, "00000000003", 12);
	memcpy(h + 108, "09x", 4);
	seal(h);
	begin();
	expect_error("a field is no number", 0);
}

static void
test_what_cannot_be_used(void **state)
{
	char name[5000];

	memset(name, 'n', sizeof(name));
	add('L', "././@LongLink", name, sizeof(name));
	add('0', "short", "", 0);
	add('S', "sparse", "data", 4);
	add('0', "", "", 0);
	add('0', "good", "", 0);
	begin();
	assert_true(ustar_next(&u));
	assert_string_equal(u.entry.problem, "name too long");
	assert_int_equal(strlen(u.entry.name), USTAR_NAME_MAX - 1);
	assert_true(ustar_next(&u));
	assert_string_equal(u.entry.problem, "of a kind that is not known");
	assert_true(ustar_next(&u));
	assert_string_equal(u.entry.problem, "without a name");
	expect('0', "good");
	expect_end();
}

static void
test_cut_and_damaged(void **state)
{
	add('0', "first", "", 0);
	add('0', "second", "abc", 3);
	for (size_t i = 0; i < 512; i++) {
		if (i == 155)
			continue; /* behind the checksum's end */
		archive[512 + i] ^= 1;
		begin();
		expect('0', "first");
		assert_false(ustar_next(&u));
		assert_non_null(u.error);
		archive[512 + i] ^= 1;
	}
	ustar_begin(&u, archive, 700);
	expect('0', "first");
	expect_error("cut short", 512);
	ustar_begin(&u, archive, 1026);
	expect('0', "first");
	expect_error("member longer than the archive", 512);
	ustar_begin(&u, archive, size + 1024); /* with its end marker */
	expect('0', "first");
	expect('0', "second");
	assert_false(ustar_next(&u));
	assert_null(u.error);
}

/* Whatever stands there: no byte outside is read (ASan), names end, data lies within, it comes to an end. */
static void
test_random_damage(void **state)
{
	uint64_t seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : (uint64_t)time(NULL);

	print_message("seed %llu\n", (unsigned long long)seed);
	srandom((unsigned)seed);
	for (int round = 0; round < 20000; round++) {
		static const char pax[] = "12 path=a/b\n9 size=3\n";
		uint8_t *copy;
		size_t n, entries = 0;

		setup(NULL);
		add('0', "file", "hello", 5);
		add('x', "pax", pax, sizeof(pax) - 1);
		add('0', "x", "abc", 3);
		add('L', "long", "a/long/name", 11);
		add('2', "link", "", 0);
		n = (size_t)random() % (size + 1);
		for (long k = random() % 6; k > 0; k--)
			archive[random() % (long)size] = (uint8_t)random();
		for (size_t at = 0; at < size && random() % 4; at += 512)
			seal(archive + at);
		copy = malloc(n ? n : 1);
		memcpy(copy, archive, n);
		ustar_begin(&u, copy, n);
		while (ustar_next(&u)) {
			assert_true(strnlen(u.entry.name, USTAR_NAME_MAX) < USTAR_NAME_MAX);
			assert_true(strnlen(u.entry.link, USTAR_NAME_MAX) < USTAR_NAME_MAX);
			assert_true(u.entry.data >= copy &&
				    u.entry.data + u.entry.size <= copy + n);
			assert_true(++entries <= n / 512);
		}
		assert_true(u.at >= copy && u.at <= copy + n);
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_every_kind, setup),
		cmocka_unit_test_setup(test_names_in_two_parts, setup),
		cmocka_unit_test_setup(test_long_names_of_gnu, setup),
		cmocka_unit_test_setup(test_pax_records, setup),
		cmocka_unit_test_setup(test_wrong_pax_records, setup),
		cmocka_unit_test_setup(test_large_and_absurd_numbers, setup),
		cmocka_unit_test_setup(test_what_cannot_be_used, setup),
		cmocka_unit_test_setup(test_cut_and_damaged, setup),
		cmocka_unit_test_setup(test_random_damage, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
