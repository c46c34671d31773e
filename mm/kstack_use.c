/*
 * kstack_use.c - how deep a kernel stack was used.
 *
 * A stack is filled before its thread begins.  Filling 16 KiB costs more than all the rest of a short
 * thread's life, so a stack that is used again is filled only where it was used.  To find that,
 * one looks from its top downwards, and may stop after KSTACK_FRAME_MAX bytes without a mark.
 */
#include <mm/kstack.h>
#include <mm/layout.h>

#define WORDS	    (KSTACK_SIZE / sizeof(uint64_t))
#define CHUNK_WORDS 8
#define CHUNKS	    (WORDS / CHUNK_WORDS)
/* Two more: the marks of two frames may stand at the far ends of theirs. */
#define GAP_CHUNKS  (KSTACK_FRAME_MAX / sizeof(uint64_t) / CHUNK_WORDS + 2)

static inline bool
untouched(const uint64_t *w)
{
	return (w[0] & w[1] & w[2] & w[3] & w[4] & w[5] & w[6] & w[7]) == KSTACK_FILL;
}

static inline void
fill(uint64_t *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		w[i] = KSTACK_FILL;
}

void
kstack_fill(void *stack)
{
	fill(stack, WORDS);
}

void
kstack_refill(void *stack)
{
	uint64_t *words = stack;
	size_t lowest = CHUNKS, at = CHUNKS;

	while (at > 0 && lowest - at < GAP_CHUNKS) {
		at--;
		if (!untouched(words + at * CHUNK_WORDS))
			lowest = at;
	}
	fill(words + lowest * CHUNK_WORDS, (CHUNKS - lowest) * CHUNK_WORDS);
}

uint64_t
kstack_used(const void *stack)
{
	const uint64_t *words = stack;
	size_t i = 0;

	while (i < WORDS && untouched(words + i))
		i += CHUNK_WORDS;
	while (i < WORDS && words[i] == KSTACK_FILL)
		i++;
	return (WORDS - i) * sizeof(uint64_t);
}
