/*
 * bitmap.h - operations on an array of 64-bit words used as bits; bit n is word n/64, bit n%64.
 *
 * Pure; the caller holds whatever lock guards the bitmap.  Ranges are [start, end) in bits.
 */
#pragma once
#include <lib/base.h>

#define BITMAP_WORDS(bits) (((bits) + 63) / 64)
#define BITMAP_NONE	   SIZE_MAX

static inline bool
bitmap_test(const uint64_t *map, size_t bit)
{
	return (map[bit / 64] >> (bit % 64)) & 1;
}

static inline void
bitmap_set(uint64_t *map, size_t bit)
{
	map[bit / 64] |= BIT(bit % 64);
}

static inline void
bitmap_clear(uint64_t *map, size_t bit)
{
	map[bit / 64] &= ~BIT(bit % 64);
}

void bitmap_set_range(uint64_t *map, size_t start, size_t end);
void bitmap_clear_range(uint64_t *map, size_t start, size_t end);
/* Number of set bits in [start, end). */
size_t bitmap_count(const uint64_t *map, size_t start, size_t end);
/* First set (clear) bit in [start, end), or BITMAP_NONE. */
size_t bitmap_find_set(const uint64_t *map, size_t start, size_t end);
size_t bitmap_find_clear(const uint64_t *map, size_t start, size_t end);
/* First run of @n set bits in [start, end) whose first bit is a multiple of @align (a power of 2), or BITMAP_NONE. */
size_t bitmap_find_set_run(const uint64_t *map, size_t start, size_t end, size_t n, size_t align);
