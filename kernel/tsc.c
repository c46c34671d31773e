/*
 * tsc.c - how fast the time stamp counter counts, measured against channel 2 of the PIT.
 *
 * One count of the PIT takes 0.84 us, and reading it takes about 3 us on real machines: a single
 * pair of readings a third of a millisecond apart would be off by up to a percent.  So readings
 * are taken where the counter changes, SAMPLES of them at each end of the window, and the rate is the mean
 * of the middle half of the SAMPLES rates: emulators and system management interrupts make outliers.
 */
#include <kern/clock_source.h>
#include <dev/pit.h>
#include <x86/cpu.h>

#define SAMPLES	      8
#define WINDOW_COUNTS 400    /* 335 us between the two ends */
#define UNCHANGED_MAX 4096   /* readings with the same result: nothing counts there */
#define READINGS_MAX  200000 /* by then the window has passed on any machine */
#define PLAUSIBLE_MIN 10000000ULL
#define PLAUSIBLE_MAX 20000000000ULL

struct sample {
	uint64_t tsc;
	uint16_t count;
};

/* Wait until the count has dropped below @from by @least, and note when.  0 or -ENODEV. */
static int
wait_change(uint16_t from, uint16_t least, struct sample *out)
{
	uint16_t last = from;
	unsigned unchanged = 0;

	for (unsigned i = 0; i < READINGS_MAX && unchanged < UNCHANGED_MAX; i++) {
		const uint64_t tsc = rdtsc();
		const uint16_t count = pit_ruler_read();

		if ((uint16_t)(from - count) >= least && count != last) {
			*out = (struct sample){.tsc = tsc, .count = count};
			return 0;
		}
		unchanged = count == last ? unchanged + 1 : 0;
		last = count;
	}
	return -ENODEV;
}

static int
take_samples(uint16_t from, uint16_t least, struct sample *s)
{
	for (unsigned i = 0; i < SAMPLES; i++) {
		if (wait_change(from, least, &s[i]) != 0)
			return -ENODEV;
		from = s[i].count;
		least = 1;
	}
	return 0;
}

static void
sort(uint64_t *v, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		const uint64_t x = v[i];
		unsigned j = i;

		for (; j > 0 && v[j - 1] > x; j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
}

static uint64_t
rate(const struct sample *begin, const struct sample *end)
{
	uint64_t hz[SAMPLES], sum = 0;

	for (unsigned i = 0; i < SAMPLES; i++) {
		const uint16_t counts = (uint16_t)(begin[i].count - end[i].count);

		hz[i] = (end[i].tsc - begin[i].tsc) * PIT_HZ / counts;
	}
	sort(hz, SAMPLES);
	for (unsigned i = SAMPLES / 4; i < SAMPLES * 3 / 4; i++)
		sum += hz[i];
	return sum / (SAMPLES / 2);
}

uint64_t
tsc_calibrate(void)
{
	struct sample begin[SAMPLES], end[SAMPLES];
	uint64_t hz = 0;

	pit_ruler_start();
	if (take_samples(pit_ruler_read(), 1, begin) == 0 &&
	    take_samples(begin[SAMPLES - 1].count, WINDOW_COUNTS, end) == 0)
		hz = rate(begin, end);
	if (hz < PLAUSIBLE_MIN || hz > PLAUSIBLE_MAX)
		return 0;
	return hz;
}
