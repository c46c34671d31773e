/*
 * timescale.h - from the count of a hardware counter to nanoseconds.
 *
 * ns = base_ns + (count - base_count) * rate, where rate is a 32.32 fixed-point number and the difference is
 * taken modulo the counter's width.  Moving the base keeps the fraction of a nanosecond, so that
 * it can be moved as often as one likes; changing the rate changes it from the base on, so that time
 * never jumps.  The base must be moved on before the counter has gone 7/8 of its range beyond it:
 * differences in the last eighth are taken for a count from before the base (another processor's
 * counter that lags, a reading that was overtaken), at which time stands still instead.
 *
 * Pure; the caller holds whatever lock guards the scale.
 */
#pragma once
#include <lib/base.h>

struct timescale {
	uint64_t base_count;
	uint64_t base_ns;
	uint32_t base_frac; /* of a nanosecond, in 2^-32 */
	uint64_t rate;	    /* nanoseconds per count, 32.32 */
	uint64_t mask;	    /* the counter's range less one */
};

/* A counter of @bits bits (1 to 64). */
static inline uint64_t
timescale_mask(unsigned bits)
{
	return UINT64_MAX >> (64 - bits);
}

/* 32.32 ns per count of a counter that counts @hz (1 to 2^34) times a second, rounded to the nearest. */
static inline uint64_t
timescale_rate(uint64_t hz)
{
	return ((1000000000ULL << 32) + hz / 2) / hz;
}

/* Counts since the base; 0 for one from before it. */
static inline uint64_t
timescale_delta(const struct timescale *s, uint64_t count)
{
	const uint64_t delta = (count - s->base_count) & s->mask;

	return likely(delta <= s->mask - s->mask / 8) ? delta : 0;
}

static inline uint64_t
timescale_ns(const struct timescale *s, uint64_t count)
{
	const unsigned __int128 ns = (unsigned __int128)timescale_delta(s, count) * s->rate;

	return s->base_ns + (uint64_t)((ns + s->base_frac) >> 32);
}

/* The same for a counter of 64 bits, in fewer instructions. */
static inline uint64_t
timescale_ns_64(const struct timescale *s, uint64_t count)
{
	const int64_t delta = (int64_t)(count - s->base_count);
	const unsigned __int128 ns = (unsigned __int128)(uint64_t)MAX(delta, 0) * s->rate;

	return s->base_ns + (uint64_t)((ns + s->base_frac) >> 32);
}

/* Begin: the time at @count is @ns. */
static inline void
timescale_start(struct timescale *s, uint64_t count, uint64_t ns)
{
	s->base_count = count & s->mask;
	s->base_ns = ns;
	s->base_frac = 0;
}

/* Move the base to @count.  Returns the time there. */
static inline uint64_t
timescale_advance(struct timescale *s, uint64_t count)
{
	const uint64_t delta = timescale_delta(s, count);
	const unsigned __int128 ns = (unsigned __int128)delta * s->rate + s->base_frac;

	s->base_count = (s->base_count + delta) & s->mask;
	s->base_ns += (uint64_t)(ns >> 32);
	s->base_frac = (uint32_t)ns;
	return s->base_ns;
}

/* How long the base may stand still, ns: half the counter's range. */
static inline uint64_t
timescale_reach(const struct timescale *s)
{
	const unsigned __int128 ns = ((unsigned __int128)(s->mask / 2) * s->rate) >> 32;

	return ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}
