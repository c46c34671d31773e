/*
 * test_keep.c - the log that outlives a reboot: what was written comes back, in order, from whichever
 * half; a torn header costs one record; damage is noticed and nothing else is read.
 *
 * SOURCES: kernel/keep.c kernel/lib/crc32.c kernel/lib/string.c kernel/lib/printf.c
 */
#include "host.h"
#include <kern/keep.h>
#include <lib/errno.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <time.h>

static struct keep_area area, before;
static uint64_t random_state;

/* xorshift64*, below @n. */
static uint64_t
rnd(uint64_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1dULL >> 11) % n;
}

static void
seed(void)
{
	const char *s = getenv("SEED");

	random_state = s != NULL ? strtoull(s, NULL, 0) : (uint64_t)time(NULL);
	print_message("SEED=%llu\n", (unsigned long long)random_state);
	random_state |= 1ULL << 63;
}

static void
fill_random(void)
{
	for (size_t i = 0; i < sizeof(area); i++)
		((uint8_t *)&area)[i] = (uint8_t)rnd(256);
}

/* Record number @n: its text and length follow from it. */
static size_t
text_of(unsigned n, char *out)
{
	const size_t len = 8 + n * 37 % (KEEP_TEXT_MAX - 8);

	for (size_t i = 0; i < len; i++)
		out[i] = (char)('a' + (n + i) % 26);
	(void)snprintf(out, 8, "%07u", n);
	return len;
}

static void
append(struct keep *k, unsigned n)
{
	struct keep_record r = {.time_ns = n, .level = (uint8_t)(n % 5), .kind = KEEP_LINE};
	char text[KEEP_TEXT_MAX];

	keep_append(k, &area, &r, text, text_of(n, text));
}

/*
 * Read the log in @past: records @first and so on without a gap.  Returns the number of the last one
 * plus 1, and in *@first where it began; *@result is the last keep_read()'s.
 */
static unsigned
read_all(const struct keep_past *past, unsigned *first, int *result)
{
	uint64_t pos = past->header.start;
	struct keep_record r;
	char text[KEEP_TEXT_MAX], expected[KEEP_TEXT_MAX];
	unsigned next = 0;
	bool any = false;

	while ((*result = keep_read(past, &area, &pos, &r, text)) == 1) {
		if (!any)
			*first = next = (unsigned)r.time_ns;
		any = true;
		assert_int_equal(r.time_ns, next);
		assert_int_equal(r.level, next % 5);
		assert_int_equal(r.len, text_of(next, expected));
		assert_memory_equal(text, expected, r.len);
		next++;
	}
	return next;
}

static void
test_nothing_in_garbage(void **state)
{
	struct keep_past past;

	(void)state;
	memset(&area, 0, sizeof(area));
	keep_find(&area, &past);
	assert_false(past.found || past.refused);
	for (int i = 0; i < 20; i++) {
		fill_random();
		keep_find(&area, &past);
		assert_false(past.found || past.refused);
	}
}

/* Boots of random length, each read by the next; the ring goes round in some. */
static void
test_boots(void **state)
{
	unsigned written = 0;

	(void)state;
	fill_random();
	for (unsigned boot = 1; boot < 60; boot++) {
		struct keep_past past;
		struct keep k;
		unsigned first = 0;
		int result;

		keep_find(&area, &past);
		assert_int_equal(past.found, boot > 1);
		if (past.found) {
			assert_int_equal(past.header.boot, boot - 1);
			assert_int_equal(read_all(&past, &first, &result), written);
			assert_int_equal(result, 0);
			assert_true(written < 150 ? first == 0 : written - first > 100);
		}
		keep_begin(&k, &area, &past);
		written = 1 + (unsigned)rnd(boot % 3 == 0 ? 1000 : 60);
		for (unsigned i = 0; i < written; i++)
			append(&k, i);
		if (past.found) /* still there */
			(void)read_all(&past, &first, &result);
		assert_int_equal(past.found ? result : 0, 0);
	}
}

/* A reset while the newest header is written: some of its bytes are new, the others old. */
static void
test_torn_header(void **state)
{
	struct keep_past past;
	struct keep k;

	(void)state;
	memset(&area, 0, sizeof(area));
	keep_find(&area, &past);
	keep_begin(&k, &area, &past);
	append(&k, 0);
	for (unsigned n = 1; n < 2000; n++) {
		struct keep_past now;
		struct keep_header whole;
		unsigned first = 0, which;
		const size_t cut = rnd(sizeof(whole));
		int result;

		before = area;
		append(&k, n);
		which = (unsigned)(k.now.update % 2);
		whole = area.half[k.half].header[which];
		memcpy((uint8_t *)&area.half[k.half].header[which] + cut,
		       (uint8_t *)&before.half[k.half].header[which] + cut, sizeof(whole) - cut);
		keep_find(&area, &now);
		assert_true(now.found);
		assert_in_range(read_all(&now, &first, &result), n, n + 1);
		assert_int_equal(result, 0);
		area.half[k.half].header[which] = whole;
	}
}

/* One byte of the ring changed: everything before it is read, nothing behind it. */
static void
test_damage(void **state)
{
	struct keep_past past;
	struct keep k;

	(void)state;
	memset(&area, 0, sizeof(area));
	keep_find(&area, &past);
	keep_begin(&k, &area, &past);
	for (unsigned n = 0; n < 500; n++)
		append(&k, n);
	keep_find(&area, &past);
	before = area;
	for (int i = 0; i < 300; i++) {
		uint8_t *byte = &area.half[past.half].ring[rnd(KEEP_RING_SIZE)];
		const uint64_t at = (uint64_t)(byte - area.half[past.half].ring);
		const bool used = (at + KEEP_RING_SIZE - past.header.start % KEEP_RING_SIZE) %
					  KEEP_RING_SIZE <
				  past.header.end - past.header.start;
		unsigned first = 0;
		int result;

		*byte ^= (uint8_t)(1 + rnd(255));
		(void)read_all(&past, &first, &result);
		assert_int_equal(result, used ? -EIO : 0);
		area = before;
	}
}

static void
test_refused(void **state)
{
	struct keep_past past;
	struct keep k;

	(void)state;
	memset(&area, 0, sizeof(area));
	keep_find(&area, &past);
	keep_begin(&k, &area, &past);
	append(&k, 0);
	for (int i = 0; i < 2; i++)
		area.half[k.half].header[i].end ^= 1;
	keep_find(&area, &past);
	assert_false(past.found);
	assert_true(past.refused);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_in_garbage),
		cmocka_unit_test(test_boots),
		cmocka_unit_test(test_torn_header),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_refused),
	};

	seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
