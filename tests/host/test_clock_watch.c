/*
 * test_clock_watch.c - the check of the TSC, in a simulated machine.
 *
 * SOURCES: kernel/clock_watch.c kernel/lib/string.c
 *
 * True time is a number of nanoseconds; each counter makes its count from it, at its true rate, and each
 * reading takes a while.  The kernel's idea of the TSC's rate is what the watch shall put right.
 */
#include "host.h"
#include <kern/clock.h>
#include <kern/clock_source.h>
#include <lib/string.h>
#include <lib/timescale.h>
#include <x86/cpu.h>

#define TSC_HZ 2500000000ULL

struct cpu_features cpu_features;
const struct clock_source *clock_tsc;

static uint64_t now;	    /* true time, ns */
static uint64_t reading_ns; /* how long a reading takes */
static uint64_t stall_ns;   /* the next reading takes so much longer */
static double true_tsc_hz, tsc_count;
static double ref_error;   /* of the reference: 0.01 = one percent fast */
static uint64_t kernel_ns; /* the kernel's clock */
static bool tsc_rejected, ref_rejected;
static unsigned corrections;
static uint64_t longest_gap, last_read; /* between readings of the reference */

static void
pass(uint64_t ns)
{
	now += ns;
	tsc_count += (double)ns * true_tsc_hz / 1e9;
	kernel_ns += (uint64_t)((double)ns * true_tsc_hz / (double)clock_tsc->hz);
}

static uint64_t
read_tsc(void)
{
	return (uint64_t)tsc_count;
}

static struct clock_source tsc = {"tsc", 300, 64, TSC_HZ, read_tsc};
static const struct clock_source *ref;

static uint64_t
read_ref(void)
{
	pass(reading_ns / 2 + stall_ns);
	stall_ns = 0;
	longest_gap = MAX(longest_gap, now - last_read);
	last_read = now;
	return (uint64_t)((double)now * (double)ref->hz / 1e9 * (1 + ref_error)) &
	       timescale_mask(ref->bits);
}

static const struct clock_source refs[] = {
	{"pit", 100, 16, 1193182, read_ref},
	{"pm", 200, 24, 3579545, read_ref},
	{"hpet", 250, 32, 14318180, read_ref},
	{"hpet", 250, 32, 100000000, read_ref},
};

uint64_t
clock_source_read(const struct clock_source *src)
{
	const uint64_t count = src->read();

	if (src != &tsc)
		pass(reading_ns / 2);
	return count;
}

const struct clock_source *
clock_source_reference(const struct clock_source *src)
{
	return ref_rejected ? NULL : ref;
}

bool
clock_source_rejected(const struct clock_source *src)
{
	return src == &tsc ? tsc_rejected : ref_rejected;
}

void
clock_source_reject(const struct clock_source *src)
{
	if (src == &tsc)
		tsc_rejected = true;
	else
		ref_rejected = true;
}

const struct clock_source *
clock_source_current(void)
{
	return tsc_rejected ? ref : &tsc;
}

const char *
clock_source(void)
{
	return clock_source_current()->name;
}

void
clock_set_tsc_hz(uint64_t hz)
{
	tsc.hz = hz;
	corrections++;
}

