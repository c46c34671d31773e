/*
 * pmm_init.c - the frame allocator's tables, built from the memory map.
 *
 * RAM is cut at 1 MiB, 16 MiB and 4 GiB into ranges.  What is in use already (frame 0, the kernel
 * image, the initrd, the loader's tables, these tables) lies in them with an owner of its own, so
 * that every frame of RAM is counted under somebody.  No byte is spent on holes, however high the
 * addresses.  The tables lie at the end of the largest piece of free RAM that the loader has mapped.
 */
#include <mm/frames.h>
#include <boot/boot_info.h>
#include <kern/boot_trace.h>
#include <lib/string.h>

#define MAX_FIXED 8
#define OWNER_PAD 3 /* bytes: test_and_clear_bit7() accesses four from the last owner on */

/* Ranges are used up in this order. */
enum order { ORDER_32, ORDER_HIGH, ORDER_DMA, ORDER_LOW, NR_ORDERS };

typedef void (*span_fn)(void *arg, paddr_t start, paddr_t end);

struct span {
	paddr_t start, end;
	enum pmm_owner owner;
};

static struct span fixed[MAX_FIXED]; /* [I] sorted by address */
static size_t nr_fixed;
static paddr_t highest;	   /* [I] */
static bool boot_released; /* [I] after init */

/* --- the memory map, piece by piece ------------------------------------------------------ */

static void
add_fixed(paddr_t start, paddr_t end, enum pmm_owner owner)
{
	size_t i = nr_fixed;

	if (start >= end)
		return;
	assert(nr_fixed < MAX_FIXED);
	for (; i > 0 && fixed[i - 1].start > start; i--)
		fixed[i] = fixed[i - 1];
	fixed[i] = (struct span){ALIGN_DOWN(start, PAGE_SIZE), ALIGN_UP(end, PAGE_SIZE), owner};
	nr_fixed++;
}

/*
 * Everything that is known to be in use.  Frame 0 is the BIOS's.  Parts may overlap: another
 * loader's tables lie in the kernel's image, and where it puts an initrd is up to it.
 */
