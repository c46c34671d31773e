/*
 * pmm.c - physical page allocator: one bit per frame (1 = free) of the RAM it may hand out.
 *
 * RAM that is used already (kernel image, initrd, this allocator's own tables, frame 0) is cut out
 * of the memory map first; what remains are the managed ranges.  A frame that lies in none of
 * them is foreign, so freeing it is noticed, and no bit is spent on holes, however high the
 * addresses.  Ranges are cut at 1 MiB, 16 MiB and 4 GiB and kept in the order in which they are
 * used up: first [16 MiB, 4 GiB), then above, then what ISA DMA can reach, last what start-up code
 * of other CPUs needs.
 *
 * Each range has three levels of bits: frames; words of those with a bit set; words of those
 * again.  The top level has one word for each GiB, so a search looks at a handful of words
 * whatever the size of memory.  `hint` is the word that allocations come from: as long as it has a
 * bit, that is all that pmm_alloc() touches.  pmm_free() moves the hint to where it freed, so
 * that warm frames are used again first.
 */
#include <mm/pmm.h>
#include <boot/boot_info.h>
#include <kern/boot_trace.h>
#include <kern/spinlock.h>
#include <lib/bitmap.h>
#include <lib/string.h>
#include <x86/cpu.h>

#define ZONE_LOW_END MIB(16) /* ISA DMA reaches no further */
#define ZONE_32_END  GIB(4)
#define LOADER_END   MIB(1) /* the loader's data lies below: kept until pmm_release_boot() */
#define NR_ZONES     4
#define MAX_RESERVED 6
#define FREE_BATCH   64 /* frames given back with interrupts off */

struct span {
	paddr_t start, end;
};

struct range {
	paddr_t start, end; /* [I] frames managed */
	paddr_t base;	    /* [I] address of bit 0: start, rounded down to 64 frames */
	size_t bits;	    /* [I] in the bitmap, from base to end */
	uint64_t *frames;   /* [pmm] 1 = free */
	uint64_t *words;    /* [pmm] bit n: frames[n] != 0 */
	uint64_t *groups;   /* [pmm] bit n: words[n] != 0 */
};

uint64_t direct_map_base;

static struct spinlock pmm_lock = SPINLOCK_INIT("pmm");
static struct range *ranges;	 /* [I] in order of use */
static size_t nr_ranges;	 /* [I] */
static uint64_t *hint;		 /* [pmm] a word of hint_range->frames */
static paddr_t hint_base;	 /* [pmm] address of its bit 0 */
static struct range *hint_range; /* [pmm] */
static size_t free_frames, total_frames, reserved_frames, min_free; /* [pmm] */
static paddr_t highest;						    /* [I] */
static struct span reserved[MAX_RESERVED];			    /* [I] sorted by address */
static size_t nr_reserved;
static bool boot_released; /* [I] after init */

/* --- the memory map, piece by piece ------------------------------------------------------ */

typedef void (*span_fn)(void *arg, paddr_t start, paddr_t end);

static void
reserve(paddr_t start, paddr_t end)
{
	size_t i = nr_reserved;

	if (start >= end)
		return;
	assert(nr_reserved < MAX_RESERVED);
	for (; i > 0 && reserved[i - 1].start > start; i--)
		reserved[i] = reserved[i - 1];
	reserved[i] = (struct span){ALIGN_DOWN(start, PAGE_SIZE), ALIGN_UP(end, PAGE_SIZE)};
	nr_reserved++;
}

void
pmm_for_each_range(span_fn fn, void *arg)
{
	size_t n;
	const struct boot_mem *map = boot_map(&n);

	for (size_t i = 0; i < n; i++) {
		const paddr_t start = ALIGN_UP(map[i].start, PAGE_SIZE);
		/* What the direct map cannot show is of no use. */
		const paddr_t end =
			MIN(ALIGN_DOWN(map[i].start + map[i].size, PAGE_SIZE), DIRECT_MAP_SIZE);

		if (map[i].type == BOOT_MEM_RAM && start < end)
			fn(arg, start, end);
	}
}

/* [start, end) without what is reserved, cut at the zone boundaries. */
struct cutter {
	span_fn fn;
	void *arg;
};

