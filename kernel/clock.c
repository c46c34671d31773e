/*
 * clock.c - what time it is: the choice of a counter, and nanoseconds from it.
 *
 * The TSC is read without a lock, from any context, NMIs included: there are two copies of its scale, and a
 * sequence number says which one holds.  Whoever changes it writes the other copy and then counts
 * the number up; a reader that sees another number afterwards reads again.
 *
 * Any other counter may wrap within milliseconds, so its scale is moved on by each reading, under a lock.
 * Theory and drawing: docs/time.md.
 */
#include <kern/clock.h>
#include <dev/pit.h>
#include <kern/clock_source.h>
#include <kern/cmdline.h>
#include <kern/spinlock.h>
#include <kern/vdso.h>
#include <lib/string.h>
#include <lib/timescale.h>
#include <x86/cpu.h>
#include <x86/io.h>

#define ASKED_FOR 1000 /* added to the rating of what clock= names */
#define NAME_MAX  8

volatile uint64_t clock_reach_ns = UINT64_MAX / 2;

static uint64_t read_tsc(void);

static struct clock_source tsc = {
	.name = "tsc",
	.rating = CLOCK_RATING_TSC,
	.bits = 64,
	.hz = 0, /* [lock] */
	.read = read_tsc,
};
const struct clock_source *clock_tsc;

static struct spinlock lock = SPINLOCK_INIT("clock");
static struct {
	const struct clock_source *src;
	bool rejected;
} sources[CLOCK_SOURCES_MAX];		   /* [lock] */
static size_t nr_sources;		   /* [lock] */
static const struct clock_source *current; /* [lock] */
static char asked_for[NAME_MAX];	   /* [I] the value of clock=, or "" */
static struct timescale tsc_scale[2]
	__attribute__((aligned(64))); /* [lock] the one that holds is [tsc_seq & 1] */
static volatile uint32_t tsc_seq;     /* [a] */
static bool by_tsc;		      /* [lock] the TSC is the clock */
static volatile uint64_t tsc_rate;    /* [a] ns per cycle, 32.32; 0 = unknown */
static struct timescale scale;	      /* [lock] of any other clock */

static uint64_t
read_tsc(void)
{
	return rdtsc();
}

/* Publish a changed copy of the TSC's scale. */
static void
set_tsc_scale_locked(const struct timescale *s)
{
	tsc_scale[(tsc_seq + 1) & 1] = *s;
	__atomic_store_n(&tsc_seq, tsc_seq + 1, __ATOMIC_RELEASE);
	vdso_set_scale(s);
}

/*
 * Any clock but the TSC.  Whoever finds the lock taken has interrupted its holder for good (a panic) or
 * with an NMI: for him time stands still.
 */
static uint64_t
locked_ns(void)
{
	uint64_t flags, ns;

	if (spin_held(&lock) && !irqs_on())
		return scale.base_ns;
	flags = spin_lock(&lock);
	ns = current != NULL ? timescale_advance(&scale, current->read()) : 0;
	spin_unlock(&lock, flags);
	return ns;
}

uint64_t
clock_ns(void)
{
	const struct timescale *s;
	uint32_t seq;
	uint64_t ns;

	do {
		seq = __atomic_load_n(&tsc_seq, __ATOMIC_ACQUIRE);
		s = &tsc_scale[seq & 1];
		if (unlikely(s->rate == 0))
			return locked_ns();
		ns = timescale_ns_64(s, rdtsc());
	} while (unlikely(seq != tsc_seq));
	return ns;
}

/* --- the choice ----------------------------------------------------------------------------- */

static int
effective_rating(const struct clock_source *src)
{
	return src->rating + (strcmp(src->name, asked_for) == 0 ? ASKED_FOR : 0);
}

static const struct clock_source *
best_locked(void)
{
	const struct clock_source *best = NULL;

	for (size_t i = 0; i < nr_sources; i++) {
		const struct clock_source *src = sources[i].src;

		if (!sources[i].rejected &&
		    (best == NULL || effective_rating(src) > effective_rating(best)))
			best = src;
	}
	return best;
}

/* Go on with @src from the time it is now by the clock before. */
static void
switch_locked(const struct clock_source *src)
{
	struct timescale next = {.mask = timescale_mask(src->bits),
				 .rate = timescale_rate(src->hz)};
	uint64_t now = 0;

	if (by_tsc)
		now = timescale_ns(&tsc_scale[tsc_seq & 1], rdtsc());
	else if (current != NULL)
		now = timescale_advance(&scale, current->read());
	timescale_start(&next, src->read(), now);
	by_tsc = src == clock_tsc;
	current = src;
	clock_reach_ns = MIN(timescale_reach(&next), UINT64_MAX / 2);
	if (!by_tsc) {
		scale = next;
		next.rate = 0;
	}
	set_tsc_scale_locked(&next);
}

