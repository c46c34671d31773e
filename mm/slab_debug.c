/*
 * slab_debug.c - poison and redzones of the heap, in debug builds.
 *
 * A free object is full of POISON_FREE, so writing to it after kfree() is noticed when it is handed
 * out again.  An object in use is followed by TAIL_FILL up to its slot's end and then by 16 bytes:
 * a magic bound to the address and the length asked for; writing past the end is noticed at
 * kfree().
 */
#include <mm/slab.h>
#include <lib/string.h>

#define POISON_FREE   0x6b
#define POISON_ALLOC  0x5a
#define TAIL_FILL     0xbb
#define REDZONE_MAGIC 0x9ed20e5e9ed20e5eULL

static struct slab_redzone *
redzone_of(const struct slab_cache *c, const void *obj)
{
	return (struct slab_redzone *)((uintptr_t)obj + c->size);
}

/* Offset of the first byte of [from, to) that is not @fill, or @to. */
static size_t
first_other(const uint8_t *p, size_t from, size_t to, uint8_t fill)
{
	while (from < to && p[from] == fill)
		from++;
	return from;
}

void
slab_debug_poison(const struct slab_cache *c, void *obj)
{
	memset(obj, POISON_FREE, c->size + sizeof(struct slab_redzone));
}

void
slab_debug_take(const struct slab_cache *c, void *obj, size_t len)
{
	const size_t all = c->size + sizeof(struct slab_redzone);
	const size_t bad = first_other(obj, 0, all, POISON_FREE);

	if (bad != all)
		panic("slab %s: object %p was written to after it was freed (byte %zu is %02x)",
		      c->name, obj, bad, ((const uint8_t *)obj)[bad]);
	memset(obj, POISON_ALLOC, len);
	slab_debug_resize(c, obj, len);
}

void
slab_debug_resize(const struct slab_cache *c, void *obj, size_t len)
{
	memset((uint8_t *)obj + len, TAIL_FILL, c->size - len);
	*redzone_of(c, obj) = (struct slab_redzone){REDZONE_MAGIC ^ (uint64_t)obj, len};
}

void
slab_debug_check(const struct slab_cache *c, const void *obj, const char *who)
{
	const struct slab_redzone *z = redzone_of(c, obj);
	size_t bad;

	if (z->magic != (REDZONE_MAGIC ^ (uint64_t)obj) || z->len > c->size)
		panic("%s: slab %s: object %p (%u bytes): redzone overwritten (overflow)", who,
		      c->name, obj, c->size);
	bad = first_other(obj, z->len, c->size, TAIL_FILL);
	if (bad != c->size)
		panic("%s: slab %s: object %p of %lu bytes: byte %zu was written (overflow)", who,
		      c->name, obj, z->len, bad);
}

void
slab_debug_fill_tail(void *p, size_t len, size_t size)
{
	memset((uint8_t *)p + len, TAIL_FILL, size - len);
}

void
slab_debug_check_tail(const void *p, size_t len, size_t size)
{
	const size_t bad = first_other(p, len, size, TAIL_FILL);

	if (bad != size)
		panic("kfree: block %p of %zu bytes: byte %zu was written (overflow)", p, len, bad);
}
