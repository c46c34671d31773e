/*
 * kmalloc.c - memory of any size: slab caches for small blocks, whole frames for large ones.
 *
 * Sizes up to SLAB_MAX come from a fixed set of caches, chosen so that little of a page is lost
 * (4032 bytes divided by 2, 3, 4 ...).  A larger block is a run of adjacent frames in the direct
 * map, or, when memory is too fragmented for that, pages mapped side by side (vmm_alloc).  Large
 * blocks start at a page boundary, small ones never do: that is how kfree() tells them apart.
 * What is known of a large block stands in a struct large, found by a hash of the address.
 */
#include <mm/kmalloc.h>
#include <lib/string.h>
#include <mm/kmap.h>
#include <mm/pmm.h>
#include <mm/slab.h>
#include <mm/vmm.h>

#define SLAB_MAX     (2016 - SLAB_REDZONE)
#define HASH_BUCKETS 64

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

/* A block of more than SLAB_MAX bytes. */
struct large {
	struct large *next; /* [large] in its bucket */
	void *p;	    /* [I] page-aligned */
	size_t len;	    /* [owner] bytes asked for (kept up to date in debug builds) */
	size_t capacity;    /* [I] bytes, whole pages */
	bool mapped;	    /* [I] by vmm_alloc(), not in the direct map */
};

static struct slab_cache caches[NR_CLASSES];
static struct slab_cache *cache_of[(SLAB_MAX + 15) / 16 + 1]; /* [I] by (size + 15) / 16 */
static struct spinlock large_lock = SPINLOCK_INIT("kmalloc large");
static struct large *buckets[HASH_BUCKETS]; /* [large] */
static size_t large_bytes, large_count;	    /* [large] */

int
kmalloc_init(void)
{
	unsigned size_class = 0;

	for (unsigned i = 0; i < NR_CLASSES; i++)
		slab_cache_setup(&caches[i], classes[i].name, MIN(classes[i].size, SLAB_MAX));
	for (unsigned i = 0; i < ARRAY_SIZE(cache_of); i++) {
		while (caches[size_class].size < i * 16)
			size_class++;
		cache_of[i] = &caches[size_class];
	}
	return 0;
}

static inline struct large **
bucket_of(const void *p)
{
	return &buckets[((uintptr_t)p / PAGE_SIZE) % HASH_BUCKETS];
}

/* Frames for @capacity bytes; *@mapped says which way was taken.  NULL when memory is short. */
static void *
large_pages(size_t capacity, bool *mapped)
{
	const size_t nr = capacity / PAGE_SIZE;
	const paddr_t pa = nr == 1 ? pmm_alloc() : pmm_alloc_range(nr, PAGE_SIZE, 0);

	*mapped = pa == PADDR_NONE;
	if (pa != PADDR_NONE)
		return phys_to_virt(pa);
	return nr > 1 ? vmm_alloc(capacity) : NULL;
}

static __attribute__((noinline)) void *
large_alloc(size_t len)
{
	const size_t capacity = ALIGN_UP(len, PAGE_SIZE);
	struct pmm_stats stats;
	struct large *l;
	uint64_t flags;

	pmm_stats(&stats);
	if (capacity < len || capacity / PAGE_SIZE > stats.free)
		return NULL; /* absurd, or hopeless: do not drain memory to find out */
	l = kmalloc(sizeof(*l));
	if (l == NULL)
		return NULL;
	*l = (struct large){.len = len, .capacity = capacity};
	l->p = large_pages(capacity, &l->mapped);
	if (l->p == NULL) {
		kfree(l);
		return NULL;
	}
	if (SLAB_DEBUG)
		slab_debug_fill_tail(l->p, len, capacity);
	flags = spin_lock(&large_lock);
	l->next = *bucket_of(l->p);
	*bucket_of(l->p) = l;
	large_bytes += capacity;
	large_count++;
	spin_unlock(&large_lock, flags);
	return l->p;
}

/* Find the record of @p and, if @take, unlink it.  Panics, naming @who, when there is none. */
static struct large *
large_find(const void *p, bool take, const char *who)
{
	const uint64_t flags = spin_lock(&large_lock);
	struct large **at = bucket_of(p), *l;

	while (*at != NULL && (*at)->p != p)
		at = &(*at)->next;
	l = *at;
	if (l != NULL && take) {
		*at = l->next;
		large_bytes -= l->capacity;
		large_count--;
	}
	spin_unlock(&large_lock, flags);
	if (l == NULL)
		panic("%s: %p is not from the heap, or free already (double free)", who, p);
	return l;
}

static __attribute__((noinline)) void
large_free(void *p)
{
	struct large *l = large_find(p, true, "kfree");

	if (SLAB_DEBUG)
		slab_debug_check_tail(p, l->len, l->capacity);
	if (l->mapped)
		vmm_free(p, l->capacity);
	else
		pmm_free_range(virt_to_phys(p), l->capacity / PAGE_SIZE);
	kfree(l);
}

static inline bool
is_large(const void *p)
{
	return IS_ALIGNED((uintptr_t)p, PAGE_SIZE);
}

void *
kmalloc(size_t size)
{
	if (likely(size - 1 < SLAB_MAX)) /* and not 0 */
		return slab_alloc_len(cache_of[(size + 15) / 16], size);
	return size == 0 ? NULL : large_alloc(size);
}

void *
kzalloc(size_t size)
{
	void *p = kmalloc(size);

	return p != NULL ? memset(p, 0, size) : NULL;
}

void
kfree(void *p)
{
	if (unlikely(p == NULL))
		return;
	if (unlikely(is_large(p)))
		large_free(p);
	else
		slab_free_in(slab_of(p, "kfree"), p);
}

size_t
kmalloc_size(const void *p)
{
	if (p == NULL)
		return 0;
	return is_large(p) ? large_find(p, false, "kmalloc_size")->capacity
			   : slab_of(p, "kmalloc_size")->cache->size;
}

/* Debug builds: the block stays where it is and holds @size bytes from now on. */
static void
debug_resize(void *p, size_t size)
{
	if (is_large(p)) {
		struct large *l = large_find(p, false, "krealloc");

		slab_debug_check_tail(p, l->len, l->capacity);
		l->len = size;
		slab_debug_fill_tail(p, size, l->capacity);
	} else {
		const struct slab_cache *c = slab_of(p, "krealloc")->cache;

		slab_debug_check(c, p, "krealloc");
		slab_debug_resize(c, p, size);
	}
}

void *
krealloc(void *p, size_t size)
{
	size_t old;
	void *bigger;

	if (p == NULL)
		return kmalloc(size);
	if (size == 0) {
		kfree(p);
		return NULL;
	}
	old = kmalloc_size(p);
	if (size <= old && size > old / 2) { /* a block that shrinks a lot moves */
		if (SLAB_DEBUG)
			debug_resize(p, size);
		return p;
	}
	bigger = kmalloc(size);
	if (bigger == NULL)
		return NULL;
	memcpy(bigger, p, MIN(old, size));
	kfree(p);
	return bigger;
}

void
kmalloc_large_stats(size_t *bytes, size_t *count)
{
	const uint64_t flags = spin_lock(&large_lock);

	*bytes = large_bytes;
	*count = large_count;
	spin_unlock(&large_lock, flags);
}
