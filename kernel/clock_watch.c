/*
 * clock_watch.c - checks the TSC against another counter, and corrects or rejects it.
 *
 * At boot there is a millisecond to measure the TSC in, good to some hundred parts in a million.  So for the
 * first seconds it is compared with the best other counter, over stretches a thousand and more times as
 * long, and its rate is corrected: from then on, without a jump.  Afterwards comparing goes on, unless the TSC is invariant:
 * one that changes its rate with the CPU's is rejected, and another counter is the clock.
 *
 * Second, a timer that ran out proves that its time has passed.  If by the clock much less has passed, time and
 * again, then the clock stands while the CPU halts; that is seen even where nothing else counts (kernel/clock_event.c).
 *
 * All state is touched by the timer interrupt only.
 */
#include <kern/clock.h>
#include <kern/clock_source.h>
#include <lib/string.h>
#include <lib/timescale.h>
#include <x86/cpu.h>

#define FIRST_STRETCH  NS_PER_SEC
#define LATER_STRETCH  (8 * NS_PER_SEC)
#define CORRECTIONS    2 /* then the rate is known to a millionth */
#define WRONG_PPM      10000
#define WRONG_IN_A_ROW 2
#define READINGS       5
#define READING_MAX_NS 50000 /* an SMI or a busy host came between: no use */
#define RETRY_NS       (10 * NS_PER_MS)

uint64_t clock_watch_next_ns; /* [c] */

/* What is compared with the TSC, since when.  All [c]. */
static struct {
	const struct clock_source *ref;
	struct timescale scale; /* of ref: its time since the start */
	uint64_t tsc;		/* at the start */
	uint64_t last_ns;	/* of the last look */
	uint64_t end_ns;	/* judge at the first look after this */
} now_comparing;

static struct clock_watch_info found; /* [c] */
static unsigned agreed, wrong;	      /* [c] stretches; wrong: in a row */

static uint64_t
tsc_ns(uint64_t cycles)
{
	return (uint64_t)((unsigned __int128)cycles * timescale_rate(clock_tsc->hz) >> 32);
}

/* The two counters at the same moment, as closely as it can be had.  False: not close enough. */
static bool
read_pair(const struct clock_source *ref, uint64_t *tsc, uint64_t *count)
{
	uint64_t best = UINT64_MAX;

	for (unsigned i = 0; i < READINGS; i++) {
		const uint64_t before = clock_source_read(clock_tsc);
		const uint64_t c = clock_source_read(ref);
		const uint64_t width = clock_source_read(clock_tsc) - before;

		if (width >= best)
			continue;
		best = width;
		*tsc = before + width / 2;
		*count = c;
	}
	return tsc_ns(best) <= READING_MAX_NS;
}

static void
look_at(uint64_t when)
{
	clock_watch_next_ns = when;
}

/* Begin a stretch of @length ns. */
static void
begin(const struct clock_source *ref, uint64_t now, uint64_t length)
{
	uint64_t count;

	found.reference = ref;
	now_comparing.ref = ref;
	now_comparing.scale.mask = timescale_mask(ref->bits);
	now_comparing.scale.rate = timescale_rate(ref->hz);
	now_comparing.last_ns = now;
	now_comparing.end_ns = now + length;
	if (!read_pair(ref, &now_comparing.tsc, &count)) {
		now_comparing.ref = NULL;
		look_at(now + RETRY_NS);
		return;
	}
	timescale_start(&now_comparing.scale, count, 0);
	look_at(now + MIN(length, timescale_reach(&now_comparing.scale)));
}

/* Nothing to compare (any more). */
static void
end(void)
{
	now_comparing.ref = NULL;
	found.reference = NULL;
	look_at(UINT64_MAX);
}

