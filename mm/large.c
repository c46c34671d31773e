/*
 * large.c - blocks that are whole pages.
 *
 * Such a block is a run of adjacent frames in the direct map, or, when memory is too fragmented for
 * that, pages mapped side by side (vmm_alloc).  What is known of it, who asked for it included,
 * stands in a struct large, found by a hash of the address.
 */
#include <mm/large.h>
#include <kern/spinlock.h>
#include <lib/printf.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>
#include <mm/vmm.h>

#define HASH_BUCKETS 64
#define GRAVES	     (SLAB_DEBUG ? 16 : 1)

struct large {
	struct large *next;	/* [large] in its bucket */
	struct large_info info; /* [owner] len is kept up to date in debug builds */
	bool mapped;		/* [I] by vmm_alloc(), not in the direct map */
};

/* Debug builds remember the blocks freed last, for the report of a double free. */
struct grave {
	const void *p;
	struct heap_trace allocated, freed;
};

static struct spinlock large_lock = SPINLOCK_INIT("kmalloc large");
static struct large *buckets[HASH_BUCKETS]; /* [large] */
static size_t large_bytes, large_count;	    /* [large] */
static struct grave graves[GRAVES];	    /* [large] */
static unsigned next_grave;		    /* [large] */

static inline struct large **
bucket_of(const void *p)
{
	return &buckets[((uintptr_t)p / PAGE_SIZE) % HASH_BUCKETS];
}

/* Frames for @capacity bytes; *@mapped says which way was taken.  NULL when memory is short. */
static void *
take_pages(size_t capacity, bool *mapped)
{
	const size_t nr = capacity / PAGE_SIZE;
	const paddr_t pa =
		nr == 1 ? pmm_alloc(PMM_LARGE) : pmm_alloc_range(PMM_LARGE, nr, PAGE_SIZE, 0);

	*mapped = pa == PADDR_NONE;
	if (pa != PADDR_NONE)
		return phys_to_virt(pa);
	return nr > 1 ? vmm_alloc(capacity) : NULL;
}

static void
insert(struct large *l)
{
	const uint64_t flags = spin_lock(&large_lock);

	l->next = *bucket_of(l->info.p);
	*bucket_of(l->info.p) = l;
	l->info.serial = ++heap_serial;
	large_bytes += l->info.capacity;
	large_count++;
	spin_unlock(&large_lock, flags);
}

void *
large_alloc(size_t len, const void *caller)
{
	const size_t capacity = ALIGN_UP(len, PAGE_SIZE);
	struct pmm_stats stats;
	struct large *l;
	void *p;

	pmm_stats(&stats);
	if (capacity < len || capacity / PAGE_SIZE > stats.free)
		return NULL; /* absurd, or hopeless: do not drain memory to find out */
	l = kzalloc(sizeof(*l));
	if (l == NULL)
		return NULL;
	p = take_pages(capacity, &l->mapped);
	if (p == NULL) {
		kfree(l);
		return NULL;
	}
	l->info.p = p;
	l->info.len = len;
	l->info.capacity = capacity;
	if (SLAB_DEBUG)
		heap_trace_take(&l->info.allocated, caller);
	else
		heap_trace_take_outer(&l->info.allocated, caller);
	if (SLAB_DEBUG)
		slab_debug_fill_tail(p, len, capacity);
	insert(l);
	return p;
}

/* No block in use is at @p: say what is known. */
static NORETURN void
not_a_block(const void *p, const char *who)
{
	static char text[400];

	for (unsigned i = 0; SLAB_DEBUG && i < GRAVES; i++) {
		const struct grave *g = &graves[(next_grave + GRAVES - 1 - i) % GRAVES];

		if (g->p != p || p == NULL)
			continue;
		log_err("heap: %p was allocated by %s", p,
			heap_trace_text(&g->allocated, HEAP_TRACE_MAX, text, sizeof(text)));
		log_err("heap: %p was freed by %s", p,
			heap_trace_text(&g->freed, HEAP_TRACE_MAX, text, sizeof(text)));
		panic("%s: large block %p is free already (double free); freed by %s", who, p,
		      heap_trace_text(&g->freed, 1, text, sizeof(text)));
	}
	panic("%s: %p is not from the heap, or free already (double free)", who, p);
}

/* Find the record of @p and, if @take, unlink it.  Panics, naming @who, when there is none. */
static struct large *
find(const void *p, bool take, const char *who)
{
	const uint64_t flags = spin_lock(&large_lock);
	struct large **at = bucket_of(p), *l;

	while (*at != NULL && (*at)->info.p != p)
		at = &(*at)->next;
	l = *at;
	if (l != NULL && take) {
		*at = l->next;
		large_bytes -= l->info.capacity;
		large_count--;
	}
	spin_unlock(&large_lock, flags);
	if (l == NULL)
		not_a_block(p, who);
	return l;
}

static void
check_tail(const struct large_info *i)
{
	const size_t bad = slab_debug_check_tail(i->p, i->len, i->capacity);
	char text[80];

	if (bad != i->capacity)
		panic("kfree: block %p of %zu bytes: byte %zu was written (overflow); allocated by "
		      "%s",
		      i->p, i->len, bad, heap_trace_text(&i->allocated, 1, text, sizeof(text)));
}

static void
bury(const struct large_info *i, const void *caller)
{
	const uint64_t flags = spin_lock(&large_lock);
	struct grave *g = &graves[next_grave];

	next_grave = (next_grave + 1) % GRAVES;
	g->p = i->p;
	g->allocated = i->allocated;
	heap_trace_take(&g->freed, caller);
	spin_unlock(&large_lock, flags);
}

void
large_free(void *p, const void *caller)
{
	struct large *l;

	if (SLAB_DEBUG)
		check_tail(&find(p, false, "kfree")->info);
	l = find(p, true, "kfree");
	if (SLAB_DEBUG)
		bury(&l->info, caller);
	if (l->mapped)
		vmm_free(p, l->info.capacity);
	else
		pmm_free_range(virt_to_phys(p), l->info.capacity / PAGE_SIZE);
	kfree(l);
}

size_t
large_size(const void *p, const char *who)
{
	return find(p, false, who)->info.capacity;
}

void
large_resize(void *p, size_t len)
{
	struct large_info *i = &find(p, false, "krealloc")->info;

	check_tail(i);
	i->len = len;
	slab_debug_fill_tail(p, len, i->capacity);
}

void
large_for_each(void (*fn)(const struct large_info *l, void *arg), void *arg)
{
	const uint64_t flags = spin_lock(&large_lock);

	for (size_t b = 0; b < HASH_BUCKETS; b++) {
		for (const struct large *l = buckets[b]; l != NULL; l = l->next)
			fn(&l->info, arg);
	}
	spin_unlock(&large_lock, flags);
}

void
kmalloc_large_stats(size_t *bytes, size_t *count)
{
	const uint64_t flags = spin_lock(&large_lock);

	*bytes = large_bytes;
	*count = large_count;
	spin_unlock(&large_lock, flags);
}
