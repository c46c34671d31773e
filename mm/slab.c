/*
 * slab.c - caches of objects of one size.
 *
 * A slab is one page in the direct map: 64 bytes of header, then the objects.  Which are free is
 * said by bits in the header, not by pointers in the objects: writing to a freed object cannot
 * derail the allocator, and a double free is one bit to look at.  The slab of an object is found
 * by rounding its address down, and no object starts at a page boundary - so kfree() knows
 * objects from larger blocks, which do.
 *
 * Slabs with a free object hang in the cache's list, the one used last in front, so that warm
 * memory is used first; full ones are in no list and come back with their first free.  A slab that
 * becomes empty goes back to the frame allocator if enough free objects remain without it.
 *
 * Taking and giving back one object is inline in slab.h; here is what happens less often.
 */
#include <mm/slab.h>
#include <lib/string.h>
#include <mm/pmm.h>

static struct spinlock registry_lock = SPINLOCK_INIT("slab registry");
static struct slab_cache *registry;		     /* [registry_lock] all caches, oldest first */
static struct slab_cache **registry_end = &registry; /* [registry_lock] */

static inline void *
object_at(const struct slab_cache *c, struct slab *s, size_t i)
{
	return (uint8_t *)s + SLAB_HEADER + i * c->stride;
}

void
slab_cache_setup(struct slab_cache *c, const char *name, size_t size)
{
	uint64_t flags;

	assert(size > 0 && size <= SLAB_OBJECT_MAX);
	*c = (struct slab_cache){
		.lock = SPINLOCK_INIT("slab cache"),
		.name = name,
		.size = (uint32_t)ALIGN_UP(size, 16),
	};
	c->stride = c->size + SLAB_REDZONE;
	/*
	 * Exact for offsets within a page: the error is below offset / 2^32, less than 1 / stride.
	 */
	c->reciprocal = (uint32_t)((BIT(32) + c->stride - 1) / c->stride);
	c->per_slab = (uint32_t)((PAGE_SIZE - SLAB_HEADER) / c->stride);
	list_init(&c->partial);

	flags = spin_lock(&registry_lock);
	*registry_end = c;
	registry_end = &c->next;
	spin_unlock(&registry_lock, flags);
}

struct slab_cache *
slab_cache_create(const char *name, size_t size)
{
	struct slab_cache *c;

	if (size == 0 || size > SLAB_OBJECT_MAX)
		return NULL;
	c = kmalloc(sizeof(*c));
	if (c != NULL)
		slab_cache_setup(c, name, size);
	return c;
}

static void
unregister(struct slab_cache *c)
{
	const uint64_t flags = spin_lock(&registry_lock);
	struct slab_cache **at = &registry;

	while (*at != c) {
		assert(*at != NULL); /* destroyed twice, or never created */
		at = &(*at)->next;
	}
	*at = c->next;
	if (registry_end == &c->next)
		registry_end = at;
	spin_unlock(&registry_lock, flags);
}

void
slab_cache_destroy(struct slab_cache *c)
{
	struct slab *s, *next;

	if (c == NULL)
		return;
	if (c->in_use != 0)
		panic("slab_cache_destroy: %s: %zu objects are still in use", c->name, c->in_use);
	unregister(c);
	list_for_each_entry_safe (s, next, &c->partial, node) {
		s->magic = 0;
		pmm_free(virt_to_phys(s));
	}
	kfree(c);
}

/* A new slab at the head of the list.  False when memory is short. */
static bool
grow_locked(struct slab_cache *c)
{
	const paddr_t pa = pmm_alloc();
	struct slab *s;
	size_t left = c->per_slab;

	if (pa == PADDR_NONE)
		return false;
	s = phys_to_virt(pa);
	s->magic = SLAB_MAGIC;
	s->nr_free = (uint16_t)c->per_slab;
	s->pad = 0;
	s->cache = c;
	for (size_t w = 0; w < SLAB_MAP_WORDS; w++) {
		const size_t n = MIN(left, 64);

		s->free[w] = n == 64 ? UINT64_MAX : BIT(n) - 1;
		left -= n;
	}
	for (size_t i = 0; SLAB_DEBUG && i < c->per_slab; i++)
		slab_debug_poison(c, object_at(c, s, i));
	list_add_head(&c->partial, &s->node);
	c->nr_slabs++;
	return true;
}

/* The cache has no free object: a slab more, then the usual way. */
void *
slab_alloc_slow(struct slab_cache *c, uint64_t flags, size_t len)
{
	const bool grown = grow_locked(c);

	spin_unlock(&c->lock, flags);
	return grown ? slab_alloc_len(c, len) : NULL;
}

void *
slab_alloc(struct slab_cache *c)
{
	return slab_alloc_len(c, c->size);
}

void
slab_not_heap(const void *obj, const char *who)
{
	panic("%s: %p is not from the heap", who, obj);
}

void
slab_retire(struct slab_cache *c, struct slab *s, uint64_t flags)
{
	list_del(&s->node);
	c->nr_slabs--;
	s->magic = 0;
	spin_unlock(&c->lock, flags);
	pmm_free(virt_to_phys(s));
}

/* Frees are checked with the lock held and reported with it open, so that tests can go on. */
void
slab_free_error(struct slab_cache *c, uint64_t flags, const void *obj, const char *what)
{
	spin_unlock(&c->lock, flags);
	panic("kfree: slab %s: %p %s", c->name, obj, what);
}

void
slab_free(struct slab_cache *c, void *obj)
{
	struct slab *s;

	if (obj == NULL)
		return;
	s = slab_of(obj, "slab_free");
	if (s->cache != c)
		panic("slab_free: %p belongs to slab %s, not to %s", obj, s->cache->name, c->name);
	slab_free_in(s, obj);
}

bool
slab_info(size_t i, struct slab_info *out)
{
	const uint64_t flags = spin_lock(&registry_lock);
	const struct slab_cache *c = registry;

	while (c != NULL && i-- > 0)
		c = c->next;
	if (c != NULL) {
		out->name = c->name;
		out->object_size = c->stride;
		out->in_use = c->in_use;
		out->capacity = c->nr_slabs * c->per_slab;
		out->pages = c->nr_slabs;
	}
	spin_unlock(&registry_lock, flags);
	return c != NULL;
}