static void
add_known(void)
{
	const struct boot_info *bi = boot_info();

	add_fixed(0, PAGE_SIZE, PMM_FIRMWARE);
	add_fixed(PAGE_SIZE, PMM_LOW_END, PMM_LOADER);
	add_fixed(bi->kernel_start, bi->kernel_end, PMM_KERNEL);
	add_fixed(bi->initrd_start, bi->initrd_end, PMM_INITRD);
	add_fixed(LOG_KEEP_PHYS, LOG_KEEP_PHYS + LOG_KEEP_SIZE, PMM_LOG);
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

struct cutter {
	span_fn fn;
	void *arg;
};

static void
cut_at_zones(void *arg, paddr_t start, paddr_t end)
{
	static const paddr_t boundaries[] = {PMM_LOW_END, PMM_DMA_END, PMM_32_END};
	const struct cutter *c = arg;

	for (size_t i = 0; i < ARRAY_SIZE(boundaries); i++) {
		if (start < boundaries[i] && boundaries[i] < end) {
			c->fn(c->arg, start, boundaries[i]);
			start = boundaries[i];
		}
	}
	c->fn(c->arg, start, end);
}

/* Each piece of RAM that becomes a range. */
static void
for_each_piece(span_fn fn, void *arg)
{
	struct cutter c = {fn, arg};

	pmm_for_each_range(cut_at_zones, &c);
}

/* --- how much, and where ----------------------------------------------------------------- */

/* Words that the levels of a range of @nr frames take; *@levels = how many those are. */
static size_t
words_of_levels(size_t nr, unsigned *levels)
{
	size_t n = nr, words = 0;

	*levels = 0;
	do {
		n = BITMAP_WORDS(n);
		words += n;
		++*levels;
	} while (n > 1 || *levels < PMM_MIN_LEVELS);
	return words;
}

/* Bytes of tables for a range of @nr frames: levels, bounds, owners. */
static size_t
bytes_of(size_t nr)
{
	unsigned levels;
	const size_t groups = (nr + PMM_GROUP - 1) / PMM_GROUP;

	return words_of_levels(nr, &levels) * sizeof(uint64_t) +
	       ALIGN_UP((groups + 1) * sizeof(uint16_t), sizeof(uint64_t)) +
	       ALIGN_UP(nr + OWNER_PAD, sizeof(uint64_t));
}

struct survey {
	size_t ranges, bytes;
	struct span best; /* where the tables can go: largest piece that the loader has mapped */
};

static void
propose(struct survey *s, paddr_t start, paddr_t end)
{
	if (start < end && start >= PMM_LOW_END && end <= PMM_32_END &&
	    end - start > s->best.end - s->best.start)
		s->best = (struct span){start, end, PMM_FRAMES};
}

static void
survey_piece(void *arg, paddr_t start, paddr_t end)
{
	struct survey *s = arg;

	s->ranges++;
	s->bytes += bytes_of((end - start) / PAGE_SIZE);
	pmm_total += (end - start) / PAGE_SIZE;
	highest = MAX(highest, end);
	for (size_t i = 0; i < nr_fixed; i++) {
		const struct span *f = &fixed[i];

		if (f->end <= start || f->start >= end)
			continue;
		propose(s, start, f->start);
		start = MAX(start, f->end);
	}
	propose(s, start, end);
}

/* --- building ---------------------------------------------------------------------------- */

static enum order
order_of(paddr_t start)
{
	if (start < PMM_LOW_END)
		return ORDER_LOW;
	return start < PMM_DMA_END ? ORDER_DMA : start < PMM_32_END ? ORDER_32 : ORDER_HIGH;
}

static enum pmm_zone
zone_of(enum order order)
{
	return order == ORDER_32 ? PMM_ZONE_32 : order == ORDER_HIGH ? PMM_ZONE_HIGH : PMM_ZONE_DMA;
}

static void fix_locked(struct pmm_range *r, size_t from, size_t to, enum pmm_owner owner)
	REQUIRES(pmm_lock);
static void fix_all_locked(struct pmm_range *r) REQUIRES(pmm_lock);

/* Frames [from, to) are free so far. */
static void
fix_locked(struct pmm_range *r, size_t from, size_t to, enum pmm_owner owner)
{
	memset(&r->owner[from], (int)owner, to - from);
	pmm_bits_clear_locked(r, from, to);
	pmm_counts.by[owner] += to - from;
	pmm_counts.peak += to - from;
}

static void
fix_all_locked(struct pmm_range *r)
{
	const paddr_t end = r->base + r->nr * PAGE_SIZE;
	paddr_t done = r->base; /* no frame is counted twice */

	for (size_t i = 0; i < nr_fixed; i++) {
		const paddr_t from = MAX(fixed[i].start, done);
		const paddr_t to = MIN(fixed[i].end, end);

		if (from >= to)
			continue;
		fix_locked(r, (from - r->base) / PAGE_SIZE, (to - r->base) / PAGE_SIZE,
			   fixed[i].owner);
		done = to;
	}
}

struct builder {
	uint8_t *next;	  /* bytes not yet given out */
	enum order order; /* only pieces of this */
};

/* Lay the tables of @r out at @at, all 0. */
static void
lay_out(struct pmm_range *r, uint8_t *at)
{
	uint64_t *word = memset(at, 0, bytes_of(r->nr));
	size_t n = r->nr;

	(void)words_of_levels(r->nr, &r->levels);
	for (unsigned k = 0; k < r->levels; k++) {
		n = BITMAP_WORDS(n);
		r->level[k] = word;
		word += n;
	}
	r->bound = (uint16_t *)word;
	word += BITMAP_WORDS((pmm_nr_groups(r) + 1) * 16);
	r->owner = (uint8_t *)word;
}

static void
build_piece(void *arg, paddr_t start, paddr_t end)
{
	struct builder *b = arg;
	struct pmm_range *r = &pmm_ranges[pmm_nr_ranges];
	uint64_t flags;

	if (order_of(start) != b->order)
		return;
	*r = (struct pmm_range){.base = start, .nr = (end - start) / PAGE_SIZE};
	r->zone = zone_of(b->order);
	lay_out(r, b->next);
	b->next += bytes_of(r->nr);
	pmm_nr_ranges++;
	flags = spin_lock(&pmm_lock);
	pmm_bits_set_locked(r, 0, r->nr);
	fix_all_locked(r);
	spin_unlock(&pmm_lock, flags);
}

int
pmm_init(void)
{
	struct survey s = {0};
	size_t bytes;
	paddr_t tables;

	add_known();
	for_each_piece(survey_piece, &s);
	bytes = ALIGN_UP((s.ranges + 1) * sizeof(struct pmm_range) + s.bytes, PAGE_SIZE);
	if (s.best.end - s.best.start <= bytes)
		panic("pmm: no RAM below 4 GiB holds %zu bytes of tables (largest piece: "
		      "%#lx-%#lx)",
		      bytes, s.best.start, s.best.end);
	tables = s.best.end - bytes;
	add_fixed(tables, s.best.end, PMM_FRAMES);

	pmm_ranges = phys_to_virt(tables);
	{
		struct builder b = {.next = (uint8_t *)(pmm_ranges + s.ranges + 1)};

		for (b.order = 0; b.order < NR_ORDERS; b.order++)
			for_each_piece(build_piece, &b);
	}
	assert(pmm_nr_ranges == s.ranges);
	pmm_ranges[s.ranges] = (struct pmm_range){.depth = PMM_STACK};
	pmm_current = pmm_ranges;
	log_info("pmm: %zu KiB of RAM, %zu KiB free, tables %zu KiB", pmm_total * 4,
		 pmm_free_count() * 4, bytes / 1024);
	return 0;
}

void
pmm_use_direct_map(uint64_t delta)
{
	pmm_ranges = (struct pmm_range *)((uintptr_t)pmm_ranges + delta);
	pmm_current = (struct pmm_range *)((uintptr_t)pmm_current + delta);
	for (struct pmm_range *r = pmm_ranges; r < pmm_ranges + pmm_nr_ranges; r++) {
		for (unsigned k = 0; k < r->levels; k++)
			r->level[k] = (uint64_t *)((uintptr_t)r->level[k] + delta);
		r->bound = (uint16_t *)((uintptr_t)r->bound + delta);
		r->owner = (uint8_t *)((uintptr_t)r->owner + delta);
	}
}

void
pmm_release_boot(void)
{
	if (boot_released)
		return;
	boot_released = true;
	for (struct pmm_range *r = pmm_ranges; r < pmm_ranges + pmm_nr_ranges; r++) {
		const paddr_t first = MAX(r->base, PAGE_SIZE);

		if (r->base < PMM_LOW_END)
			pmm_release(first, r->base + r->nr * PAGE_SIZE);
	}
}

paddr_t
pmm_highest(void)
{
	return highest;
}
