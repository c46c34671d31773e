/*
 * pmm_range.c - runs of adjacent frames: found, given back, released.
 *
 * A search goes from group to group (16 MiB) that has a free frame, and looks into those in which,
 * for all that is known, a run of that length may begin.  A group that disappoints is remembered
 * with the length that it does not have, and passed over until a frame in it or in the next one
 * becomes free.  So a search that fails again and again costs a step for each 16 MiB with a free
 * frame, and one for each GiB, and looks at words only where something changed.
 *
 * The lock is held for one group at a time, for a batch of frames given back, and for the run that
 * is taken: interrupts wait for that, not for the size of memory.
 */
#include <mm/frames.h>
#include <lib/string.h>
#include <mm/shrink.h>

struct wanted {
	size_t nr;     /* frames */
	size_t align;  /* bytes */
	paddr_t limit; /* bytes; the run ends at or below */
};

/* --- taking ------------------------------------------------------------------------------ */

/* Frames of @r that lie below the limit. */
static size_t
end_of(const struct pmm_range *r, const struct wanted *want)
{
	if (want->limit <= r->base)
		return 0;
	return MIN(r->nr, (want->limit - r->base) / PAGE_SIZE);
}

/* The first group from @g on in which a run of @nr may begin, or BITMAP_NONE.  Bits may change meanwhile. */
static size_t
next_group(const struct pmm_range *r, size_t g, size_t nr)
{
	const size_t end = BITMAP_WORDS(pmm_nr_groups(r)), least = MIN(nr, PMM_GROUP);
	uint64_t skip = BIT(g % 64) - 1; /* groups of the first word that lie before @g */

	for (size_t gib = g / 64; gib < end; gib++) {
		uint64_t groups = r->level[2][gib] & ~skip;

		for (; groups != 0; groups &= groups - 1) {
			g = gib * 64 + (size_t)__builtin_ctzll(groups);
			if (r->bound[g + 1] >= least)
				return g;
		}
		skip = 0;
	}
	return BITMAP_NONE;
}

/* The first frame of a run of free ones [from, to) at which a fitting run begins, or BITMAP_NONE. */
static inline size_t
fit(const struct pmm_range *r, size_t from, size_t to, const struct wanted *want)
{
	size_t i;

	if (likely(to - from < want->nr))
		return BITMAP_NONE;
	i = (ALIGN_UP(r->base + from * PAGE_SIZE, want->align) - r->base) / PAGE_SIZE;
	return i < to && want->nr <= to - i ? i : BITMAP_NONE;
}

/* Bit i of the result: bits i to i + @nr - 1 of @word are all 1. */
static uint64_t
starts_of_runs(uint64_t word, size_t nr)
{
	for (size_t have = 1; have < nr && word != 0;) {
		const size_t more = MIN(have, nr - have);

		word &= word >> more;
		have += more;
	}
	return word;
}

/* A fitting run within one word, of @word at frame @first, or BITMAP_NONE. */
static size_t
fit_in_word(const struct pmm_range *r, uint64_t word, size_t first, const struct wanted *want)
{
	uint64_t starts = want->nr < 64 ? starts_of_runs(word, want->nr) : 0;

	for (; starts != 0; starts &= starts - 1) {
		const size_t i = first + (size_t)__builtin_ctzll(starts);

		if (fit(r, i, i + want->nr, want) == i)
			return i;
	}
	return BITMAP_NONE;
}

/* The run of free frames from @from on goes on behind its group; a fitting one in it, or BITMAP_NONE. */
static size_t
fit_across(const struct pmm_range *r, size_t from, size_t stop, size_t end,
	   const struct wanted *want)
{
	const size_t i = fit(r, from, end, want);

	if (i == BITMAP_NONE || i >= stop)
		return BITMAP_NONE;
	return bitmap_find_clear(r->level[0], from, i + want->nr) == BITMAP_NONE ? i : BITMAP_NONE;
}

