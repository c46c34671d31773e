/*
 * leaks.c - what the heap's memory is in use for, added up by call site.
 *
 * Debug builds keep the chain of callers behind each object (slab_debug.c), every build that of each
 * large block.  A walk over all slabs adds up those with the same innermost calls.  Each allocation
 * has a number; a mark is the number that was current then, so "since the mark" is a comparison.
 */
#include <mm/leaks.h>
#include <lib/string.h>
#include <mm/large.h>
#include <mm/slab.h>

static uint32_t mark_serial;		/* [mark] the last number before the mark */
static size_t mark_objects, mark_large; /* [mark]: set by heap_mark() only */

/* --- adding up ------------------------------------------------------------------------------- */

struct sum {
	struct heap_site *sites;
	size_t max;
	bool since_mark;
	struct heap_usage *usage;
};

static void
add(struct sum *q, const struct heap_trace *trace, uint32_t serial, size_t bytes)
{
	struct heap_usage *u = q->usage;
	size_t i = 0;

	if (q->since_mark && (int32_t)(serial - mark_serial) <= 0)
		return;
	u->count++;
	u->bytes += bytes;
	while (i < u->nr_sites && memcmp(trace->ret, q->sites[i].trace.ret,
					 HEAP_SITE_DEPTH * sizeof(trace->ret[0])) != 0)
		i++;
	if (i == q->max)
		return;
	if (i == u->nr_sites) {
		q->sites[i] = (struct heap_site){.trace = *trace};
		u->nr_sites++;
	}
	q->sites[i].count++;
	q->sites[i].bytes += bytes;
}

/* Call @fn for each object of a slab. */
typedef void (*object_fn)(const struct slab_cache *c, const void *obj, bool free, void *arg);

static void
for_each_object(const struct slab_cache *c, const struct slab *s, object_fn fn, void *arg)
{
	for (uint32_t i = 0; i < c->per_slab; i++) {
		const void *obj = (const uint8_t *)s + c->first + i * c->stride;

		fn(c, obj, bit_test(s->free, slab_bit(obj)), arg);
	}
}

static void
add_object(const struct slab_cache *c, const void *obj, bool free, void *arg)
{
	const struct slab_record *r = free ? NULL : slab_debug_record(c, obj);

	if (r != NULL)
		add(arg, &r->allocated, r->serial, r->len);
}

static void
add_slab(struct slab_cache *c, struct slab *s, void *arg)
{
	for_each_object(c, s, add_object, arg);
}

static bool
add_cache(struct slab_cache *c, void *arg)
{
	const uint64_t flags = spin_lock(&c->lock);

	slab_for_each_locked(c, add_slab, arg);
	spin_unlock(&c->lock, flags);
	return true;
}

static void
add_large(const struct large_info *l, void *arg)
{
	add(arg, &l->allocated, l->serial, l->capacity);
}

/* By insertion: the table is short and made for people. */
static void
sort_sites(struct heap_site *sites, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		const struct heap_site s = sites[i];
		size_t at = i;

		for (; at > 0 && sites[at - 1].bytes < s.bytes; at--)
			sites[at] = sites[at - 1];
		sites[at] = s;
	}
}

void
heap_sites(struct heap_site *sites, size_t max, bool since_mark, struct heap_usage *out)
{
	struct sum q = {.sites = sites, .max = max, .since_mark = since_mark, .usage = out};

	*out = (struct heap_usage){0};
	if (SLAB_DEBUG)
		slab_for_each_cache(add_cache, &q);
	large_for_each(add_large, &q);
	sort_sites(sites, out->nr_sites);
}

/* --- counts, and the mark -------------------------------------------------------------------- */

static bool
count_cache(struct slab_cache *c, void *arg)
{
	const uint64_t flags = spin_lock(&c->lock);

	*(size_t *)arg += slab_in_use_locked(c);
	spin_unlock(&c->lock, flags);
	return true;
}

void
heap_count(size_t *objects, size_t *large)
{
	size_t bytes;

	*objects = 0;
	slab_for_each_cache(count_cache, objects);
	kmalloc_large_stats(&bytes, large);
}

void
heap_count_at_mark(size_t *objects, size_t *large)
{
	*objects = mark_objects;
	*large = mark_large;
}

static bool
mark_cache(struct slab_cache *c, void *unused)
{
	const uint64_t flags = spin_lock(&c->lock);

	(void)unused;
	c->marked = slab_in_use_locked(c);
	spin_unlock(&c->lock, flags);
	return true;
}

void
heap_mark(void)
{
	heap_count(&mark_objects, &mark_large);
	slab_for_each_cache(mark_cache, NULL);
	mark_serial = heap_serial;
}

/* --- damage ---------------------------------------------------------------------------------- */

struct check {
	struct heap_damage *out;
	size_t n, max;
};

static void
check_object(const struct slab_cache *c, const void *obj, bool free, void *arg)
{
	const char *what = slab_debug_fault(c, obj, free);
	const struct slab_record *r = slab_debug_any_record(c, obj);
	struct check *q = arg;

	if (what == NULL)
		return;
	if (q->n < q->max)
		q->out[q->n] = (struct heap_damage){c->name, what, obj, r->allocated, r->freed};
	q->n++;
}

static void
check_slab(struct slab_cache *c, struct slab *s, void *arg)
{
	for_each_object(c, s, check_object, arg);
}

static bool
check_cache(struct slab_cache *c, void *arg)
{
	const uint64_t flags = spin_lock(&c->lock);

	slab_for_each_locked(c, check_slab, arg);
	spin_unlock(&c->lock, flags);
	return true;
}

size_t
heap_check(struct heap_damage *out, size_t max)
{
	struct check q = {.out = out, .max = max};

	if (SLAB_DEBUG)
		slab_for_each_cache(check_cache, &q);
	return q.n;
}