void
klog(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

/* Let @ns pass, with a timer interrupt at least every @interrupt_ns, and when the watch wants one. */
static void
run(uint64_t ns, uint64_t interrupt_ns)
{
	const uint64_t end = now + ns;

	while (now < end) {
		const uint64_t wanted =
			clock_watch_next_ns > kernel_ns ? clock_watch_next_ns - kernel_ns : 0;
		const uint64_t step = MIN(interrupt_ns, wanted);

		pass(MAX(step, 1000) + 2000); /* never quite on time */
		if (kernel_ns >= clock_watch_next_ns)
			clock_watch(kernel_ns);
	}
}

/* A fresh machine; the watch's own state starts over with a reference that it has not seen. */
static void
boot(const struct clock_source *reference, double measured_error)
{
	static const struct clock_source nobody = {"nobody", 1, 32, 1000000, read_ref};

	cpu_features.invariant_tsc = false;
	clock_tsc = &tsc;
	true_tsc_hz = (double)TSC_HZ;
	tsc.hz = (uint64_t)((double)TSC_HZ * (1 + measured_error));
	ref = reference != NULL ? reference : &nobody;
	ref_error = 0;
	reading_ns = 1000;
	tsc_rejected = ref_rejected = false;
	corrections = 0;
	clock_watch_reset();
	last_read = now;
	longest_gap = 0;
}

static double
error_ppm(void)
{
	return ((double)tsc.hz / true_tsc_hz - 1) * 1e6;
}

#define FOR_EACH_REF(i) for (size_t i = 0; i < sizeof(refs) / sizeof(refs[0]); i++)

/* Measured badly at boot, right to a few millionths soon after, whatever there is to compare with. */
static void
corrects(void **state)
{
	FOR_EACH_REF(i)
	{
		for (int error = -900; error <= 900; error += 300) {
			boot(&refs[i], error / 1e6);
			run(20 * NS_PER_SEC, 500 * NS_PER_MS);
			assert_true(corrections >= 1);
			assert_true(error_ppm() > -3 && error_ppm() < 3);
			assert_false(tsc_rejected || ref_rejected);
		}
	}
}

/* It asks for its looks so early that the reference cannot have wrapped unseen. */
static void
looks_in_time(void **state)
{
	FOR_EACH_REF(i)
	{
		const struct timescale s = {.mask = timescale_mask(refs[i].bits),
					    .rate = timescale_rate(refs[i].hz)};

		boot(&refs[i], 0);
		run(900 * NS_PER_MS, NS_PER_SEC * 1000); /* no other interrupt ever */
		assert_in_range(longest_gap, 1000, timescale_reach(&s) + NS_PER_MS);
		run(100 * NS_PER_SEC, NS_PER_SEC * 1000);
		assert_true(corrections >= 1 && error_ppm() > -3 && error_ppm() < 3);
	}
}

/* Interrupts came so late that the reference has wrapped: that stretch says nothing, and is not used. */
static void
late_looks(void **state)
{
	boot(&refs[0], 200e-6);
	for (unsigned i = 0; i < 200; i++) {
		pass(70 * NS_PER_MS); /* the PIT wraps after 55 */
		clock_watch(kernel_ns);
	}
	assert_int_equal(corrections, 0);
	assert_false(tsc_rejected || ref_rejected);
	run(20 * NS_PER_SEC, 500 * NS_PER_MS);
	assert_true(error_ppm() > -3 && error_ppm() < 3);
}

/* The host takes the CPU away in the middle of a reading, often. */
static void
disturbed_readings(void **state)
{
	FOR_EACH_REF(i)
	{
		uint64_t x = 1;

		boot(&refs[i], 100e-6);
		for (unsigned n = 0; n < 4000; n++) {
			x = x * 6364136223846793005ULL + 1442695040888963407ULL;
			if (x >> 62 == 0)
				stall_ns = 3 * NS_PER_MS;
			run(10 * NS_PER_MS, 10 * NS_PER_MS);
		}
		assert_true(error_ppm() > -20 && error_ppm() < 20);
		assert_false(tsc_rejected || ref_rejected);
	}
}

/* A CPU that changes its clock. */
static void
changed_rate(void **state)
{
	for (size_t i = 1; i < sizeof(refs) / sizeof(refs[0]); i++) {
		boot(&refs[i], 0);
		run(20 * NS_PER_SEC, 500 * NS_PER_MS);
		assert_false(tsc_rejected);
		true_tsc_hz = (double)TSC_HZ * 0.6;
		run(60 * NS_PER_SEC, 500 * NS_PER_MS);
		assert_true(tsc_rejected);
		assert_int_equal(clock_watch_next_ns, UINT64_MAX);
		boot(&refs[i], 0);
		cpu_features.invariant_tsc = true; /* it says that it never does: nobody looks */
		run(20 * NS_PER_SEC, 500 * NS_PER_MS);
		assert_int_equal(clock_watch_next_ns, UINT64_MAX);
		assert_true(corrections == 2);
	}
}

/* A reference that counts at another rate than it should never agreed: it is not the TSC that is wrong. */
static void
wrong_reference(void **state)
{
	for (size_t i = 1; i < sizeof(refs) / sizeof(refs[0]); i++) {
		boot(&refs[i], 0);
		ref_error = 0.03;
		run(20 * NS_PER_SEC, 500 * NS_PER_MS);
		assert_true(ref_rejected);
		assert_false(tsc_rejected);
		assert_int_equal(corrections, 0);
	}
}

static void
stands_still(void **state)
{
	boot(&refs[2], 0);
	clock_watch_stands(8, 200 * NS_PER_MS);
	assert_true(tsc_rejected);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(corrects),	cmocka_unit_test(looks_in_time),
		cmocka_unit_test(late_looks),	cmocka_unit_test(disturbed_readings),
		cmocka_unit_test(changed_rate), cmocka_unit_test(wrong_reference),
		cmocka_unit_test(stands_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