/*
 * The first fitting run that begins in group @g and ends by @end, or BITMAP_NONE.  Word by word: what
 * matters is how many there are, and not into how many pieces memory is broken.
 */
static size_t
find_in_group(const struct pmm_range *r, size_t g, size_t end, const struct wanted *want)
{
	const size_t stop = MIN((g + 1) * PMM_GROUP, end);
	size_t from = g * PMM_GROUP; /* of the free frames that lead up to the word looked at */

	for (size_t first = from; first < stop; first += 64) {
		uint64_t word = r->level[0][first / 64];
		size_t i;

		if (word == 0 && from == first) {
			from += 64;
			continue;
		}
		if (stop - first < 64)
			word &= BIT(stop - first) - 1;
		if (word == UINT64_MAX) {
			i = fit(r, from, first + 64, want);
		} else {
			i = fit(r, from, first + (size_t)__builtin_ctzll(~word), want);
			if (i == BITMAP_NONE)
				i = fit_in_word(r, word, first, want);
			from = first + 64 - (size_t)__builtin_clzll(~word);
		}
		if (i != BITMAP_NONE)
			return i;
	}
	return fit_across(r, from, stop, end, want);
}

/* No run of that length begins in @g: only a search that tried each frame of it knows. */
static void
remember_locked(struct pmm_range *r, size_t g, size_t end, const struct wanted *want)
{
	if (end == r->nr && want->align == PAGE_SIZE && want->nr <= PMM_GROUP)
		r->bound[g + 1] = (uint16_t)MIN(r->bound[g + 1], want->nr - 1);
}

static paddr_t take_locked(struct pmm_range *r, size_t i, size_t nr, enum pmm_owner owner)
	REQUIRES(pmm_lock);

static paddr_t
take_locked(struct pmm_range *r, size_t i, size_t nr, enum pmm_owner owner)
{
	pmm_bits_clear_locked(r, i, i + nr);
	memset(&r->owner[i], (int)owner, nr);
	pmm_counts.by[owner] += nr;
	pmm_counts.headroom -= (ssize_t)nr;
	if (pmm_counts.headroom < 0) {
		pmm_counts.peak += (size_t)-pmm_counts.headroom;
		pmm_counts.headroom = 0;
	}
	return r->base + i * PAGE_SIZE;
}

static paddr_t
take_in_range(struct pmm_range *r, const struct wanted *want, enum pmm_owner owner)
{
	const size_t end = end_of(r, want);

	for (size_t g = next_group(r, 0, want->nr); g != BITMAP_NONE && g * PMM_GROUP < end;
	     g = next_group(r, g + 1, want->nr)) {
		const uint64_t flags = spin_lock(&pmm_lock);
		const size_t i = find_in_group(r, g, end, want);
		paddr_t pa = PADDR_NONE;

		if (i != BITMAP_NONE)
			pa = take_locked(r, i, want->nr, owner);
		else
			remember_locked(r, g, end, want);
		spin_unlock(&pmm_lock, flags);
		if (pa != PADDR_NONE)
			return pa;
	}
	return PADDR_NONE;
}

paddr_t
pmm_alloc_range(enum pmm_owner owner, size_t nr, size_t align, paddr_t limit)
{
	const struct wanted want = {nr, align, limit != 0 ? limit : PADDR_NONE};

	assert(align >= PAGE_SIZE && (align & (align - 1)) == 0 && pmm_taken((uint8_t)owner));
	if (nr == 0 || pmm_refused())
		return PADDR_NONE;
	do {
		for (struct pmm_range *r = pmm_ranges; r < pmm_ranges + pmm_nr_ranges; r++) {
			paddr_t pa = PADDR_NONE;

			if (nr <= r->nr_bits)
				pa = take_in_range(r, &want, owner);
			if (pa != PADDR_NONE)
				return pa;
		}
	} while (pmm_collect() > 0 || mm_shrink(nr) > 0);
	return PADDR_NONE;
}