static void
cut_at_zones(const struct cutter *c, paddr_t start, paddr_t end)
{
	static const paddr_t boundaries[] = {LOADER_END, ZONE_LOW_END, ZONE_32_END};

	for (size_t i = 0; i < ARRAY_SIZE(boundaries); i++) {
		if (start < boundaries[i] && boundaries[i] < end) {
			c->fn(c->arg, start, boundaries[i]);
			start = boundaries[i];
		}
	}
	c->fn(c->arg, start, end);
}

static void
cut_reserved(void *arg, paddr_t start, paddr_t end)
{
	for (size_t i = 0; i < nr_reserved && start < end; i++) {
		const struct span *r = &reserved[i];

		if (r->end <= start || r->start >= end)
			continue;
		if (start < r->start)
			cut_at_zones(arg, start, r->start);
		start = r->end;
	}
	if (start < end)
		cut_at_zones(arg, start, end);
}

static void
for_each_piece(span_fn fn, void *arg)
{
	struct cutter c = {fn, arg};

	pmm_for_each_range(cut_reserved, &c);
}

/* --- building the tables ----------------------------------------------------------------- */

static size_t
bits_of(paddr_t start, paddr_t end)
{
	return (end - ALIGN_DOWN(start, 64 * PAGE_SIZE)) / PAGE_SIZE;
}

/* Words that the three levels of a range take. */
static size_t
words_of(size_t bits)
{
	const size_t w = BITMAP_WORDS(bits), g = BITMAP_WORDS(w);

	return w + g + BITMAP_WORDS(g);
}

struct survey {
	size_t ranges, words;
	struct span best; /* where the tables can go: largest piece that the loader has mapped */
};

static void
survey_piece(void *arg, paddr_t start, paddr_t end)
{
	struct survey *s = arg;

	s->ranges++;
	s->words += words_of(bits_of(start, end));
	if (start >= LOADER_END && end <= ZONE_32_END && end - start > s->best.end - s->best.start)
		s->best = (struct span){start, end};
}

struct builder {
	uint64_t *next; /* words not yet given out */
	unsigned zone;	/* only pieces of this zone; see zone_of() */
};

/* Which memory is used up first (0) and last. */
static unsigned
zone_of(paddr_t start)
{
	if (start < LOADER_END)
		return 3;
	return start < ZONE_LOW_END ? 2 : start < ZONE_32_END ? 0 : 1;
}

static void
set_free(struct range *r, size_t bit)
{
	r->frames[bit / 64] |= BIT(bit % 64);
	r->words[bit / 4096] |= BIT(bit / 64 % 64);
	r->groups[bit / 262144] |= BIT(bit / 4096 % 64);
}

/* Bits up to date after frames[word] became 0. */
static void
word_empty(struct range *r, size_t word)
{
	r->words[word / 64] &= ~BIT(word % 64);
	if (r->words[word / 64] == 0)
		r->groups[word / 4096] &= ~BIT(word / 64 % 64);
}

static void
fill_range(struct range *r, paddr_t start, paddr_t end)
{
	const size_t first = (start - r->base) / PAGE_SIZE, last = (end - r->base) / PAGE_SIZE;

	if (start >= end)
		return;
	bitmap_set_range(r->frames, first, last);
	bitmap_set_range(r->words, first / 64, (last - 1) / 64 + 1);
	bitmap_set_range(r->groups, first / 4096, (last - 1) / 4096 + 1);
	free_frames += last - first;
}

static void
build_piece(void *arg, paddr_t start, paddr_t end)
{
	struct builder *b = arg;
	struct range *r = &ranges[nr_ranges];
	size_t words;

	if (zone_of(start) != b->zone)
		return;
	nr_ranges++;
	r->start = start;
	r->end = end;
	r->base = ALIGN_DOWN(start, 64 * PAGE_SIZE);
	r->bits = bits_of(start, end);
	words = words_of(r->bits);
	memset(b->next, 0, words * sizeof(uint64_t));
	r->frames = b->next;
	r->words = r->frames + BITMAP_WORDS(r->bits);
	r->groups = r->words + BITMAP_WORDS(BITMAP_WORDS(r->bits));
	b->next += words;
	/* Below 1 MiB the loader's tables are still in use: those bits are set later. */
	fill_range(r, MAX(start, LOADER_END), end);
}

