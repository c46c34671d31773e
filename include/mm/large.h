/*
 * large.h - inside mm/: blocks of more than a slab cache holds, for large.c, kmalloc.c and leaks.c.
 */
#pragma once
#include <kern/base.h>
#include <mm/slab_debug.h>

/*
 * A block of @len bytes: whole pages, page-aligned.  @caller is where its owner called the heap, or
 * in other than debug builds where the heap's function called its slow way.  NULL when memory is
 * short.
 */
void *large_alloc(size_t len, const void *caller);
/* Panics, naming what is known of @p, when that is no large block in use. */
void large_free(void *p, const void *caller);
/* Usable bytes of @p; panics, naming @who, as large_free(). */
size_t large_size(const void *p, const char *who);
/* Debug builds: the block stays where it is and holds @len bytes from now on. */
void large_resize(void *p, size_t len);

/* What is known of a block in use. */
struct large_info {
	const void *p;
	size_t len, capacity;	     /* bytes: asked for, taken */
	uint32_t serial;	     /* as in struct slab_record */
	struct heap_trace allocated; /* kept in every build */
};
/* Call @fn for each block, with a spinlock held. */
void large_for_each(void (*fn)(const struct large_info *l, void *arg), void *arg);