int
clock_source_register(const struct clock_source *src)
{
	uint64_t flags;
	int result = 0;

	if (src->hz == 0 || src->hz > BIT(34) || src->bits < 8 || src->bits > 64)
		return -EINVAL;
	flags = spin_lock(&lock);
	if (nr_sources == CLOCK_SOURCES_MAX) {
		result = -ENOSPC;
	} else {
		sources[nr_sources++].src = src;
		if (best_locked() != current)
			switch_locked(best_locked());
	}
	spin_unlock(&lock, flags);
	if (result == 0)
		log_info("clock: %s, %u bits at %lu.%03lu MHz%s", src->name, src->bits,
			 src->hz / 1000000, src->hz / 1000 % 1000,
			 src == clock_source_current() ? ": the clock" : "");
	return result;
}

void
clock_source_reject(const struct clock_source *src)
{
	const uint64_t flags = spin_lock(&lock);

	for (size_t i = 0; i < nr_sources; i++) {
		if (sources[i].src == src)
			sources[i].rejected = true;
	}
	if (current == src && best_locked() != NULL)
		switch_locked(best_locked());
	spin_unlock(&lock, flags);
}

const struct clock_source *
clock_source_reference(const struct clock_source *src)
{
	const uint64_t flags = spin_lock(&lock);
	const struct clock_source *best = NULL;

	for (size_t i = 0; i < nr_sources; i++) {
		const struct clock_source *other = sources[i].src;

		if (other != src && !sources[i].rejected &&
		    (best == NULL || other->rating > best->rating))
			best = other;
	}
	spin_unlock(&lock, flags);
	return best;
}

const struct clock_source *
clock_source_at(size_t i)
{
	return i < nr_sources ? sources[i].src : NULL;
}

bool
clock_source_rejected(const struct clock_source *src)
{
	for (size_t i = 0; i < nr_sources; i++) {
		if (sources[i].src == src)
			return sources[i].rejected;
	}
	return false;
}

const struct clock_source *
clock_source_current(void)
{
	return current;
}

uint64_t
clock_source_read(const struct clock_source *src)
{
	const uint64_t flags = irq_save();
	const uint64_t count = src->read();

	irq_restore(flags);
	return count;
}

const char *
clock_source(void)
{
	return current != NULL ? current->name : "none";
}

/* --- the time stamp counter ----------------------------------------------------------------- */

void
clock_set_tsc_hz(uint64_t hz)
{
	const uint64_t flags = spin_lock(&lock);

	tsc.hz = hz;
	tsc_rate = timescale_rate(hz);
	if (by_tsc) {
		struct timescale next = tsc_scale[tsc_seq & 1];

		(void)timescale_advance(&next, rdtsc());
		next.rate = tsc_rate;
		set_tsc_scale_locked(&next);
	}
	spin_unlock(&lock, flags);
}

static void
read_option(void)
{
	static const char *const known[] = {"tsc", "hpet", "pm", "pit"};

	if (cmdline_get("clock", asked_for, sizeof(asked_for)) == -ENOENT)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(asked_for, known[i]) == 0)
			return;
	}
	log_warn("cmdline: clock= takes tsc, hpet, pm or pit");
	asked_for[0] = '\0';
}

int
clock_init(void)
{
	uint64_t hz;

	read_option();
	hz = cpu_features.tsc ? tsc_calibrate() : 0;
	if (hz != 0) {
		clock_set_tsc_hz(hz);
		clock_tsc = &tsc;
		(void)clock_source_register(&tsc);
	}
	(void)pit_clock_init();
	if (hz != 0)
		return 0;
	log_warn("clock: no usable TSC, or the PIT does not count");
	return -ENODEV;
}

uint64_t
clock_tsc_hz(void)
{
	return tsc.hz;
}

uint64_t
clock_cycles_to_ns(uint64_t cycles)
{
	return (uint64_t)(((unsigned __int128)cycles * tsc_rate) >> 32);
}

uint64_t
clock_deadline_us(uint64_t us)
{
	if (us >= UINT64_MAX / 1000 / 2)
		return UINT64_MAX;
	return clock_ns() + us * 1000;
}

void
clock_delay_us(unsigned us)
{
	const uint64_t start = rdtsc();

	if (tsc_rate == 0) {
		while (us-- > 0)
			io_wait();
		return;
	}
	while (clock_cycles_to_ns(rdtsc() - start) < us * 1000ULL)
		cpu_relax();
}
