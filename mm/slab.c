/*
 * slab.c - caches of objects of one size.
 *
 * A slab is one page in the direct map: 64 bytes of header, then the objects.  Which are free is
 * said by bits in the header, one for each 16 bytes of the page, not by pointers in the objects:
 * writing to a freed object cannot derail the allocator, and a double free is one bit to look at.
 * The slab of an object is found by rounding its address down, and no object starts at a page
 * boundary - so kfree() knows objects from larger blocks, which do.
 *
 * Objects are taken from the cache's active slab only, out of the one word of its map that
 * cache->word points to, and given back to whichever slab they came from.  Both are inline in slab.h,
 * run with interrupts off and take no lock: with one CPU nobody else is there.  What happens less
 * often is here, under the cache's lock: that word is used up (slab_alloc_slow), or a slab changes
 * its state by a free (slab_free_slow).  To notice the latter costs one counter, frees_left, which is
 * set so that it reaches 0 when somebody must look:
 *
 *	ACTIVE	 never, in effect: whatever is freed, it stays the active one
 *	FULL	 1: with its first free it has an object to give
 *	PARTIAL	 the objects in use: with the last of them it is empty
 *	EMPTY	 nothing is in use that could be freed
 *
 * An empty slab is kept in stock if the cache has less than SLAB_KEEP of them, else its frame goes
 * back at once.  slab_shrink() gives back the stock.
 *
 * With more CPUs: word, base and active become one set per CPU, found through GS; and a slab that
 * is active on another CPU gets its objects back into a second map, under the lock, which its owner
 * takes over when the first one is used up.  Nothing in the callers changes.
 */
#include <mm/slab.h>
#include <lib/bitmap.h>
#include <lib/string.h>
#include <mm/fail.h>
#include <mm/pmm.h>

static struct spinlock registry_lock = SPINLOCK_INIT("slab registry");
static struct slab_cache *registry;		     /* [registry_lock] all caches, oldest first */
static struct slab_cache **registry_end = &registry; /* [registry_lock] */
static uint64_t no_word;			     /* [I] 0: where there is no active slab */

/* --- caches ---------------------------------------------------------------------------------- */

/* Where the objects lie.  False when there is no room for even one. */
static bool
lay_out(struct slab_cache *c, size_t align)
{
	size_t at, end;

	if ((align & (align - 1)) != 0 || align >= PAGE_SIZE)
		return false;
	align = MAX(align, SLAB_GRANULE);
	c->first = (uint32_t)ALIGN_UP(SLAB_HEADER + SLAB_GUARD, align);
	c->stride = (uint32_t)ALIGN_UP(c->size + SLAB_RECORD + SLAB_GUARD, align);
	end = PAGE_SIZE - c->size - SLAB_RECORD; /* the last one must begin by then */
	for (at = c->first; at <= end; at += c->stride) {
		c->starts[at / SLAB_GRANULE / 64] |= BIT(at / SLAB_GRANULE % 64);
		c->per_slab++;
	}
	return c->per_slab > 0;
}

bool
slab_cache_setup(struct slab_cache *c, const struct slab_spec *spec)
{
	uint64_t flags;

	if (spec->size == 0 || spec->size > SLAB_OBJECT_MAX)
		return false;
	*c = (struct slab_cache){
		.lock = SPINLOCK_INIT("slab cache"),
		.word = &no_word,
		.name = spec->name,
		.ctor = spec->ctor,
		.size = (uint32_t)ALIGN_UP(spec->size, SLAB_GRANULE),
	};
	if (!lay_out(c, spec->align))
		return false;
	list_init(&c->partial);
	list_init(&c->full);
	list_init(&c->empty);

	flags = spin_lock(&registry_lock);
	*registry_end = c;
	registry_end = &c->next;
	spin_unlock(&registry_lock, flags);
	return true;
}

struct slab_cache *
slab_cache_create_spec(const struct slab_spec *spec)
{
	struct slab_cache *c = kmalloc(sizeof(*c));

	if (c != NULL && !slab_cache_setup(c, spec)) {
		kfree(c);
		return NULL;
	}
	return c;
}

