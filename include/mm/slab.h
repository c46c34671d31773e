/*
 * slab.h - inside mm/: what a slab cache is made of, for slab.c, slab_debug.c and kmalloc.c.
 *
 * The debug parts (poison, redzones) are used in builds with DEBUG=1 only.
 */
#pragma once
#include <kern/base.h>
#include <kern/spinlock.h>
#include <lib/list.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>

#define SLAB_MAGIC     0x62616c73U /* the bytes "slab" */
#define SLAB_MAP_WORDS 4	   /* bits for the smallest objects: 252 of 16 bytes */
#define SLAB_HEADER    sizeof(struct slab)

/* The first 64 bytes of each slab, which is one page; the objects follow. */
struct slab {
	uint32_t magic;	  /* [I] */
	uint16_t nr_free; /* [cache] */
	uint16_t pad;
	struct slab_cache *cache;      /* [I] */
	struct list node;	       /* [cache] in cache->partial, unless it is full */
	uint64_t free[SLAB_MAP_WORDS]; /* [cache] 1 = free */
};
_Static_assert(sizeof(struct slab) == 64,
	       "objects stay aligned to 16, and to a cache line in the first");

struct slab_cache {
	struct spinlock lock;
	struct list partial;	 /* [lock] slabs with a free object */
	const char *name;	 /* [I] */
	uint32_t size;		 /* [I] bytes that the user may use */
	uint32_t stride;	 /* [I] from object to object */
	uint32_t reciprocal;	 /* [I] 2^32 / stride, rounded up: division by multiplication */
	uint32_t per_slab;	 /* [I] */
	size_t in_use;		 /* [lock] objects */
	size_t nr_slabs;	 /* [lock] */
	struct slab_cache *next; /* [registry] */
};

/* Make @c ready for use; for the caches that exist before kmalloc() does. */
void slab_cache_setup(struct slab_cache *c, const char *name, size_t size);
#ifdef DEBUG
#define SLAB_DEBUG 1
#else
#define SLAB_DEBUG 0
#endif

/* Bytes behind each object, in debug builds. */
struct slab_redzone {
	uint64_t magic; /* bound to the object's address */
	uint64_t len;	/* bytes asked for */
};
#define SLAB_REDZONE (SLAB_DEBUG ? sizeof(struct slab_redzone) : 0)

/* Called when SLAB_DEBUG; the compiler drops the calls otherwise. */

/* A new slab's objects, or a freed object: fill with poison. */
void slab_debug_poison(const struct slab_cache *c, void *obj);
/*
 * Panics when poison was disturbed (written after free); then marks @obj as handed out for @len
 * bytes.
 */
void slab_debug_take(const struct slab_cache *c, void *obj, size_t len);
/* The size in use of @obj changes to @len. */
void slab_debug_resize(const struct slab_cache *c, void *obj, size_t len);
/* Panics when the bytes behind the object were written to.  Call without the cache's lock. */
void slab_debug_check(const struct slab_cache *c, const void *obj, const char *who);
/* The same for large blocks: bytes [len, size) at @p. */
void slab_debug_fill_tail(void *p, size_t len, size_t size);
void slab_debug_check_tail(const void *p, size_t len, size_t size);

/* --- the ways that are taken all the time ---------------------------------------------------- */

/* What they leave to slab.c; those that are called with the cache's lock open it. */
void *slab_alloc_slow(struct slab_cache *c, uint64_t flags, size_t len) RELEASE(c->lock);
void slab_retire(struct slab_cache *c, struct slab *s, uint64_t flags) RELEASE(c->lock);
NORETURN void slab_free_error(struct slab_cache *c, uint64_t flags, const void *obj,
			      const char *what) RELEASE(c->lock);
NORETURN void slab_not_heap(const void *obj, const char *who);

/* The slab that holds @obj, checked; panics naming @who. */
static inline struct slab *
slab_of(const void *obj, const char *who)
{
	struct slab *s = (struct slab *)ALIGN_DOWN((uintptr_t)obj, PAGE_SIZE);

	/* The heap's pages are all in the direct map: any other address is not worth reading. */
	if (unlikely((uintptr_t)obj - direct_map_base >= DIRECT_MAP_SIZE || s->magic != SLAB_MAGIC))
		slab_not_heap(obj, who);
	return s;
}

/* An object of @c, of which @len bytes were asked for: in debug builds the rest is redzone. */
static inline void *
slab_alloc_len(struct slab_cache *c, size_t len)
{
	const uint64_t flags = spin_lock(&c->lock);
	struct slab *s;
	size_t w = 0, i;

	if (unlikely(list_empty(&c->partial)))
		return slab_alloc_slow(c, flags, len);
	s = list_first(&c->partial, struct slab, node);
	while (s->free[w] == 0)
		w++;
	i = w * 64 + (size_t)__builtin_ctzll(s->free[w]);
	s->free[w] &= s->free[w] - 1;
	if (unlikely(--s->nr_free == 0))
		list_del(&s->node);
	c->in_use++;
	spin_unlock(&c->lock, flags);
	if (SLAB_DEBUG)
		slab_debug_take(c, (uint8_t *)s + SLAB_HEADER + i * c->stride, len);
	return (uint8_t *)s + SLAB_HEADER + i * c->stride;
}

/* Is @s, just emptied, more than is worth keeping?  Half a slab of free objects stays in stock. */
static inline bool
slab_is_surplus(const struct slab_cache *c)
{
	return c->nr_slabs * c->per_slab - c->in_use >= c->per_slab + (c->per_slab + 1) / 2;
}

/* Give back the object @obj of slab @s. */
static inline void
slab_free_in(struct slab *s, void *obj)
{
	struct slab_cache *c = s->cache;
	const uint32_t offset = (uint32_t)((uintptr_t)obj - (uintptr_t)s - SLAB_HEADER);
	const uint32_t i = (uint32_t)(((uint64_t)offset * c->reciprocal) >> 32);
	uint64_t flags = spin_lock(&c->lock);

	if (unlikely(i >= c->per_slab || i * c->stride != offset))
		slab_free_error(c, flags, obj, "is not the start of an object");
	if (unlikely(s->free[i / 64] & BIT(i % 64)))
		slab_free_error(c, flags, obj, "is free already (double free)");
	if (SLAB_DEBUG) {
		spin_unlock(&c->lock, flags);
		slab_debug_check(c, obj, "kfree");
		slab_debug_poison(c, obj);
		flags = spin_lock(&c->lock);
	}
	s->free[i / 64] |= BIT(i % 64);
	c->in_use--;
	if (unlikely(s->nr_free++ == 0))
		list_add_head(&c->partial, &s->node);
	if (unlikely(s->nr_free == c->per_slab) && slab_is_surplus(c)) {
		slab_retire(c, s, flags);
		return;
	}
	spin_unlock(&c->lock, flags);
}
