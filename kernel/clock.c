/*
 * clock.c - what time it is.
 *
 * The TSC counts CPU cycles; ns = cycles * mult / 2^32 with a 128-bit product, exact to a few parts
 * in 10^10 and without overflow for centuries.  A TSC that stops while the CPU halts would let time stand
 * still: the tick compares, and if the TSC falls behind what the ticks prove to have passed, the
 * clock goes on by ticks and the PIT's counter.  (The other way round proves nothing: ticks get lost.)
 */
#include <kern/clock.h>
#include <kern/sched.h>
#include <kern/spinlock.h>
#include <kern/timer.h>
#include <dev/pit.h>
#include <x86/cpu.h>
#include <x86/io.h>

#define CHECK_TICKS   128
#define BEHIND_MAX_NS (100 * NS_PER_MS)

static uint64_t tsc_hz;		/* [I] 0 = unknown */
static uint64_t tsc_mult;	/* [I] ns per cycle, 32.32 */
static uint64_t tsc_base;	/* [I] TSC at clock_init() */
static volatile bool use_tsc;	/* [lock] */
static volatile uint64_t ticks; /* [c] */
static uint64_t first_tick_ns;	/* [c] clock_ns() at tick 1: where the comparison starts */
static uint64_t last_tick_ns;	/* [c] */
static uint64_t worst_tick_ns;	/* [c] longest gap since clock_worst_tick_ns() */

static struct spinlock lock = SPINLOCK_INIT("clock");
static uint64_t pit_offset_ns; /* [lock] clock_ns() at tick 0 when the PIT took over */
static uint64_t last_pit_ns;   /* [lock] never go back behind it */
static uint64_t wall_offset;   /* [lock] wall time at clock_ns() = 0, seconds */
static bool wall_known;	       /* [lock] wall_offset was set */

static inline uint64_t
scale(uint64_t cycles)
{
	return (uint64_t)(((unsigned __int128)cycles * tsc_mult) >> 32);
}

/*
 * Ticks and the part of one that the counter shows.  Shortly after the counter started over, the
 * tick may not be counted yet: then time stands still for a moment instead of going back.
 */
static uint64_t
pit_ns(void)
{
	const uint64_t flags = spin_lock(&lock);
	const int count = pit_read();
	uint64_t ns = pit_offset_ns + ticks * NS_PER_TICK;

	if (count > 0 && (unsigned)count <= pit_reload())
		ns += (pit_reload() - (unsigned)count) * NS_PER_TICK / pit_reload();
	ns = MAX(ns, last_pit_ns);
	last_pit_ns = ns;
	spin_unlock(&lock, flags);
	return ns;
}

uint64_t
clock_ns(void)
{
	if (likely(use_tsc))
		return scale(rdtsc() - tsc_base);
	return pit_ns();
}

int
clock_init(void)
{
	tsc_hz = cpu_features.tsc ? tsc_calibrate() : 0;
	if (tsc_hz == 0) {
		log_warn("clock: no usable TSC, or the PIT does not count: time by ticks only");
		return -ENODEV;
	}
	tsc_mult = (NS_PER_SEC << 32) / tsc_hz;
	tsc_base = rdtsc();
	use_tsc = true;
	log_info("clock: TSC at %lu.%03lu MHz%s", tsc_hz / 1000000, tsc_hz / 1000 % 1000,
		 cpu_features.invariant_tsc ? ", invariant" : "");
	return 0;
}

uint64_t
clock_deadline_us(uint64_t us)
{
	if (us >= UINT64_MAX / 1000 / 2)
		return UINT64_MAX;
	return clock_ns() + us * 1000;
}

uint64_t
clock_tsc_hz(void)
{
	return tsc_hz;
}

const char *
clock_source(void)
{
	return use_tsc ? "TSC" : "PIT";
}

uint64_t
clock_cycles_to_ns(uint64_t cycles)
{
	return scale(cycles);
}

void
clock_delay_us(unsigned us)
{
	const uint64_t start = rdtsc();

	if (tsc_hz == 0) {
		while (us-- > 0)
			io_wait();
		return;
	}
	while (scale(rdtsc() - start) < us * 1000ULL)
		cpu_relax();
}

/* --- the tick ------------------------------------------------------------------------------- */

uint64_t
clock_ticks(void)
{
	return ticks;
}

/* The ticks prove that more time passed than the TSC says: from now on the PIT is the clock. */
static void
check_tsc(uint64_t now)
{
	const uint64_t passed = (ticks - 1) * NS_PER_TICK;
	const uint64_t by_tsc = now - first_tick_ns;

	if (by_tsc + passed / 16 + BEHIND_MAX_NS >= passed)
		return;
	pit_offset_ns = now - ticks * NS_PER_TICK;
	use_tsc = false;
	log_warn("clock: the TSC fell behind the ticks (%llu ms of %llu): the PIT is the clock now",
		 by_tsc / NS_PER_MS, passed / NS_PER_MS);
}

void
clock_tick(void)
{
	uint64_t now;

	ticks++;
	now = clock_ns();
	worst_tick_ns = MAX(worst_tick_ns, now - last_tick_ns);
	last_tick_ns = now;
	if (ticks == 1)
		first_tick_ns = now;
	else if (unlikely(ticks % CHECK_TICKS == 0) && use_tsc)
		check_tsc(now);
	timer_run(now);
	sched_tick();
}

uint64_t
clock_worst_tick_ns(void)
{
	const uint64_t flags = irq_save();
	const uint64_t due = clock_ns() - last_tick_ns;
	const uint64_t worst = MAX(MAX(worst_tick_ns, due), NS_PER_TICK);

	worst_tick_ns = 0;
	irq_restore(flags);
	return worst;
}

/* --- wall time ------------------------------------------------------------------------------ */

uint64_t
clock_wall(void)
{
	const uint64_t flags = spin_lock(&lock);
	const uint64_t offset = wall_offset;
	const bool known = wall_known;

	spin_unlock(&lock, flags);
	return known ? offset + clock_ns() / NS_PER_SEC : 0;
}

bool
clock_wall_known(void)
{
	const uint64_t flags = spin_lock(&lock);
	const bool known = wall_known;

	spin_unlock(&lock, flags);
	return known;
}

void
clock_set_wall(uint64_t unix_seconds)
{
	const uint64_t now = clock_ns() / NS_PER_SEC;
	const uint64_t flags = spin_lock(&lock);

	wall_offset = unix_seconds - now;
	wall_known = true;
	spin_unlock(&lock, flags);
}
