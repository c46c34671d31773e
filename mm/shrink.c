/*
 * shrink.c - the list of those who can give memory back; the slab caches are its first entry.
 */
#include <mm/shrink.h>
#include <kern/spinlock.h>
#include <mm/kmalloc.h>

static size_t
shrink_slabs(size_t want)
{
	(void)want; /* all that is empty: it comes from everywhere anyway */
	return slab_shrink();
}

static struct spinlock lock = SPINLOCK_INIT("shrinkers");
static struct shrinker slabs = {.name = "slab caches", .fn = shrink_slabs};
static struct shrinker *shrinkers = &slabs; /* [lock] */

void
shrinker_register(struct shrinker *s)
{
	const uint64_t flags = spin_lock(&lock);
	struct shrinker **at = &shrinkers;

	while (*at != NULL)
		at = &(*at)->next;
	s->calls = s->frames = 0;
	s->next = NULL;
	*at = s;
	spin_unlock(&lock, flags);
}

void
shrinker_unregister(struct shrinker *s)
{
	const uint64_t flags = spin_lock(&lock);
	struct shrinker **at = &shrinkers;

	while (*at != s) {
		assert(*at != NULL); /* never registered */
		at = &(*at)->next;
	}
	*at = s->next;
	spin_unlock(&lock, flags);
}

size_t
mm_shrink(size_t want)
{
	size_t got = 0;
	uint64_t flags;

	if (spin_held(&lock))
		return 0; /* a shrinker asks for memory: there is none */
	flags = spin_lock(&lock);
	for (struct shrinker *s = shrinkers; s != NULL && got < want; s = s->next) {
		const size_t n = s->fn(want - got);

		s->calls++;
		s->frames += n;
		got += n;
	}
	spin_unlock(&lock, flags);
	return got;
}

bool
shrinker_info(size_t i, struct shrinker *out)
{
	const uint64_t flags = spin_lock(&lock);
	const struct shrinker *s = shrinkers;

	while (s != NULL && i-- > 0)
		s = s->next;
	if (s != NULL)
		*out = *s;
	spin_unlock(&lock, flags);
	return s != NULL;
}
