/*
 * kmalloc.h - the kernel heap: slab caches of fixed-size objects, and sizes of any kind over them.
 *
 * Implementation: mm/slab.c (caches), mm/kmalloc.c (sizes).  Alignment is at least 16 bytes.
 * Context: any, interrupt handlers included, for up to KMALLOC_SLAB_MAX bytes; thread above.
 */
#pragma once
#include <kern/base.h>

#define KMALLOC_SLAB_MAX 2048

int kmalloc_init(void); /* 0 */

/* Contents undefined; NULL when memory is short or @size is 0 or absurd.  Owner: caller. */
void *kmalloc(size_t size) MUST_CHECK;
void *kzalloc(size_t size) MUST_CHECK;
/* A copy of the string; NULL when memory is short. */
char *kstrdup(const char *s) MUST_CHECK;
/* As C's realloc(): on NULL the old block is untouched. */
void *krealloc(void *p, size_t size) MUST_CHECK;
/* NULL is fine.  Panics on what kmalloc() did not return, or was freed already. */
void kfree(void *p);
/* Usable bytes of @p. */
size_t kmalloc_size(const void *p);

struct slab_cache;

/*
 * What a cache is to be like.  All but the name and the size may be left 0.
 *
 * @ctor makes an object ready for its first use.  It is called for every object of a new slab, and
 * objects come back to slab_free() in that same state, so that slab_alloc() hands them out ready
 * again without any work.  Debug builds poison free objects and call @ctor at each slab_alloc()
 * instead: it must not sleep, allocate, or depend on how often it is called.
 */
struct slab_spec {
	const char *name; /* must live on */
	size_t size;	  /* bytes, 1 to SLAB_OBJECT_MAX */
	size_t align;	  /* of each object: a power of 2; at least 16 is given anyway */
	void (*ctor)(void *obj);
};
#define SLAB_OBJECT_MAX 3840
/* A new cache, to be ended by slab_cache_destroy().  NULL when memory is short or @spec impossible. */
struct slab_cache *slab_cache_create_spec(const struct slab_spec *spec);
/* The same with alignment 16 and no constructor. */
struct slab_cache *slab_cache_create(const char *name, size_t size);
/* Panics if objects are still in use.  NULL is fine. */
void slab_cache_destroy(struct slab_cache *c);
void *slab_alloc(struct slab_cache *c) MUST_CHECK;
/* NULL is fine.  Panics on what is not an object in use of @c. */
void slab_free(struct slab_cache *c, void *obj);

/*
 * Give the frames of all slabs without an object in use back to the frame allocator; returns how
 * many.  Context: any; takes the locks from "slab registry" on.
 */
size_t slab_shrink(void);

struct slab_info {
	const char *name;
	size_t object_size;	 /* bytes, with debug overhead */
	size_t in_use, capacity; /* objects */
	size_t marked;		 /* in use at heap_mark() */
	size_t pages;
};
/* Cache number @i, false past the end. */
bool slab_info(size_t i, struct slab_info *out);
/* Bytes in large allocations (over KMALLOC_SLAB_MAX) and their number. */
void kmalloc_large_stats(size_t *bytes, size_t *count);