struct slab_cache *
slab_cache_create(const char *name, size_t size)
{
	return slab_cache_create_spec(&(struct slab_spec){.name = name, .size = size});
}

static void
unregister(struct slab_cache *c)
{
	const uint64_t flags = spin_lock(&registry_lock);
	struct slab_cache **at = &registry;

	while (*at != c) {
		assert(*at != NULL); /* destroyed twice, or never created */
		at = &(*at)->next;
	}
	*at = c->next;
	if (registry_end == &c->next)
		registry_end = at;
	spin_unlock(&registry_lock, flags);
}

void
slab_for_each_cache(bool (*fn)(struct slab_cache *c, void *arg), void *arg)
{
	const uint64_t flags = spin_lock(&registry_lock);
	struct slab_cache *c = registry;

	while (c != NULL && fn(c, arg))
		c = c->next;
	spin_unlock(&registry_lock, flags);
}

/* --- slabs ----------------------------------------------------------------------------------- */

static size_t
nr_free(const struct slab *s)
{
	return bitmap_count(s->free, 0, SLAB_MAP_WORDS * 64);
}

void
slab_for_each_locked(struct slab_cache *c, slab_fn fn, void *arg)
{
	struct list *const lists[] = {&c->partial, &c->full, &c->empty};

	if (c->active != NULL)
		fn(c, c->active, arg);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct slab *s;

		list_for_each_entry (s, lists[i], node)
			fn(c, s, arg);
	}
}

size_t
slab_in_use_locked(const struct slab_cache *c)
{
	size_t n = (c->nr_slabs - c->nr_empty) * c->per_slab;
	const struct slab *s;

	if (c->active != NULL)
		n -= nr_free(c->active);
	list_for_each_entry (s, &c->partial, node)
		n -= nr_free(s);
	return n;
}

/* A new slab, its objects constructed; not yet in the cache.  NULL when memory is short. */
static struct slab *
slab_new(struct slab_cache *c)
{
	const paddr_t pa = pmm_alloc(PMM_SLAB);
	struct slab *s;

	if (pa == PADDR_NONE)
		return NULL;
	s = phys_to_virt(pa);
	s->magic = SLAB_MAGIC;
	s->frees_left = 1;
	s->state = SLAB_EMPTY;
	s->pad = 0;
	s->cache = c;
	memcpy(s->free, c->starts, sizeof(s->free));
	if (SLAB_DEBUG) {
		slab_debug_new(c, s);
	} else if (c->ctor != NULL) {
		for (uint32_t i = 0; i < c->per_slab; i++)
			c->ctor((uint8_t *)s + c->first + i * c->stride);
	}
	return s;
}

static void add_empty_locked(struct slab_cache *c, struct slab *s) REQUIRES(c->lock);

static void
add_empty_locked(struct slab_cache *c, struct slab *s)
{
	s->state = SLAB_EMPTY;
	list_add_head(&c->empty, &s->node);
	c->nr_empty++;
}

/* Take objects from a word of the active slab that has some.  False when none has. */
static bool
choose_word(struct slab_cache *c)
{
	struct slab *s = c->active;

	for (size_t w = 0; w < SLAB_MAP_WORDS; w++) {
		if (s->free[w] != 0) {
			c->word = &s->free[w];
			c->base = (uint8_t *)s + w * 64 * SLAB_GRANULE;
			return true;
		}
	}
	return false;
}

static void
no_active(struct slab_cache *c)
{
	c->active = NULL;
	c->word = &no_word;
}

static bool refill_locked(struct slab_cache *c) REQUIRES(c->lock);

