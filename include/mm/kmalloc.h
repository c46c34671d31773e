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
/* As C's realloc(): on NULL the old block is untouched. */
void *krealloc(void *p, size_t size) MUST_CHECK;
/* NULL is fine.  Panics on what kmalloc() did not return, or was freed already. */
void kfree(void *p);
/* Usable bytes of @p. */
size_t kmalloc_size(const void *p);

struct slab_cache;
/*
 * A cache of objects of @size bytes, up to SLAB_OBJECT_MAX (alignment 16).  NULL when memory is
 * short.  @name must live on.
 */
#define SLAB_OBJECT_MAX 4000
struct slab_cache *slab_cache_create(const char *name, size_t size);
/* Panics if objects are still in use. */
void slab_cache_destroy(struct slab_cache *c);
void *slab_alloc(struct slab_cache *c) MUST_CHECK;
void slab_free(struct slab_cache *c, void *obj);

struct slab_info {
	const char *name;
	size_t object_size;	 /* bytes, with debug overhead */
	size_t in_use, capacity; /* objects */
	size_t pages;
};
/* Cache number @i, false past the end. */
bool slab_info(size_t i, struct slab_info *out);
/* Bytes in large allocations (over KMALLOC_SLAB_MAX) and their number. */
void kmalloc_large_stats(size_t *bytes, size_t *count);
