/*
 * bitops.h - one bit of a map in memory, tested and changed by one instruction.
 *
 * No LOCK prefix: an interrupt comes before the instruction or after it, never within, so that is
 * all the atomicity that one CPU needs for its own data.  Data of other CPUs wants
 * __atomic_fetch_or() and its kin.  The bit's number may be larger than a word: the CPU adds
 * bit / 8 to the address.  Spec: Intel SDM vol. 2, "BT-Bit Test", "BTS-Bit Test and Set",
 * "BSF-Bit Scan Forward".
 */
#pragma once
#include <lib/base.h>

/* 0 < @n < 64. */
static inline uint64_t
rotate_right(uint64_t v, unsigned n)
{
	return v >> n | v << (64 - n);
}

#ifdef HOST_TEST
static inline bool
bit_test(const uint64_t *map, size_t bit)
{
	return (map[bit / 64] & BIT(bit % 64)) != 0;
}

static inline bool
bit_test_set(uint64_t *map, size_t bit)
{
	const bool was = bit_test(map, bit);

	map[bit / 64] |= BIT(bit % 64);
	return was;
}

static inline bool
bit_first(uint64_t word, size_t *bit)
{
	*bit = word != 0 ? (size_t)__builtin_ctzll(word) : 0;
	return word != 0;
}
#else
/* Is bit @bit of @map set? */
static inline bool
bit_test(const uint64_t *map, size_t bit)
{
	bool set;

	/* "memory": it may be another word of @map that is read. */
	__asm__ volatile("btq %2, %1" : "=@ccc"(set) : "m"(*map), "r"(bit) : "memory");
	return set;
}

/* Set bit @bit of @map; was it set before?  By a jump, so that no register has to hold the answer. */
static inline bool
bit_test_set(uint64_t *map, size_t bit)
{
	__asm__ goto("btsq %1, %0\n\t"
		     "jc %l[was_set]"
		     :
		     : "m"(*map), "r"(bit)
		     : "memory", "cc"
		     : was_set);
	return false;
was_set:
	return true;
}

/* The lowest set bit of @word into *@bit.  False, and nothing in *@bit, when there is none. */
static inline bool
bit_first(uint64_t word, size_t *bit)
{
	bool none;

	__asm__("bsfq %2, %1" : "=@ccz"(none), "=r"(*bit) : "rm"(word));
	return !none;
}
#endif