/* The TSC and the reference disagree by a hundredth and more: whose fault is it? */
static void
disagree(int64_t ppm)
{
	const struct clock_source *ref = now_comparing.ref;

	if (++wrong < WRONG_IN_A_ROW)
		return;
	wrong = 0;
	if (agreed == 0) { /* the PIT, by which the TSC was measured, is a witness against it */
		log_warn("clock: %s is off by %ld ppm, rejected", ref->name, -ppm);
		clock_source_reject(ref);
		return;
	}
	log_warn("clock: the TSC's rate has changed by %ld ppm, rejected", ppm);
	clock_source_reject(clock_tsc);
	log_warn("clock: the clock is %s now", clock_source());
}

/* A stretch is over: @tsc nanoseconds by the TSC, @ref by the reference. */
static void
judge(uint64_t by_tsc, uint64_t by_ref)
{
	const int64_t diff = (int64_t)(by_tsc - by_ref);
	const int64_t limit = (int64_t)(by_ref / (1000000 / WRONG_PPM));

	if (diff > limit || diff < -limit) {
		disagree(diff / (int64_t)(by_ref / 1000000));
		return;
	}
	wrong = 0;
	agreed++;
	if (found.corrections == CORRECTIONS)
		return;
	found.corrections++;
	found.baseline_ns = by_ref;
	found.last_ppb = diff * 1000000 / (int64_t)(by_ref / 1000);
	clock_set_tsc_hz(clock_tsc->hz +
			 (uint64_t)((int64_t)clock_tsc->hz / 1000 * found.last_ppb / 1000000));
}

/* What next?  A narrow reference costs a look every few milliseconds: one good stretch is all it gives. */
static void
begin_next(uint64_t now)
{
	const struct clock_source *ref = clock_source_reference(clock_tsc);
	const bool known = found.corrections == CORRECTIONS;

	if (ref == NULL || clock_source_rejected(clock_tsc) ||
	    (known && cpu_features.invariant_tsc) || (found.corrections > 0 && ref->bits < 24))
		end();
	else
		begin(ref, now, found.corrections == 0 ? FIRST_STRETCH : LATER_STRETCH);
}

static void
look(uint64_t now)
{
	uint64_t tsc, count, by_ref;

	if (now_comparing.ref == NULL ||
	    now_comparing.ref != clock_source_reference(clock_tsc) || /* a better one has come */
	    now - now_comparing.last_ns >
		    timescale_reach(&now_comparing.scale) / 4 * 7) { /* wrapped */
		begin_next(now);
		return;
	}
	if (!read_pair(now_comparing.ref, &tsc, &count)) {
		look_at(now + RETRY_NS);
		return;
	}
	by_ref = timescale_advance(&now_comparing.scale, count);
	now_comparing.last_ns = now;
	if (now >= now_comparing.end_ns) {
		judge(tsc_ns(tsc - now_comparing.tsc), by_ref);
		begin_next(now);
		return;
	}
	look_at(now + MIN(now_comparing.end_ns - now, timescale_reach(&now_comparing.scale)));
}

void
clock_watch(uint64_t now_ns)
{
	if (clock_tsc != NULL)
		look(now_ns);
	else
		end();
}

void
clock_watch_stands(unsigned timers, uint64_t early_ns)
{
	if (clock_tsc == NULL || clock_source_current() != clock_tsc)
		return;
	log_warn("clock: the TSC stands while the CPU halts (%u timers in a row, %llu ms early), "
		 "rejected",
		 timers, early_ns / NS_PER_MS);
	clock_source_reject(clock_tsc);
	log_warn("clock: the clock is %s now", clock_source());
}

void
clock_watch_reset(void)
{
	const uint64_t flags = irq_save();

	memset(&found, 0, sizeof(found));
	now_comparing.ref = NULL;
	agreed = wrong = 0;
	look_at(0);
	irq_restore(flags);
}

void
clock_watch_info(struct clock_watch_info *out)
{
	const uint64_t flags = irq_save();

	*out = found;
	irq_restore(flags);
}
