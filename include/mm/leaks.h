/*
 * leaks.h - what the heap's memory is in use for.
 *
 * Implementation: mm/leaks.c; theory: docs/memory.md, "Who owns it".  Debug builds know the call
 * chain behind each object; others that of each large block, and how many objects each cache has.
 */
#pragma once
#include <kern/base.h>
#include <mm/slab_debug.h>

/* Memory in use that one call chain asked for. */
struct heap_site {
	struct heap_trace
		trace; /* innermost first; its first HEAP_SITE_DEPTH calls tell sites apart */
	size_t count, bytes;
};
#define HEAP_SITE_DEPTH 3

struct heap_usage {
	size_t count,
		bytes;	 /* of all that was looked at, whether it found room in the table or not */
	size_t nr_sites; /* in the table, most bytes first */
};

/* Remember this moment.  Context: any. */
void heap_mark(void);
/*
 * Fill @sites, which has room for @max, with what is in use, or (@since_mark) with what of it was
 * allocated since heap_mark().  Context: thread; interrupts are off while a cache is looked at.
 */
void heap_sites(struct heap_site *sites, size_t max, bool since_mark, struct heap_usage *out);

/* Objects and large blocks in use now, and large blocks at the mark. */
void heap_count(size_t *objects, size_t *large);
void heap_count_at_mark(size_t *objects, size_t *large);

/* An object whose surroundings, or, if free, whose poison was written to. */
struct heap_damage {
	const char *cache, *what;
	const void *obj;
	struct heap_trace allocated, freed;
};
/*
 * Look at every object, used or free: returns how many are damaged and describes the first @max.
 * Debug builds only; 0 in others.  Context: thread.
 */
size_t heap_check(struct heap_damage *out, size_t max);