static void
count_ram(void *arg, paddr_t start, paddr_t end)
{
	(void)arg;
	total_frames += (end - start) / PAGE_SIZE;
	highest = MAX(highest, end);
}

/* Everything but pmm_release_boot() that is known to be in use.  Frame 0 is the BIOS's. */
static void
reserve_known(void)
{
	const struct boot_info *bi = boot_info();

	reserve(0, PAGE_SIZE);
	reserve(bi->kernel_start, bi->kernel_end);
	reserve(bi->initrd_start, bi->initrd_end);
	if (bi->tables_end > LOADER_END) /* another loader's: kept for good */
		reserve(bi->tables_start, bi->tables_end);
}

int
pmm_init(void)
{
	struct survey s = {0};
	size_t bytes;
	paddr_t tables;

	reserve_known();
	pmm_for_each_range(count_ram, NULL);
	for_each_piece(survey_piece, &s);
	/* Taking the tables' own frames out shortens a piece at its end; it adds none. */
	bytes = ALIGN_UP(s.ranges * sizeof(struct range) + s.words * sizeof(uint64_t), PAGE_SIZE);
	if (s.best.end - s.best.start <= bytes)
		panic("pmm: no RAM below 4 GiB holds %zu bytes of tables (largest piece: "
		      "%#lx-%#lx)",
		      bytes, s.best.start, s.best.end);
	tables = s.best.end - bytes;
	reserve(tables, s.best.end);

	ranges = phys_to_virt(tables);
	{
		struct builder b = {.next = (uint64_t *)(ranges + s.ranges)};

		for (b.zone = 0; b.zone < NR_ZONES; b.zone++)
			for_each_piece(build_piece, &b);
	}
	assert(nr_ranges == s.ranges);
	hint_range = &ranges[0];
	hint = ranges[0].frames;
	hint_base = ranges[0].base;
	min_free = free_frames;
	reserved_frames = total_frames - free_frames;
	log_info("pmm: %zu KiB of RAM, %zu KiB free, tables %zu KiB", total_frames * 4,
		 free_frames * 4, bytes / 1024);
	return 0;
}

void
pmm_use_direct_map(uint64_t delta)
{
	ranges = (struct range *)((uintptr_t)ranges + delta);
	hint = (uint64_t *)((uintptr_t)hint + delta);
	hint_range = (struct range *)((uintptr_t)hint_range + delta);
	for (size_t i = 0; i < nr_ranges; i++) {
		struct range *r = &ranges[i];

		r->frames = (uint64_t *)((uintptr_t)r->frames + delta);
		r->words = (uint64_t *)((uintptr_t)r->words + delta);
		r->groups = (uint64_t *)((uintptr_t)r->groups + delta);
	}
}

void
pmm_release_boot(void)
{
	const uint64_t flags = spin_lock(&pmm_lock);
	const size_t before = free_frames;

	if (!boot_released) {
		for (size_t i = 0; i < nr_ranges; i++)
			fill_range(&ranges[i], ranges[i].start, MIN(ranges[i].end, LOADER_END));
		boot_released = true;
		reserved_frames -= free_frames - before;
	}
	spin_unlock(&pmm_lock, flags);
}

/* --- single frames ----------------------------------------------------------------------- */

/*
 * Point the hint at the first word with a free frame, in order of use.  False when there is none.
 */
static __attribute__((noinline)) bool
find_word_locked(void)
{
	for (struct range *r = ranges; r < ranges + nr_ranges; r++) {
		const size_t nr_groups = BITMAP_WORDS(BITMAP_WORDS(BITMAP_WORDS(r->bits)));

		for (size_t g = 0; g < nr_groups; g++) {
			size_t w;

			if (r->groups[g] == 0)
				continue;
			w = g * 64 + (size_t)__builtin_ctzll(r->groups[g]);
			w = w * 64 + (size_t)__builtin_ctzll(r->words[w]);
			hint = &r->frames[w];
			hint_base = r->base + w * 64 * PAGE_SIZE;
			hint_range = r;
			return true;
		}
	}
	return false;
}