/* Point cache->word at free objects: of the active slab, or of another.  False when there is none. */
static bool
refill_locked(struct slab_cache *c)
{
	if (c->active != NULL) {
		if (choose_word(c))
			return true;
		c->active->state = SLAB_FULL;
		c->active->frees_left = 1;
		list_add_head(&c->full, &c->active->node);
		no_active(c);
	}
	if (!list_empty(&c->partial)) {
		c->active = list_first(&c->partial, struct slab, node);
	} else if (!list_empty(&c->empty)) {
		c->active = list_first(&c->empty, struct slab, node);
		c->nr_empty--;
	} else {
		return false;
	}
	list_del(&c->active->node);
	c->active->state = SLAB_ACTIVE;
	c->active->frees_left = UINT16_MAX;
	return choose_word(c);
}

static void *take_locked(struct slab_cache *c) REQUIRES(c->lock);

/* An object of a slab that the cache has; NULL when all are full. */
static void *
take_locked(struct slab_cache *c)
{
	size_t bit;

	if (*c->word == 0 && !refill_locked(c))
		return NULL;
	(void)bit_first(*c->word, &bit);
	*c->word &= *c->word - 1;
	return c->base + SLAB_GRANULE * bit;
}

void *
slab_alloc_slow(struct slab_cache *c, size_t len, const void *caller)
{
	for (;;) {
		uint64_t flags = spin_lock(&c->lock);
		void *obj = take_locked(c);
		struct slab *s;

		spin_unlock(&c->lock, flags);
		if (obj != NULL) {
			if (SLAB_DEBUG)
				slab_debug_take(c, obj, len, caller);
			return obj;
		}
		s = slab_new(c);
		if (s == NULL)
			return NULL;
		flags = spin_lock(&c->lock);
		add_empty_locked(c, s);
		c->nr_slabs++;
		spin_unlock(&c->lock, flags); /* an interrupt may take it: look again */
	}
}

static bool settle_locked(struct slab_cache *c, struct slab *s) REQUIRES(c->lock);

/*
 * The free that was just made in @s has changed its state, or was one of very many in the active
 * one.  True: the slab is left out of the cache, and its frame is the caller's to give back.
 */
static bool
settle_locked(struct slab_cache *c, struct slab *s)
{
	const size_t used = c->per_slab - nr_free(s);

	if (s->state == SLAB_ACTIVE) {
		s->frees_left = UINT16_MAX;
		return false;
	}
	list_del(&s->node);
	if (used > 0) {
		s->state = SLAB_PARTIAL;
		s->frees_left = (uint16_t)used;
		list_add_head(&c->partial, &s->node);
		return false;
	}
	if (c->nr_empty < SLAB_KEEP) {
		add_empty_locked(c, s);
		return false;
	}
	s->magic = 0;
	c->nr_slabs--;
	return true;
}

static NORETURN void
bad_free(const struct slab_cache *c, const void *obj, const char *who)
{
	if (!IS_ALIGNED((uintptr_t)obj, SLAB_GRANULE) || !bit_test(c->starts, slab_bit(obj)))
		panic("%s: slab %s: %p is not the start of an object", who, c->name, obj);
	panic("%s: slab %s: %p is free already (double free)%s", who, c->name, obj,
	      SLAB_DEBUG ? slab_debug_sites(c, obj) : "");
}

/* The slab that holds @obj, checked; panics naming @who. */
static struct slab *
slab_of(const void *obj, const char *who)
{
	struct slab *s = slab_around(obj);

	if (!slab_may_hold(obj) || s->magic != SLAB_MAGIC)
		panic("%s: %p is not from the heap", who, obj);
	return s;
}

void
slab_free_slow(void *obj, const char *who, const void *caller)
{
	struct slab *s = slab_of(obj, who);
	struct slab_cache *c = s->cache;
	const size_t bit = slab_bit(obj);
	bool surplus = false, was_free;
	uint64_t flags;

	if (!IS_ALIGNED((uintptr_t)obj, SLAB_GRANULE) || !bit_test(c->starts, bit) ||
	    bit_test(s->free, bit))
		bad_free(c, obj, who);
	if (SLAB_DEBUG)
		slab_debug_give(c, obj, caller);
	flags = spin_lock(&c->lock);
	was_free = bit_test_set(s->free, bit);
	if (!was_free && --s->frees_left == 0)
		surplus = settle_locked(c, s);
	spin_unlock(&c->lock, flags);
	if (was_free)
		bad_free(c, obj, who); /* an interrupt was faster */
	if (surplus)
		pmm_free(virt_to_phys(s));
}

