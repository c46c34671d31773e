/*
 * checked.h - arithmetic on numbers that others chose.  Pure.
 *
 * Each returns true when the result fits and *@out holds it, false on overflow.
 */
#pragma once
#include <lib/base.h>

#define checked_add(a, b, out) (!__builtin_add_overflow(a, b, out))
#define checked_sub(a, b, out) (!__builtin_sub_overflow(a, b, out))
#define checked_mul(a, b, out) (!__builtin_mul_overflow(a, b, out))

/* Is [start, start + len) inside [0, limit)? */
static inline bool
range_fits(uint64_t start, uint64_t len, uint64_t limit)
{
	return start <= limit && len <= limit - start;
}
