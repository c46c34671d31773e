/*
 * pmm_bits.c - the bits of a range of frames: several levels, each the summary of the one below.
 *
 * Level 0 has a bit for each frame, 1 = free.  A bit of level k stands for a word of level k - 1 and
 * is 1 if that is not 0.  The topmost level is one word.  So the first free frame is found by
 * looking at one word of each level: three up to 1 GiB, four up to 64 GiB, six for all that the
 * direct map can show.  A change goes up only as far as a word becomes 0, or ceases to be.
 */
#include <mm/frames.h>
#include <lib/string.h>

static inline unsigned
lowest_bit(uint64_t word)
{
	return (unsigned)__builtin_ctzll(word); /* not 0: undefined for that */
}

/* The first word of level 2 that is not 0: 64 groups, a GiB.  There is one. */
static size_t
first_gib(const struct pmm_range *r)
{
	size_t word = 0;

	for (unsigned k = r->levels - 1; k > 2; k--)
		word = word * 64 + lowest_bit(r->level[k][word]);
	return word;
}

/* Word @word of level @k became 0. */
static void
word_empty(struct pmm_range *r, unsigned k, size_t word)
{
	while (++k < r->levels) {
		uint64_t *above = &r->level[k][word / 64];

		*above &= ~BIT(word % 64);
		if (*above != 0)
			break;
		word /= 64;
	}
}

/*
 * Take frames of group @g, the lowest first, until there are PMM_BATCH with those @got before; they
 * go below stack[PMM_BATCH - @got].  Levels 0 and 1 are right afterwards.
 */
static size_t
take_from_group(struct pmm_range *r, size_t g, size_t got)
{
	uint64_t words = r->level[1][g];

	do {
		const size_t w = g * 64 + lowest_bit(words);
		uint64_t word = r->level[0][w];

		do {
			r->stack[PMM_BATCH - ++got] = w * 64 + lowest_bit(word);
			word &= word - 1;
		} while (word != 0 && got < PMM_BATCH);
		r->level[0][w] = word;
		if (word == 0)
			words &= words - 1;
	} while (words != 0 && got < PMM_BATCH);
	r->level[1][g] = words;
	return got;
}

/* The same for the groups of word @gib of level 2; all levels are right afterwards. */
static size_t
take_from_gib(struct pmm_range *r, size_t gib, size_t got)
{
	uint64_t groups = r->level[2][gib];

	do {
		const size_t g = gib * 64 + lowest_bit(groups);

		got = take_from_group(r, g, got);
		if (r->level[1][g] == 0)
			groups &= groups - 1;
	} while (groups != 0 && got < PMM_BATCH);
	r->level[2][gib] = groups;
	if (groups == 0)
		word_empty(r, 2, gib);
	return got;
}

size_t
pmm_bits_refill_locked(struct pmm_range *r)
{
	size_t got = 0;

	assert(r->depth == 0);
	while (got < PMM_BATCH && r->level[r->levels - 1][0] != 0)
		got = take_from_gib(r, first_gib(r), got);
	if (got < PMM_BATCH)
		memmove(r->stack, &r->stack[PMM_BATCH - got], got * sizeof(r->stack[0]));
	r->nr_bits -= got;
	r->depth = got;
	return got;
}

/* Word @word of level 0 was 0. */
static void
word_filled(struct pmm_range *r, size_t word)
{
	for (unsigned k = 1; k < r->levels; k++) {
		uint64_t *above = &r->level[k][word / 64];
		const uint64_t old = *above;

		*above = old | BIT(word % 64);
		if (old != 0)
			break;
		word /= 64;
	}
}

void
pmm_bits_spill_locked(struct pmm_range *r, size_t nr)
{
	uint64_t *const frames = r->level[0];
	uint16_t *const bound = r->bound;

	for (size_t i = 0; i < nr; i++) {
		const size_t frame = r->stack[i];
		const uint64_t old = frames[frame / 64];

		frames[frame / 64] = old | BIT(frame % 64);
		bound[frame / PMM_GROUP] = PMM_ANY_RUN; /* its runs may go on into ours */
		bound[frame / PMM_GROUP + 1] = PMM_ANY_RUN;
		if (unlikely(old == 0))
			word_filled(r, frame / 64);
	}
	r->depth -= nr;
	r->nr_bits += nr;
	memmove(r->stack, &r->stack[nr], r->depth * sizeof(r->stack[0]));
}

void
pmm_bits_set_locked(struct pmm_range *r, size_t from, size_t to)
{
	for (size_t g = from / PMM_GROUP; g <= (to - 1) / PMM_GROUP + 1; g++)
		r->bound[g] = PMM_ANY_RUN;
	r->nr_bits += to - from;
	for (unsigned k = 0; k < r->levels; k++) {
		bitmap_set_range(r->level[k], from, to);
		from /= 64;
		to = (to - 1) / 64 + 1;
	}
}

void
pmm_bits_clear_locked(struct pmm_range *r, size_t from, size_t to)
{
	bitmap_clear_range(r->level[0], from, to);
	for (size_t w = from / 64; w <= (to - 1) / 64; w++) {
		if (r->level[0][w] == 0)
			word_empty(r, 0, w);
	}
	r->nr_bits -= to - from;
}