static void take_empty_locked(struct slab_cache *c, struct list *out) REQUIRES(c->lock);

/* Move all slabs without an object in use to @out. */
static void
take_empty_locked(struct slab_cache *c, struct list *out)
{
	struct slab *const active = c->active, *s, *next;

	if (active != NULL && nr_free(active) == c->per_slab) {
		no_active(c);
		add_empty_locked(c, active);
	}
	list_for_each_entry_safe (s, next, &c->empty, node) {
		list_del(&s->node);
		list_add_tail(out, &s->node);
		s->magic = 0;
		c->nr_empty--;
		c->nr_slabs--;
	}
}

static size_t
give_back(struct list *slabs)
{
	struct slab *s, *next;
	size_t n = 0;

	list_for_each_entry_safe (s, next, slabs, node) {
		pmm_free(virt_to_phys(s));
		n++;
	}
	return n;
}

static bool
shrink_cache(struct slab_cache *c, void *out)
{
	const uint64_t flags = spin_lock(&c->lock);

	take_empty_locked(c, out);
	spin_unlock(&c->lock, flags);
	return true;
}

size_t
slab_shrink(void)
{
	struct list slabs = LIST_INIT(slabs);

	slab_for_each_cache(shrink_cache, &slabs);
	return give_back(&slabs);
}

void
slab_cache_destroy(struct slab_cache *c)
{
	struct list slabs = LIST_INIT(slabs);
	uint64_t flags;
	size_t in_use;

	if (c == NULL)
		return;
	flags = spin_lock(&c->lock);
	in_use = slab_in_use_locked(c);
	if (in_use == 0)
		take_empty_locked(c, &slabs);
	spin_unlock(&c->lock, flags);
	if (in_use != 0)
		panic("slab_cache_destroy: %s: %zu objects are still in use", c->name, in_use);
	unregister(c);
	(void)give_back(&slabs);
	kfree(c);
}

/* --- objects --------------------------------------------------------------------------------- */

void *
slab_alloc(struct slab_cache *c)
{
	void *obj;

	if (fail_now(FAIL_SLAB))
		return NULL;
	return likely(slab_alloc_fast(c, &obj)) ? obj : slab_alloc_slow(c, c->size, HEAP_CALLER);
}

void
slab_free(struct slab_cache *c, void *obj)
{
	const struct slab_cache *real;

	if (obj == NULL)
		return;
	real = slab_of(obj, "slab_free")->cache;
	if (real != c)
		panic("slab_free: %p belongs to slab %s, not to %s%s", obj, real->name, c->name,
		      SLAB_DEBUG ? slab_debug_sites(real, obj) : "");
	if (!slab_free_fast(obj))
		slab_free_slow(obj, "slab_free", HEAP_CALLER);
}

const struct slab_cache *
slab_cache_of(const void *obj, const char *who)
{
	return slab_of(obj, who)->cache;
}

/* --- for people ------------------------------------------------------------------------------ */

struct info_search {
	size_t skip;
	struct slab_info *out;
	bool found;
};

static bool
info_of(struct slab_cache *c, void *arg)
{
	struct info_search *q = arg;
	uint64_t flags;

	if (q->skip-- > 0)
		return true;
	flags = spin_lock(&c->lock);
	*q->out = (struct slab_info){
		.name = c->name,
		.object_size = c->stride,
		.in_use = slab_in_use_locked(c),
		.capacity = c->nr_slabs * c->per_slab,
		.pages = c->nr_slabs,
		.marked = c->marked,
	};
	spin_unlock(&c->lock, flags);
	q->found = true;
	return false;
}

bool
slab_info(size_t i, struct slab_info *out)
{
	struct info_search q = {.skip = i, .out = out};

	slab_for_each_cache(info_of, &q);
	return q.found;
}
