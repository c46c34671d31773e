/*
 * bitmap.c - ranges of bits: set, clear, count, search.  Whole words at a time.
 */
#include <lib/bitmap.h>

/* Bits [from, to) of one word; 0 <= from < to <= 64. */
static uint64_t
mask(size_t from, size_t to)
{
	return (~0ULL << from) & (~0ULL >> (64 - to));
}

/* The part of [start, end) that lies in the word of @start, as a mask. */
static uint64_t
head_mask(size_t start, size_t end)
{
	const size_t from = start % 64;

	return mask(from, MIN(from + (end - start), 64));
}

static size_t
next_word(size_t bit)
{
	return (bit / 64 + 1) * 64;
}

/* Bits set in @v.  By halves: the compiler's own popcount would call libgcc. */
static unsigned
popcount(uint64_t v)
{
	v -= (v >> 1) & 0x5555555555555555ULL;
	v = (v & 0x3333333333333333ULL) + ((v >> 2) & 0x3333333333333333ULL);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return (unsigned)((v * 0x0101010101010101ULL) >> 56);
}

void
bitmap_set_range(uint64_t *map, size_t start, size_t end)
{
	for (; start < end; start = next_word(start))
		map[start / 64] |= head_mask(start, end);
}

void
bitmap_clear_range(uint64_t *map, size_t start, size_t end)
{
	for (; start < end; start = next_word(start))
		map[start / 64] &= ~head_mask(start, end);
}

size_t
bitmap_count(const uint64_t *map, size_t start, size_t end)
{
	size_t n = 0;

	for (; start < end; start = next_word(start))
		n += popcount(map[start / 64] & head_mask(start, end));
	return n;
}

/* First bit in [start, end) that is set in map ^ flip. */
static size_t
find(const uint64_t *map, size_t start, size_t end, uint64_t flip)
{
	for (; start < end; start = next_word(start)) {
		const uint64_t w = (map[start / 64] ^ flip) & head_mask(start, end);

		if (w != 0)
			return start / 64 * 64 + (size_t)__builtin_ctzll(w);
	}
	return BITMAP_NONE;
}

size_t
bitmap_find_set(const uint64_t *map, size_t start, size_t end)
{
	return find(map, start, end, 0);
}

size_t
bitmap_find_clear(const uint64_t *map, size_t start, size_t end)
{
	return find(map, start, end, ~0ULL);
}

size_t
bitmap_find_set_run(const uint64_t *map, size_t start, size_t end, size_t n, size_t align)
{
	if (n == 0)
		return BITMAP_NONE;
	for (;;) {
		size_t gap;

		start = bitmap_find_set(map, start, end);
		if (start == BITMAP_NONE || start > SIZE_MAX - (align - 1))
			return BITMAP_NONE;
		start = ALIGN_UP(start, align);
		if (start >= end || n > end - start)
			return BITMAP_NONE;
		gap = bitmap_find_clear(map, start, start + n);
		if (gap == BITMAP_NONE)
			return start;
		start = gap + 1;
	}
}
