/*
 * kmalloc.c - memory of any size: slab caches for small blocks, whole pages (large.c) for others.
 *
 * Sizes up to SLAB_MAX come from a fixed set of caches, chosen so that little of a page is lost
 * (4032 bytes divided by 2, 3, 4 ...).  Large blocks start at a page boundary, small ones never do:
 * that is how kfree() tells them apart.
 */
#include <mm/kmalloc.h>
#include <lib/string.h>
#include <mm/fail.h>
#include <mm/large.h>
#include <mm/slab.h>

#define SLAB_MAX (2016 - SLAB_RECORD - SLAB_GUARD)

static const struct {
	uint16_t size;
	const char *name;
} classes[] = {
	{16, "kmalloc-16"},	{32, "kmalloc-32"},	{48, "kmalloc-48"},
	{64, "kmalloc-64"},	{96, "kmalloc-96"},	{128, "kmalloc-128"},
	{192, "kmalloc-192"},	{256, "kmalloc-256"},	{320, "kmalloc-320"},
	{384, "kmalloc-384"},	{560, "kmalloc-560"},	{800, "kmalloc-800"},
	{1008, "kmalloc-1008"}, {1344, "kmalloc-1344"}, {2016, "kmalloc-2016"},
};
#define NR_CLASSES ARRAY_SIZE(classes)

/*
 * Sizes up to this one are first tried the short way; 0 when all are to come by alloc_slow(), where
 * they may fail on purpose.  So the short way has one comparison for both.
 */
static size_t fast_max = SLAB_MAX; /* [a] */
static struct slab_cache caches[NR_CLASSES];
static struct slab_cache *cache_of[SLAB_MAX / SLAB_GRANULE]; /* [I] by (size - 1) / 16 */

int
kmalloc_init(void)
{
	unsigned size_class = 0;

	for (unsigned i = 0; i < NR_CLASSES; i++) {
		const struct slab_spec spec = {
			.name = classes[i].name,
			.size = MIN(classes[i].size, SLAB_MAX),
		};

		if (!slab_cache_setup(&caches[i], &spec))
			panic("kmalloc: class of %zu bytes", spec.size);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(cache_of); i++) {
		while (caches[size_class].size < (i + 1) * SLAB_GRANULE)
			size_class++;
		cache_of[i] = &caches[size_class];
	}
	return 0;
}

static inline bool
is_large(const void *p)
{
	return IS_ALIGNED((uintptr_t)p, PAGE_SIZE);
}

static inline struct slab_cache *
cache_for(size_t size)
{
	return cache_of[(size - 1) / SLAB_GRANULE];
}

/* Large, or 0, or the cache has to look for an object, or perhaps to fail on purpose. */
static __attribute__((noinline)) void *
alloc_slow(size_t size, const void *caller)
{
	if (size == 0 || fail_now(FAIL_KMALLOC))
		return NULL;
	if (size > SLAB_MAX)
		return large_alloc(size, SLAB_DEBUG ? caller : __builtin_return_address(0));
	return slab_alloc_slow(cache_for(size), size, caller);
}

/* @caller: who is to be named as the owner. */
static inline void *
alloc(size_t size, const void *caller)
{
	void *p;

	if (likely(size - 1 < fast_max) && likely(slab_alloc_fast(cache_for(size), &p)))
		return p;
	return alloc_slow(size, caller);
}

void
kmalloc_ask_always(bool on)
{
	fast_max = on ? 0 : SLAB_MAX;
}

static __attribute__((noinline)) void
release_slow(void *p, const void *caller)
{
	if (p == NULL)
		return;
	if (is_large(p))
		large_free(p, caller);
	else
		slab_free_slow(p, "kfree", caller);
}

static inline void
release(void *p, const void *caller)
{
	if (unlikely(!slab_free_fast(p)))
		release_slow(p, caller);
}

void *
kmalloc(size_t size)
{
	return alloc(size, HEAP_CALLER);
}

void *
kzalloc(size_t size)
{
	void *p = alloc(size, HEAP_CALLER);

	return p != NULL ? memset(p, 0, size) : NULL;
}

void
kfree(void *p)
{
	release(p, HEAP_CALLER);
}

size_t
kmalloc_size(const void *p)
{
	if (p == NULL)
		return 0;
	return is_large(p) ? large_size(p, "kmalloc_size") : slab_cache_of(p, "kmalloc_size")->size;
}

/* Debug builds: the block stays where it is and holds @size bytes from now on. */
static void
debug_resize(void *p, size_t size)
{
	if (is_large(p))
		large_resize(p, size);
	else
		slab_debug_resize(slab_cache_of(p, "krealloc"), p, size);
}

void *
krealloc(void *p, size_t size)
{
	const void *caller = HEAP_CALLER;
	size_t old;
	void *bigger;

	if (p == NULL)
		return alloc(size, caller);
	if (size == 0) {
		release(p, caller);
		return NULL;
	}
	old = kmalloc_size(p);
	if (size <= old && size > old / 2) { /* a block that shrinks a lot moves */
		if (SLAB_DEBUG)
			debug_resize(p, size);
		return p;
	}
	bigger = alloc(size, caller);
	if (bigger == NULL)
		return NULL;
	memcpy(bigger, p, MIN(old, size));
	release(p, caller);
	return bigger;
}

char *
kstrdup(const char *s)
{
	const size_t n = strlen(s) + 1;
	char *copy = kmalloc(n);

	if (copy != NULL)
		memcpy(copy, s, n);
	return copy;
}
