/*
 * slab_debug.c - poison, redzones and owners of the heap's objects, in debug builds.
 *
 *	     obj                       obj + size
 *	[guard][ len bytes | tail fill ][ record: length, who allocated it, who freed it ]
 *
 * A free object is full of POISON_FREE, so writing to it after kfree() is noticed when it is handed
 * out again.  An object in use has 16 bytes of guard in front of it, TAIL_FILL from the length
 * asked for up to its slot's end, and then its record with a magic bound to the address: what was
 * written there is noticed at kfree().  The record outlives the object, so that each of these
 * reports can name both the code that allocated it and the code that freed it.
 */
#include <mm/slab.h>
#include <kern/ksym.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <x86/callers.h>

#define POISON_FREE  0x6b
#define POISON_ALLOC 0x5a
#define TAIL_FILL    0xbb
#define GUARD_FILL   0xcc
#define MAGIC_LIVE   0x9ed20e5e9ed20e5eULL
#define MAGIC_FREE   0xf4eeb10cf4eeb10cULL

uint32_t heap_serial;

/* --- call chains ----------------------------------------------------------------------------- */

void
heap_trace_take(struct heap_trace *t, const void *caller)
{
	uint64_t ret[HEAP_TRACE_MAX];
	const unsigned n = callers_collect(caller, ret, HEAP_TRACE_MAX);

	for (unsigned i = 0; i < HEAP_TRACE_MAX; i++)
		t->ret[i] = i < n ? (uint32_t)ret[i] : 0;
}

void
heap_trace_take_outer(struct heap_trace *t, const void *caller)
{
	heap_trace_take(t, caller);
	memmove(&t->ret[0], &t->ret[1], sizeof(t->ret) - sizeof(t->ret[0]));
	t->ret[HEAP_TRACE_MAX - 1] = 0;
}

uint64_t
heap_trace_at(const struct heap_trace *t, unsigned i)
{
	return i < HEAP_TRACE_MAX && t->ret[i] != 0 ? (uint64_t)(int64_t)(int32_t)t->ret[i] : 0;
}

const char *
heap_trace_text(const struct heap_trace *t, unsigned max, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < max && heap_trace_at(t, i) != 0 && used < size; i++) {
		const uint64_t ret = heap_trace_at(t, i);
		const char *separator = i > 0 ? " < " : "";
		uint64_t off;
		/* A call may be its function's last instruction: look at the byte before. */
		const char *name = ksym_lookup(ret - 1, &off);

		if (name != NULL)
			used += (size_t)snprintf(buf + used, size - used, "%s%s+%#lx", separator,
						 name, off + 1);
		else
			used += (size_t)snprintf(buf + used, size - used, "%s%#lx", separator, ret);
	}
	return buf;
}

/* --- objects --------------------------------------------------------------------------------- */

static struct slab_record *
record_of(const struct slab_cache *c, const void *obj)
{
	return (struct slab_record *)((uintptr_t)obj + c->size);
}

/* Offset of the first byte of [from, to) that is not @fill, or @to. */
static size_t
first_other(const uint8_t *p, size_t from, size_t to, uint8_t fill)
{
	while (from < to && p[from] == fill)
		from++;
	return from;
}

static bool
guard_ok(const void *obj)
{
	return first_other((const uint8_t *)obj - SLAB_GUARD, 0, SLAB_GUARD, GUARD_FILL) ==
	       SLAB_GUARD;
}

static bool
is_live(const struct slab_cache *c, const void *obj)
{
	return record_of(c, obj)->magic == (MAGIC_LIVE ^ (uint64_t)obj);
}

const struct slab_record *
slab_debug_record(const struct slab_cache *c, const void *obj)
{
	return is_live(c, obj) ? record_of(c, obj) : NULL;
}

const struct slab_record *
slab_debug_any_record(const struct slab_cache *c, const void *obj)
{
	return record_of(c, obj);
}

void
slab_debug_new(const struct slab_cache *c, struct slab *s)
{
	for (uint32_t i = 0; i < c->per_slab; i++) {
		uint8_t *obj = (uint8_t *)s + c->first + i * c->stride;

		memset(obj - SLAB_GUARD, GUARD_FILL, SLAB_GUARD);
		memset(obj, POISON_FREE, c->size);
		*record_of(c, obj) = (struct slab_record){.magic = MAGIC_FREE ^ (uint64_t)obj};
	}
}

