/*
 * test_timescale.c - simulated counters of every width: no wrap loses or adds a nanosecond.
 *
 * SOURCES: kernel/lib/string.c
 *
 * The model is the true count as a 64-bit number that never wraps; the scale sees its low bits.
 * SEED=n repeats a run.
 */
#include "host.h"
#include <lib/timescale.h>
#include <time.h>

static const struct counter {
	const char *name;
	unsigned bits;
	uint64_t hz;
} counters[] = {
	{"PIT", 16, 1193182},
	{"PM timer, 24 bits", 24, 3579545},
	{"PM timer", 32, 3579545},
	{"HPET", 32, 14318180},
	{"HPET of QEMU", 32, 100000000},
	{"HPET, 64 bits", 64, 14318180},
	{"TSC", 64, 2995123456},
	{"slow TSC", 64, 10000000},
};

static uint64_t state;

static uint64_t
rnd(void)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return state >> 33 | state << 31;
}

static int
seed(void **unused)
{
	const char *given = getenv("SEED");

	state = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
	print_message("SEED=%llu\n", (unsigned long long)state);
	return 0;
}

static struct timescale
make(const struct counter *c, uint64_t count)
{
	struct timescale s = {.mask = timescale_mask(c->bits), .rate = timescale_rate(c->hz)};

	timescale_start(&s, count, 0);
	return s;
}

/* Time that @counts take at exactly the scale's rate. */
static uint64_t
exact(const struct timescale *s, uint64_t counts)
{
	return (uint64_t)((unsigned __int128)counts * s->rate >> 32);
}

/* The rate itself is right to one part in 10^8. */
static void
rates(void **unused)
{
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		const struct counter *c = &counters[i];
		const struct timescale s = make(c, 0);
		const uint64_t minute = exact(&s, c->hz * 60);

		assert_in_range(minute, 60000000000ULL - 600, 60000000000ULL + 600);
	}
}

/* A start and an end at every position around the wrap, the base moved or not. */
static void
wraps_everywhere(void **unused)
{
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		const struct counter *c = &counters[i];
		const uint64_t step = (timescale_mask(c->bits) >> 9) + 1;

		for (unsigned at = 0; at < 512; at++) {
			for (unsigned go = 0; go <= 440; go += 5) { /* of 512: up to 7/8 */
				const uint64_t from = at * step + rnd() % step, counts = go * step;
				struct timescale s = make(c, from);

				assert_true(timescale_ns(&s, (from + counts) & s.mask) ==
					    exact(&s, counts));
				assert_true(timescale_advance(&s, (from + counts) & s.mask) ==
					    exact(&s, counts));
			}
		}
	}
}

/* Every single position of the narrowest counter. */
static void
every_count_of_the_pit(void **unused)
{
	for (uint64_t from = 0; from < 65536; from++) {
		struct timescale s = make(&counters[0], from);

		assert_true(timescale_ns(&s, (from + 1) & 0xffff) == exact(&s, 1));
		assert_true(timescale_ns(&s, (from + 50000) & 0xffff) == exact(&s, 50000));
		assert_true(timescale_ns(&s, from) == 0);
	}
}

/* Many wraps, looked at at random times, none later than half the range: not a nanosecond is lost, ever. */
static void
long_run(void **unused)
{
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		const struct counter *c = &counters[i];
		const uint64_t first = rnd() & timescale_mask(c->bits);
		struct timescale s = make(c, first);
		const uint64_t most = c->bits <= 32 ? s.mask / 2 : c->hz * 100;
		uint64_t total = 0, last = 0;

		for (unsigned step = 0; step < 20000; step++) {
			uint64_t ns;

			total += rnd() % (most + 1);
			ns = timescale_ns(&s, (first + total) & s.mask);
			assert_true(ns == exact(&s, total));
			assert_true(ns >= last);
			last = ns;
			assert_true(timescale_advance(&s, (first + total) & s.mask) == ns);
		}
		if (c->bits <= 32)
			assert_true(total > s.mask * 1000);
	}
}

/* A reading from before the base, as another processor or an overtaken reader makes it: time stands. */
static void
never_backwards(void **unused)
{
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		const struct counter *c = &counters[i];
		struct timescale s = make(c, rnd());
		uint64_t now = s.base_count, last = 0;

		for (unsigned step = 0; step < 20000; step++) {
			const uint64_t back = rnd() % (s.mask / 16),
				       reading = (now - back) & s.mask;
			uint64_t ns;

			now = (now + rnd() % MIN(s.mask / 4, BIT(40))) & s.mask;
			ns = timescale_advance(&s, now);
			assert_true(ns >= last);
			assert_true(timescale_ns(&s, reading) >= last);
			last = ns;
			ns = timescale_ns(&s, (now - back) & s.mask); /* "jumps" back */
			assert_true(ns == last);
			assert_true(timescale_advance(&s, (now - back) & s.mask) == last);
		}
	}
}

/* Another rate from here on: no jump at the change, and the new rate after it. */
static void
rate_changes_without_a_jump(void **unused)
{
	struct timescale s = make(&counters[6], 0);
	uint64_t count = 0;

	for (unsigned step = 0; step < 10000; step++) {
		const uint64_t before = timescale_ns(&s, count += rnd() % 3000000000);
		const uint64_t rate = timescale_rate(2900000000 + rnd() % 200000000);

		assert_true(timescale_advance(&s, count) == before);
		s.rate = rate;
		assert_true(timescale_ns(&s, count) == before);
		assert_true(timescale_ns_64(&s, count) == before);
		assert_true(timescale_ns_64(&s, count - 1000) == before);
		assert_in_range(timescale_ns(&s, count + 1000000) - before, 1000000 * rate >> 32,
				(1000000 * rate >> 32) + 1);
	}
}

static void
reach(void **unused)
{
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		const struct counter *c = &counters[i];
		const struct timescale s = make(c, 0);

		if (c->bits == 64) { /* a lifetime */
			assert_true(timescale_reach(&s) > 50ULL * 365 * 86400 * 1000000000ULL);
			continue;
		}
		/* Read that late it is still right, and half as much again later. */
		assert_true(timescale_ns(&s, s.mask / 2) == timescale_reach(&s));
		assert_true(timescale_ns(&s, s.mask / 4 * 3) == exact(&s, s.mask / 4 * 3));
	}
	assert_in_range(timescale_reach(&(struct timescale){.mask = 0xffff,
							    .rate = timescale_rate(1193182)}),
			27000000, 28000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),
		cmocka_unit_test(wraps_everywhere),
		cmocka_unit_test(every_count_of_the_pit),
		cmocka_unit_test(long_run),
		cmocka_unit_test(never_backwards),
		cmocka_unit_test(rate_changes_without_a_jump),
		cmocka_unit_test(reach),
	};

	return cmocka_run_group_tests(tests, seed, NULL);
}