size_t
pmm_collect(void)
{
	const uint64_t flags = spin_lock(&pmm_lock);
	struct pmm_range *r;
	size_t n = 0;

	for (;;) {
		const paddr_t pa = pmm_zero_take();

		if (pa == PADDR_NONE)
			break;
		r = pmm_range_of(pa);
		pmm_bits_set_locked(r, pmm_index(r, pa), pmm_index(r, pa) + 1);
		n++;
	}
	for (r = pmm_ranges; r < pmm_ranges + pmm_nr_ranges; r++) {
		n += r->depth;
		pmm_bits_spill_locked(r, r->depth);
	}
	spin_unlock(&pmm_lock, flags);
	return n;
}

/* --- giving back ------------------------------------------------------------------------- */

/*
 * Frames from @first on, at most a batch and within one range, become free if all have @flag.
 * Returns how many; 0 if one has not: *@bad is that.
 */
static size_t
give_back_batch(paddr_t first, size_t nr, uint8_t flag, paddr_t *bad)
{
	const uint64_t flags = spin_lock(&pmm_lock);
	struct pmm_range *r = pmm_range_of(first);
	const size_t from = r != NULL ? pmm_index(r, first) : 0;
	const size_t to = r != NULL && from < r->nr ? MIN(r->nr, from + MIN(nr, 64)) : 0;
	size_t good = from;

	while (good < to && (r->owner[good] & flag) != 0)
		good++;
	*bad = first + (good - from) * PAGE_SIZE;
	if (good == to && from < to) {
		for (size_t i = from; i < to; i++) {
			pmm_counts.by[r->owner[i]]--;
			r->owner[i] &= PMM_ID;
		}
		pmm_counts.headroom += (ssize_t)(to - from);
		pmm_bits_set_locked(r, from, to);
		if (r < pmm_current)
			pmm_current = r;
	}
	spin_unlock(&pmm_lock, flags);
	return good == to && from < to ? to - from : 0;
}

/* Returns the first frame that has not @flag, or PADDR_NONE: all are free. */
static paddr_t
give_back(paddr_t first, size_t nr, uint8_t flag)
{
	while (nr > 0) {
		paddr_t bad;
		const size_t done = give_back_batch(first, nr, flag, &bad);

		if (done == 0)
			return bad;
		first += done * PAGE_SIZE;
		nr -= done;
	}
	return PADDR_NONE;
}

void
pmm_free_range(paddr_t first, size_t nr)
{
	const paddr_t bad = give_back(first, nr, PMM_TAKEN);

	if (bad != PADDR_NONE)
		pmm_free_error(bad);
}

void
pmm_adopt(paddr_t frame, enum pmm_owner owner)
{
	const uint64_t flags = spin_lock(&pmm_lock);
	struct pmm_range *r = pmm_range_of(frame);
	const size_t i = r != NULL ? pmm_index(r, frame) : 0;
	const bool reserved = r != NULL && (r->owner[i] & PMM_FIXED) != 0;

	if (reserved) {
		pmm_counts.by[r->owner[i]]--;
		pmm_counts.by[owner]++;
		r->owner[i] = (uint8_t)owner;
	}
	spin_unlock(&pmm_lock, flags);
	if (!reserved)
		panic("pmm_adopt: frame %#lx is not reserved: %s", frame,
		      pmm_owner_name(pmm_frame_owner(frame)));
}

void
pmm_release(paddr_t start, paddr_t end)
{
	paddr_t bad;

	assert(IS_ALIGNED(start | end, PAGE_SIZE) && start <= end);
	bad = give_back(start, (end - start) / PAGE_SIZE, PMM_FIXED);
	if (bad != PADDR_NONE)
		panic("pmm_release: frame %#lx is not reserved: %s", bad,
		      pmm_owner_name(pmm_frame_owner(bad)));
}
