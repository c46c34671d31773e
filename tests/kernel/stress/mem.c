/*
 * mem.c - `stress`: page frames, heap blocks, objects of caches.  Each is filled with a pattern that
 * only its holder knows and looked at before it goes back: two holders of one byte are found out.
 */
#include "stress.h"
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>

#define SLOTS	  8  /* that each worker holds of each kind */
#define RUN_MAX	  16 /* frames */
#define SMALL_MAX 400
#define LARGE_MAX 20000
#define CACHES	  3

static uint64_t
pattern(const struct stress_worker *w, unsigned slot, uint64_t salt)
{
	return (w->me * 64 + slot + 1) * 0x9e3779b97f4a7c15ULL ^ salt;
}

/* --- frames ------------------------------------------------------------------------------------ */

static struct frames {
	paddr_t pa;
	size_t nr; /* 0 = empty */
} frames[STRESS_WORKERS][SLOTS];

static void
take_frames(struct stress_worker *w, unsigned i)
{
	struct frames *f = &frames[w->me][i];
	const size_t nr = stress_below(w, 4) == 0 ? 1 + stress_below(w, RUN_MAX) : 1;
	const size_t align = PAGE_SIZE << stress_below(w, 4);

	f->pa = nr == 1 ? pmm_alloc(PMM_TEST) : pmm_alloc_range(PMM_TEST, nr, align, 0);
	if (f->pa == PADDR_NONE) {
		w->refused++;
		return;
	}
	STRESS_CHECK(nr == 1 || IS_ALIGNED(f->pa, align), "frames %#lx, aligned to %zu?", f->pa,
		     align);
	f->nr = nr;
	for (size_t k = 0; k < nr; k++) {
		uint64_t *p = phys_to_virt(f->pa + k * PAGE_SIZE);

		p[0] = p[PAGE_SIZE / 8 - 1] = pattern(w, i, f->pa + k);
	}
}

static void
give_frames(struct stress_worker *w, unsigned i)
{
	struct frames *f = &frames[w->me][i];
	const size_t nr = f->nr;

	f->nr = 0;
	for (size_t k = 0; k < nr; k++) {
		const uint64_t *p = phys_to_virt(f->pa + k * PAGE_SIZE);

		STRESS_CHECK(p[0] == pattern(w, i, f->pa + k) && p[PAGE_SIZE / 8 - 1] == p[0],
			     "frame %#lx was written to by somebody else", f->pa + k * PAGE_SIZE);
	}
	if (nr == 1)
		pmm_free(f->pa);
	else if (nr > 1)
		pmm_free_range(f->pa, nr);
}

void
stress_frames_step(struct stress_worker *w)
{
	const unsigned i = stress_below(w, SLOTS);

	if (frames[w->me][i].nr == 0)
		take_frames(w, i);
	else
		give_frames(w, i);
}

void
stress_frames_end(struct stress_worker *w)
{
	for (unsigned i = 0; i < SLOTS; i++)
		give_frames(w, i);
}

/* --- heap -------------------------------------------------------------------------------------- */

static struct piece {
	uint8_t *p;
	size_t len;
} blocks[STRESS_WORKERS][SLOTS];

static uint8_t
fill_of(const struct stress_worker *w, unsigned i)
{
	return (uint8_t)(1 + w->me * SLOTS + i);
}

/* Is it as it was left?  The ends of a long one stand for all of it. */
static bool
intact(const struct piece *b, uint8_t fill, size_t len)
{
	const size_t head = MIN(len, 64);

	for (size_t k = 0; k < head; k++) {
		if (b->p[k] != fill || b->p[len - 1 - k] != fill)
			return false;
	}
	return true;
}

static size_t
random_size(struct stress_worker *w)
{
	return 1 + stress_below(w, stress_below(w, 64) == 0 ? LARGE_MAX : SMALL_MAX);
}

