/*
 * slab_debug.h - inside mm/: what debug builds (DEBUG=1) keep around each object of the heap.
 *
 * Implementation: mm/slab_debug.c.  In other builds SLAB_DEBUG is 0, and the compiler drops all of
 * it.
 */
#pragma once
#include <kern/base.h>

#ifdef DEBUG
#define SLAB_DEBUG 1
#else
#define SLAB_DEBUG 0
#endif

struct slab;
struct slab_cache;

#define HEAP_TRACE_MAX 6

/*
 * A call chain, innermost first, ended by 0.  The kernel's code lies in the topmost 2 GiB: the lower
 * half of an address says it all.
 */
struct heap_trace {
	uint32_t ret[HEAP_TRACE_MAX];
};

/*
 * The owner that an allocator names: its own caller.  Only debug builds ask for it, since to know it
 * costs the short ways a stack frame; NULL in others.
 */
#define HEAP_CALLER (SLAB_DEBUG ? __builtin_return_address(0) : NULL)

/* Note who is running, from @caller (a __builtin_return_address(0)) on. */
void heap_trace_take(struct heap_trace *t, const void *caller);
/* The same without the innermost call. */
void heap_trace_take_outer(struct heap_trace *t, const void *caller);
/* Address number @i of the chain, 0 past its end. */
uint64_t heap_trace_at(const struct heap_trace *t, unsigned i);
/* "f+0x12 < g+0x34 < h+0x56", at most @max of them; returns @buf. */
const char *heap_trace_text(const struct heap_trace *t, unsigned max, char *buf, size_t size);

/* Allocations so far, of all sizes: objects carry the number, and `mem mark` remembers one. */
extern uint32_t heap_serial; /* [c] */

/* Behind each object. */
struct slab_record {
	uint64_t magic;	 /* bound to the object's address, and whether it is in use */
	uint32_t len;	 /* bytes asked for */
	uint32_t serial; /* of its allocation */
	struct heap_trace allocated, freed;
};
#define SLAB_RECORD (SLAB_DEBUG ? sizeof(struct slab_record) : 0)
#define SLAB_GUARD  (SLAB_DEBUG ? 16 : 0) /* bytes in front of each object */

/* A new slab: all objects free, poisoned, between guards. */
void slab_debug_new(const struct slab_cache *c, struct slab *s);
/*
 * @obj is handed out for @len bytes.  Panics, naming who freed it, when poison or guards were
 * disturbed.
 */
void slab_debug_take(const struct slab_cache *c, void *obj, size_t len, const void *caller);
/* @obj was given back: panics when the bytes around it were written to, else poisons it. */
void slab_debug_give(const struct slab_cache *c, void *obj, const void *caller);
/* The size in use of @obj changes to @len; checked like slab_debug_give(). */
void slab_debug_resize(const struct slab_cache *c, void *obj, size_t len);
/*
 * What is wrong with the object @obj, which the map calls free or not: NULL, or a text.  For
 * `mem check`.
 */
const char *slab_debug_fault(const struct slab_cache *c, const void *obj, bool free);
/* What is known of an object in use; NULL while it is being handed out. */
const struct slab_record *slab_debug_record(const struct slab_cache *c, const void *obj);
/* The record behind @obj, whatever its state. */
const struct slab_record *slab_debug_any_record(const struct slab_cache *c, const void *obj);
/* "; allocated by f+0x12, freed by g+0x34", for a panic; the chains go to the log. */
const char *slab_debug_sites(const struct slab_cache *c, const void *obj);

/* The same for large blocks: bytes [len, size) at @p. */
void slab_debug_fill_tail(void *p, size_t len, size_t size);
/* Offset of the first one that was written to, or @size. */
size_t slab_debug_check_tail(const void *p, size_t len, size_t size);