static inline void
account_alloc_locked(size_t nr)
{
	free_frames -= nr;
	if (free_frames < min_free)
		min_free = free_frames;
}

paddr_t
pmm_alloc(void)
{
	const uint64_t flags = spin_lock(&pmm_lock);
	paddr_t pa = PADDR_NONE;
	uint64_t word = *hint;

	if (unlikely(word == 0) && find_word_locked())
		word = *hint;
	if (likely(word != 0)) {
		pa = hint_base + (paddr_t)__builtin_ctzll(word) * PAGE_SIZE;
		word &= word - 1;
		*hint = word;
		if (unlikely(word == 0))
			word_empty(hint_range, (size_t)(hint - hint_range->frames));
		account_alloc_locked(1);
	}
	spin_unlock(&pmm_lock, flags);
	return pa;
}

paddr_t
pmm_alloc_zeroed(void)
{
	const paddr_t pa = pmm_alloc();

	if (pa != PADDR_NONE)
		page_zero(phys_to_virt(pa));
	return pa;
}

static inline bool
range_has(const struct range *r, paddr_t pa)
{
	return pa - r->start < r->end - r->start;
}

static __attribute__((noinline)) struct range *
range_search(paddr_t pa)
{
	for (struct range *r = ranges; r < ranges + nr_ranges; r++) {
		if (range_has(r, pa))
			return r;
	}
	return NULL;
}

/* The range that @pa lies in, or NULL.  Most often it is the one in use. */
static inline struct range *
range_of(paddr_t pa)
{
	struct range *r = hint_range;

	return likely(range_has(r, pa)) ? r : range_search(pa);
}

/* Panics are raised with the lock open, so that the report and the tests can go on. */
NORETURN static void free_error(paddr_t frame, uint64_t flags, bool is_free) RELEASE(pmm_lock);

static __attribute__((noinline, cold)) void
free_error(paddr_t frame, uint64_t flags, bool is_free)
{
	spin_unlock(&pmm_lock, flags);
	if (is_free)
		panic("pmm_free: frame %#lx is free already (double free)", frame);
	panic("pmm_free: frame %#lx %s", frame,
	      pmm_is_ram(frame) ? "is reserved or no frame's start" : "is not RAM");
}

/* Allocations continue at @word of @r. */
static inline void
move_hint_locked(struct range *r, uint64_t *word, size_t bit)
{
	hint = word;
	hint_base = r->base + bit / 64 * 64 * PAGE_SIZE;
	hint_range = r;
}

static void free_locked(paddr_t frame, uint64_t flags) REQUIRES(pmm_lock);

/* Any frame. */
static void
free_locked(paddr_t frame, uint64_t flags)
{
	struct range *r = range_of(frame);
	size_t bit;

	if (r == NULL || !IS_ALIGNED(frame, PAGE_SIZE))
		free_error(frame, flags, false);
	bit = (frame - r->base) / PAGE_SIZE;
	if (bitmap_test(r->frames, bit))
		free_error(frame, flags, true);
	set_free(r, bit);
	if (r <= hint_range) /* never away from a better zone */
		move_hint_locked(r, &r->frames[bit / 64], bit);
	free_frames++;
}

static __attribute__((noinline)) void free_slow(paddr_t frame, uint64_t flags) RELEASE(pmm_lock);

static __attribute__((noinline)) void
free_slow(paddr_t frame, uint64_t flags)
{
	free_locked(frame, flags);
	spin_unlock(&pmm_lock, flags);
}

void
pmm_free(paddr_t frame)
{
	const uint64_t flags = spin_lock(&pmm_lock);
	struct range *r = hint_range;
	const size_t bit = (frame - r->base) / PAGE_SIZE;

	/* Most often it lies in the range in use, next to other free frames: nothing more to do. */
	if (likely(range_has(r, frame) && IS_ALIGNED(frame, PAGE_SIZE))) {
		uint64_t *word = &r->frames[bit / 64];

		if (likely(*word != 0 && (*word & BIT(bit % 64)) == 0)) {
			*word |= BIT(bit % 64);
			move_hint_locked(r, word, bit);
			free_frames++;
			spin_unlock(&pmm_lock, flags);
			return;
		}
	}
	free_slow(frame, flags);
}