static void
take_block(struct stress_worker *w, unsigned i)
{
	struct piece *b = &blocks[w->me][i];
	const bool zeroed = stress_below(w, 4) == 0;

	b->len = random_size(w);
	b->p = zeroed ? kzalloc(b->len) : kmalloc(b->len);
	if (b->p == NULL) {
		w->refused++;
		return;
	}
	STRESS_CHECK(!zeroed || intact(b, 0, b->len), "kzalloc(%zu) at %p is not zeros", b->len,
		     (void *)b->p);
	memset(b->p, fill_of(w, i), b->len);
}

static void
resize_block(struct stress_worker *w, unsigned i)
{
	struct piece *b = &blocks[w->me][i];
	const size_t len = random_size(w);
	uint8_t *p = krealloc(b->p, len);

	if (p == NULL) {
		w->refused++;
		return;
	}
	b->p = p;
	STRESS_CHECK(intact(b, fill_of(w, i), MIN(b->len, len)), "krealloc(%zu) lost the contents",
		     len);
	b->len = len;
	memset(b->p, fill_of(w, i), len);
}

static void
give_block(struct stress_worker *w, unsigned i)
{
	struct piece *b = &blocks[w->me][i];
	uint8_t *p = b->p;

	if (p == NULL)
		return;
	STRESS_CHECK(intact(b, fill_of(w, i), b->len), "block %p of %zu bytes was written to",
		     (void *)p, b->len);
	b->p = NULL;
	kfree(p);
}

void
stress_heap_step(struct stress_worker *w)
{
	const unsigned i = stress_below(w, SLOTS);

	if (blocks[w->me][i].p == NULL)
		take_block(w, i);
	else if (stress_below(w, 4) == 0)
		resize_block(w, i);
	else
		give_block(w, i);
}

void
stress_heap_end(struct stress_worker *w)
{
	for (unsigned i = 0; i < SLOTS; i++)
		give_block(w, i);
}

/* --- objects ----------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t size;
} shapes[CACHES] = {{"stress-24", 24}, {"stress-136", 136}, {"stress-1200", 1200}};

static struct slab_cache *caches[CACHES];
static uint64_t *objects[STRESS_WORKERS][SLOTS][CACHES];

int
stress_objects_begin(void)
{
	for (unsigned c = 0; c < CACHES; c++) {
		caches[c] = slab_cache_create(shapes[c].name, shapes[c].size);
		if (caches[c] == NULL) {
			stress_objects_finish();
			return -ENOMEM;
		}
	}
	return 0;
}

static void
give_object(struct stress_worker *w, unsigned i, unsigned c)
{
	uint64_t *o = objects[w->me][i][c];

	if (o == NULL)
		return;
	STRESS_CHECK(o[0] == pattern(w, i, (uint64_t)o) && o[shapes[c].size / 8 - 1] == o[0],
		     "object %p of %s was written to", (void *)o, shapes[c].name);
	objects[w->me][i][c] = NULL;
	slab_free(caches[c], o);
}

void
stress_objects_step(struct stress_worker *w)
{
	const unsigned i = stress_below(w, SLOTS), c = stress_below(w, CACHES);
	uint64_t *o = objects[w->me][i][c];

	if (o != NULL) {
		give_object(w, i, c);
		return;
	}
	o = slab_alloc(caches[c]);
	if (o == NULL) {
		w->refused++;
		return;
	}
	o[0] = o[shapes[c].size / 8 - 1] = pattern(w, i, (uint64_t)o);
	objects[w->me][i][c] = o;
}

void
stress_objects_end(struct stress_worker *w)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		for (unsigned c = 0; c < CACHES; c++)
			give_object(w, i, c);
	}
}

/* Destroying a cache with objects in use would panic; so it is a leak that is found there. */
void
stress_objects_finish(void)
{
	for (unsigned c = 0; c < CACHES; c++) {
		slab_cache_destroy(caches[c]);
		caches[c] = NULL;
	}
}