const char *
slab_debug_sites(const struct slab_cache *c, const void *obj)
{
	static char text[160], chain[400]; /* for a panic: nobody else has use for them */
	const size_t offset = (uintptr_t)obj % PAGE_SIZE;
	const struct slab_record *r = record_of(c, obj);
	size_t n = 0;

	if (!IS_ALIGNED(offset, SLAB_GRANULE) || !bit_test(c->starts, offset / SLAB_GRANULE))
		return "";
	text[0] = '\0';
	if (r->allocated.ret[0] != 0) {
		log_err("heap: %p was allocated by %s", obj,
			heap_trace_text(&r->allocated, HEAP_TRACE_MAX, chain, sizeof(chain)));
		n += (size_t)snprintf(text, sizeof(text), "; allocated by %s",
				      heap_trace_text(&r->allocated, 1, chain, sizeof(chain)));
	}
	if (r->freed.ret[0] != 0 && n < sizeof(text)) {
		log_err("heap: %p was freed by %s", obj,
			heap_trace_text(&r->freed, HEAP_TRACE_MAX, chain, sizeof(chain)));
		(void)snprintf(text + n, sizeof(text) - n, "; freed by %s",
			       heap_trace_text(&r->freed, 1, chain, sizeof(chain)));
	}
	return text;
}

const char *
slab_debug_fault(const struct slab_cache *c, const void *obj, bool free)
{
	const struct slab_record *r = record_of(c, obj);

	if (!guard_ok(obj))
		return "bytes in front of it were written";
	if (free)
		return first_other(obj, 0, c->size, POISON_FREE) != c->size
			       ? "it was written to after it was freed"
			       : NULL;
	if (r->magic == (MAGIC_FREE ^ (uint64_t)obj))
		return NULL; /* just being handed out */
	if (!is_live(c, obj) || r->len > c->size)
		return "its redzone was overwritten";
	return first_other(obj, r->len, c->size, TAIL_FILL) != c->size
		       ? "bytes behind it were written"
		       : NULL;
}

void
slab_debug_take(const struct slab_cache *c, void *obj, size_t len, const void *caller)
{
	const size_t bad = first_other(obj, 0, c->size, POISON_FREE);
	struct slab_record *r = record_of(c, obj);

	if (bad != c->size)
		panic("slab %s: object %p was written to after it was freed (byte %zu is %02x)%s",
		      c->name, obj, bad, ((const uint8_t *)obj)[bad], slab_debug_sites(c, obj));
	if (c->ctor != NULL)
		c->ctor(obj);
	else
		memset(obj, POISON_ALLOC, len);
	memset((uint8_t *)obj + len, TAIL_FILL, c->size - len);
	r->len = (uint32_t)len;
	r->serial = ++heap_serial;
	heap_trace_take(&r->allocated, caller);
	r->freed = (struct heap_trace){0};
	r->magic = MAGIC_LIVE ^ (uint64_t)obj;
}

/* Panics when something around the object @obj, which is in use, was written to. */
static void
check_live(const struct slab_cache *c, const void *obj, const char *who)
{
	const struct slab_record *r = record_of(c, obj);
	size_t bad;

	if (!is_live(c, obj) || r->len > c->size)
		panic("%s: slab %s: object %p (%u bytes): redzone overwritten (overflow)%s", who,
		      c->name, obj, c->size, slab_debug_sites(c, obj));
	bad = first_other(obj, r->len, c->size, TAIL_FILL);
	if (bad != c->size)
		panic("%s: slab %s: object %p of %u bytes: byte %zu was written (overflow)%s", who,
		      c->name, obj, r->len, bad, slab_debug_sites(c, obj));
	if (!guard_ok(obj))
		panic("%s: slab %s: object %p: bytes in front of it were written (underflow)%s",
		      who, c->name, obj, slab_debug_sites(c, obj));
}

void
slab_debug_give(const struct slab_cache *c, void *obj, const void *caller)
{
	struct slab_record *r = record_of(c, obj);

	check_live(c, obj, "kfree");
	heap_trace_take(&r->freed, caller);
	r->magic = MAGIC_FREE ^ (uint64_t)obj;
	memset(obj, POISON_FREE, c->size);
}

void
slab_debug_resize(const struct slab_cache *c, void *obj, size_t len)
{
	check_live(c, obj, "krealloc");
	record_of(c, obj)->len = (uint32_t)len;
	memset((uint8_t *)obj + len, TAIL_FILL, c->size - len);
}

/* --- large blocks ---------------------------------------------------------------------------- */

void
slab_debug_fill_tail(void *p, size_t len, size_t size)
{
	memset((uint8_t *)p + len, TAIL_FILL, size - len);
}

size_t
slab_debug_check_tail(const void *p, size_t len, size_t size)
{
	return first_other(p, len, size, TAIL_FILL);
}