/* --- runs of frames ---------------------------------------------------------------------- */

/*
 * First bit of a free run of @nr in @r, aligned to @align bytes and ending below @limit, or
 * BITMAP_NONE.
 */
static size_t
find_run(const struct range *r, size_t nr, size_t align, paddr_t limit)
{
	size_t end = r->bits, bit = 0;

	if (r->end > limit)
		end = limit > r->base ? (limit - r->base) / PAGE_SIZE : 0;
	for (;;) {
		size_t stop;

		bit = bitmap_find_set(r->frames, bit, end);
		if (bit == BITMAP_NONE)
			return BITMAP_NONE;
		bit = (ALIGN_UP(r->base + bit * PAGE_SIZE, align) - r->base) / PAGE_SIZE;
		if (bit >= end || nr > end - bit)
			return BITMAP_NONE;
		stop = bitmap_find_clear(r->frames, bit, bit + nr);
		if (stop == BITMAP_NONE)
			return bit;
		bit = stop + 1;
	}
}

static paddr_t
take_run_locked(struct range *r, size_t bit, size_t nr)
{
	bitmap_clear_range(r->frames, bit, bit + nr);
	for (size_t w = bit / 64; w <= (bit + nr - 1) / 64; w++) {
		if (r->frames[w] == 0)
			word_empty(r, w);
	}
	account_alloc_locked(nr);
	return r->base + bit * PAGE_SIZE;
}

paddr_t
pmm_alloc_range(size_t nr, size_t align, paddr_t limit)
{
	paddr_t pa = PADDR_NONE;
	uint64_t flags;

	assert(align >= PAGE_SIZE && (align & (align - 1)) == 0);
	if (nr == 0)
		return PADDR_NONE;
	if (limit == 0)
		limit = PADDR_NONE;
	flags = spin_lock(&pmm_lock);
	for (struct range *r = ranges; r < ranges + nr_ranges && pa == PADDR_NONE; r++) {
		const size_t bit = nr <= free_frames ? find_run(r, nr, align, limit) : BITMAP_NONE;

		if (bit != BITMAP_NONE)
			pa = take_run_locked(r, bit, nr);
	}
	spin_unlock(&pmm_lock, flags);
	return pa;
}

void
pmm_free_range(paddr_t first, size_t nr)
{
	/* From the end, so that the hint stays at the run's start; the lock is opened now and then. */
	while (nr > 0) {
		const uint64_t flags = spin_lock(&pmm_lock);

		for (unsigned n = 0; n < FREE_BATCH && nr > 0; n++)
			free_locked(first + --nr * PAGE_SIZE, flags);
		spin_unlock(&pmm_lock, flags);
	}
}

/* --- questions --------------------------------------------------------------------------- */

void
pmm_stats(struct pmm_stats *out)
{
	const uint64_t flags = spin_lock(&pmm_lock);

	out->total = total_frames;
	out->free = free_frames;
	out->reserved = reserved_frames;
	out->peak_used = total_frames - min_free;
	out->highest = highest;
	spin_unlock(&pmm_lock, flags);
}

bool
pmm_is_ram(paddr_t addr)
{
	size_t n;
	const struct boot_mem *map = boot_map(&n);

	for (size_t i = 0; i < n; i++) {
		if (map[i].type == BOOT_MEM_RAM && addr - map[i].start < map[i].size)
			return true;
	}
	return false;
}

bool
pmm_is_free(paddr_t addr)
{
	const struct range *r = range_of(addr);

	return r != NULL && bitmap_test(r->frames, (addr - r->base) / PAGE_SIZE);
}

paddr_t
virt_to_phys(const void *va)
{
	const uint64_t v = (uint64_t)va;

	if (v >= KERNEL_VMA)
		return v - KERNEL_VMA;
	assert(v - direct_map_base < DIRECT_MAP_SIZE);
	return v - direct_map_base;
}
