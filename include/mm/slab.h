/*
 * slab.h - inside mm/: what a slab cache is made of, for slab.c, slab_debug.c, leaks.c, kmalloc.c.
 *
 * Theory: mm/slab.c; drawing: docs/memory.md, "The heap".
 */
#pragma once
#include <kern/base.h>
#include <kern/spinlock.h>
#include <lib/list.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>
#include <mm/slab_debug.h>
#include <x86/bitops.h>
#include <x86/cpu.h>

#define SLAB_MAGIC     0x62616c73U /* the bytes "slab" */
#define SLAB_GRANULE   16 /* bytes for each bit of the map; objects start at its multiples */
#define SLAB_MAP_WORDS (PAGE_SIZE / SLAB_GRANULE / 64)
#define SLAB_HEADER    sizeof(struct slab)
#define SLAB_KEEP      1 /* empty slabs that a cache keeps beside the active one */

enum slab_state {
	SLAB_ACTIVE,  /* objects are taken from it; in no list */
	SLAB_PARTIAL, /* some objects are in use */
	SLAB_FULL,    /* all */
	SLAB_EMPTY    /* none */
};

/*
 * The first 64 bytes of each slab, which is one page; the objects follow.
 * [c]: with interrupts off, which with one CPU shuts everybody out.
 */
struct slab {
	uint32_t magic;		       /* [I] */
	uint16_t frees_left;	       /* [c] the free that counts it to 0 changes the state */
	uint8_t state;		       /* [cache] enum slab_state */
	uint8_t pad;		       /* */
	struct slab_cache *cache;      /* [I] */
	struct list node;	       /* [cache] in the list of its state */
	uint64_t free[SLAB_MAP_WORDS]; /* [c] bit n: a free object starts at byte 16 * n */
};
_Static_assert(sizeof(struct slab) == 64, "an object may start at the second cache line");

struct slab_cache {
	/* What the short ways use.  [c] one per CPU, when there are more. */
	uint64_t *word;			 /* [c] of the active slab's map: objects come from it */
	uint8_t *base;			 /* [c] address of its bit 0 */
	uint64_t starts[SLAB_MAP_WORDS]; /* [I] bit n: an object starts at byte 16 * n */
	struct slab *active;		 /* [c] or NULL */

	struct spinlock lock;
	struct list partial, full, empty; /* [lock] slabs by state */
	size_t nr_empty, nr_slabs;	  /* [lock] */
	const char *name;		  /* [I] */
	void (*ctor)(void *obj);	  /* [I] or NULL */
	uint32_t size;			  /* [I] bytes that the user may use */
	uint32_t stride;		  /* [I] from object to object */
	uint32_t first;			  /* [I] offset of the first one */
	uint32_t per_slab;		  /* [I] */
	struct slab_cache *next;	  /* [registry] */
	size_t marked;			  /* [registry] in use at `mem mark` */
};

/*
 * Make @c ready for use as @spec says; for the caches that exist before kmalloc() does.  False when
 * not even one object fits, or the alignment is no power of 2.
 */
bool slab_cache_setup(struct slab_cache *c, const struct slab_spec *spec);

/* Objects of @c in use, counted. */
size_t slab_in_use_locked(const struct slab_cache *c) REQUIRES(c->lock);

/* The cache that @obj is from; panics, naming @who, when it is from none. */
const struct slab_cache *slab_cache_of(const void *obj, const char *who);

/* From now on kmalloc() asks fail_now() each time, or (@on false) never.  For fail.c. */
void kmalloc_ask_always(bool on);

/* Call @fn for each cache, with the registry's lock held, until it returns false. */
void slab_for_each_cache(bool (*fn)(struct slab_cache *c, void *arg), void *arg);
/* Call @fn for each slab of @c. */
typedef void (*slab_fn)(struct slab_cache *c, struct slab *s, void *arg);
void slab_for_each_locked(struct slab_cache *c, slab_fn fn, void *arg) REQUIRES(c->lock);

/* --- the ways that are taken all the time ---------------------------------------------------- */

/* What they leave to slab.c. */

/*
 * An object of @c, whatever it takes, of which @len bytes were asked for by the code at @caller
 * (HEAP_CALLER).  NULL when memory is short.
 */
void *slab_alloc_slow(struct slab_cache *c, size_t len, const void *caller);
/* Give back the object @obj, whatever it takes; panics, naming @who, on what is none. */
void slab_free_slow(void *obj, const char *who, const void *caller);

/* Can @obj lie in the heap at all?  All its slabs are in the direct map. */
static inline bool
slab_may_hold(const void *obj)
{
	return (uintptr_t)obj - direct_map_base < DIRECT_MAP_SIZE;
}

/* The slab that holds @obj, if there is one. */
static inline struct slab *
slab_around(const void *obj)
{
	return (struct slab *)ALIGN_DOWN((uintptr_t)obj, PAGE_SIZE);
}

/* The number of @obj's bit in the map of its slab. */
static inline size_t
slab_bit(const void *obj)
{
	return (uintptr_t)obj % PAGE_SIZE / SLAB_GRANULE;
}

/*
 * An object of @c into *@obj, when there is one in the word in use.  False: nothing happened, it is a
 * matter for slab_alloc_slow().
 */
static inline bool
slab_alloc_fast(struct slab_cache *c, void **obj)
{
	uint64_t flags, free;
	size_t bit;

	if (SLAB_DEBUG)
		return false;
	flags = irq_save();
	free = *c->word;
	if (unlikely(!bit_first(free, &bit))) {
		irq_restore(flags);
		return false;
	}
	*c->word = free & (free - 1);
	*obj = c->base + SLAB_GRANULE * bit;
	irq_restore(flags);
	return true;
}

/*
 * Give back @obj, when it is an object in use and nothing more is to be done than to say so.  False:
 * nothing happened, it is a matter for slab_free_slow() (or not of the slab caches).
 */
static inline bool
slab_free_fast(const void *obj)
{
	const uintptr_t in_map = (uintptr_t)obj - direct_map_base;
	const size_t offset = in_map % PAGE_SIZE, bit = offset / SLAB_GRANULE;
	struct slab *s = (struct slab *)((uintptr_t)obj - offset);
	uint64_t flags;

	/* Rotated, the bits that a multiple of 16 has not stand on top: one comparison for both. */
	if (SLAB_DEBUG || offset == 0 ||
	    rotate_right(in_map, 4) >= DIRECT_MAP_SIZE / SLAB_GRANULE || s->magic != SLAB_MAGIC ||
	    !bit_test(s->cache->starts, bit))
		return false;
	flags = irq_save();
	if (unlikely(--s->frees_left == 0) || unlikely(bit_test_set(s->free, bit))) {
		s->frees_left++;
		irq_restore(flags);
		return false;
	}
	irq_restore(flags);
	return true;
}
