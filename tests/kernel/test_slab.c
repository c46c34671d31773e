/*
 * test_slab.c - slab caches: alignment, constructors, giving memory back, owners.
 */
#include "tests.h"
#include <kern/selftest.h>
#include <kern/thread.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/leaks.h>
#include <mm/pmm.h>
#include <mm/shrink.h>

void
test_slab_align(void)
{
	for (size_t align = 16; align <= 2048; align *= 2) {
		const struct slab_spec spec = {.name = "test align", .size = 24, .align = align};
		struct slab_cache *c = slab_cache_create_spec(&spec);
		void *p[8];

		CHECK(c != NULL);
		for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
			p[i] = slab_alloc(c);
			CHECK(p[i] != NULL && IS_ALIGNED((uintptr_t)p[i], align));
			memset(p[i], 0xff, 24);
		}
		for (size_t i = 0; i < ARRAY_SIZE(p); i++)
			slab_free(c, p[i]);
		slab_cache_destroy(c);
	}
	CHECK(slab_cache_create_spec(&(struct slab_spec){"test", 24, 48, NULL}) == NULL);
	CHECK(slab_cache_create_spec(&(struct slab_spec){"test", 24, PAGE_SIZE, NULL}) == NULL);
	CHECK(slab_cache_create_spec(&(struct slab_spec){"test", 3000, 2048, NULL}) == NULL);
}

#define BUILT 0x600d0b1ec7ULL

struct built {
	uint64_t sign, uses;
};
static unsigned nr_built;

static void
build(void *obj)
{
	*(struct built *)obj = (struct built){.sign = BUILT};
	nr_built++;
}

/* Each object is ready when it comes, whether new or given back in that state. */
void
test_slab_ctor(void)
{
	const struct slab_spec spec = {
		.name = "test ctor", .size = sizeof(struct built), .ctor = build};
	struct slab_cache *c = slab_cache_create_spec(&spec);
	unsigned first_round = 0;

	CHECK(c != NULL);
	nr_built = 0;
	for (unsigned round = 0; round < 3; round++) {
		static struct built *b[100];

		for (size_t i = 0; i < ARRAY_SIZE(b); i++) {
			b[i] = slab_alloc(c);
			CHECK(b[i] != NULL && b[i]->sign == BUILT && b[i]->uses == 0);
			b[i]->uses = 1;
		}
		for (size_t i = 0; i < ARRAY_SIZE(b); i++) {
			b[i]->uses = 0;
			slab_free(c, b[i]);
		}
		if (round == 0)
			first_round = nr_built;
	}
	CHECK(first_round >= 100);
	CHECK(SLAB_DEBUG || nr_built == first_round); /* built once, as long as the slab stays */
	slab_cache_destroy(c);
}

static size_t
frames_free(void)
{
	struct pmm_stats s;

	pmm_stats(&s);
	return s.free;
}

/* Objects until there is no memory left, chained; every size of kmalloc() in turn. */
static void *
fill_memory(size_t *count)
{
	void *chain = NULL, *p;

	for (size_t n = 0; (p = kmalloc(n % 3 == 0 ? 8 : n % 2000 + 8)) != NULL; n++) {
		*(void **)p = chain;
		chain = p;
		++*count;
	}
	return chain;
}

/* Memory is filled with objects, they are freed, and every frame comes back. */
void
test_slab_all_comes_back(void)
{
	size_t before, count = 0;
	void *chain;

	if (frames_free() > MIB(512) / PAGE_SIZE)
		return; /* it would take seconds, and show nothing new */
	preempt_disable();
	(void)mm_shrink(SIZE_MAX);
	before = frames_free();
	chain = fill_memory(&count);
	CHECK(count > before);
	CHECK_EQ(frames_free(), 0);
	CHECK_EQ(pmm_alloc(PMM_TEST), PADDR_NONE);
	while (chain != NULL) {
		void *p = chain;

		chain = *(void **)p;
		kfree(p);
	}
	CHECK(frames_free() + 4 * 16 >= before); /* a few slabs of each size stay in stock */
	(void)mm_shrink(SIZE_MAX);
	CHECK_EQ(frames_free(), before);
	preempt_enable();
}

static paddr_t hoard;

static size_t
give_hoard(size_t want)
{
	const paddr_t pa = hoard;

	(void)want;
	hoard = PADDR_NONE;
	if (pa == PADDR_NONE)
		return 0;
	pmm_free(pa);
	return 1;
}

/* The last frame is taken: who keeps one is asked, and the allocation succeeds. */
void
test_slab_shrinker(void)
{
	static struct shrinker s = {.name = "test", .fn = give_hoard};
	paddr_t chain = PADDR_NONE, pa;

	if (frames_free() > MIB(512) / PAGE_SIZE)
		return;
	preempt_disable();
	(void)mm_shrink(SIZE_MAX);
	hoard = pmm_alloc(PMM_TEST);
	while ((pa = pmm_alloc(PMM_TEST)) != PADDR_NONE) {
		*(paddr_t *)phys_to_virt(pa) = chain;
		chain = pa;
	}
	shrinker_register(&s);
	pa = pmm_alloc(PMM_TEST);
	shrinker_unregister(&s);
	while (chain != PADDR_NONE) {
		const paddr_t next = *(paddr_t *)phys_to_virt(chain);

		pmm_free(chain);
		chain = next;
	}
	preempt_enable();
	CHECK(pa != PADDR_NONE);
	CHECK_EQ(s.frames, 1);
	CHECK_EQ(hoard, PADDR_NONE);
	pmm_free(pa);
}

/* --- owners ---------------------------------------------------------------------------------- */

static __attribute__((noinline)) void *
leak_one(size_t size)
{
	void *p = kmalloc(size);

	if (p != NULL)
		memset(p, 1, size);
	return p;
}

static struct heap_site sites[64];

/* What is in use that leak_one() asked for. */
static size_t
leaked(bool since_mark, size_t *bytes)
{
	struct heap_usage u;
	size_t count = 0;
	char text[64];

	*bytes = 0;
	heap_sites(sites, ARRAY_SIZE(sites), since_mark, &u);
	for (size_t i = 0; i < u.nr_sites; i++) {
		CHECK(i == 0 || sites[i - 1].bytes >= sites[i].bytes);
		if (strncmp(heap_trace_text(&sites[i].trace, 1, text, sizeof(text)), "leak_one+",
			    9) == 0) {
			count += sites[i].count;
			*bytes += sites[i].bytes;
		}
	}
	return count;
}

/* Small objects in debug builds, large blocks in all of them: found by who asked, and since when. */
void
test_slab_owners(void)
{
	static const size_t sizes[] = {100, 20000};

	for (size_t k = SLAB_DEBUG ? 0 : 1; k < ARRAY_SIZE(sizes); k++) {
		void *p[7], *old = leak_one(sizes[k]);
		size_t bytes;

		heap_mark();
		for (size_t i = 0; i < ARRAY_SIZE(p); i++)
			p[i] = leak_one(sizes[k]);
		CHECK_EQ(leaked(true, &bytes), 7);
		CHECK(bytes >= 7 * sizes[k]);
		CHECK_EQ(leaked(false, &bytes), 8);
		for (size_t i = 0; i < ARRAY_SIZE(p); i++)
			kfree(p[i]);
		CHECK_EQ(leaked(true, &bytes), 0);
		CHECK_EQ(leaked(false, &bytes), 1);
		kfree(old);
		CHECK_EQ(leaked(false, &bytes), 0);
	}
}

static __attribute__((noinline)) void
free_one(void *p)
{
	kfree(p);
	if (selftest_panic_text() == NULL) /* never; so that the call above is not the last thing */
		printf("\n");
}

static void
free_again(void *p)
{
	kfree(p);
}

static void
check_names_both(size_t size)
{
	void *p = leak_one(size);

	free_one(p);
	CHECK_EQ(selftest_catch(free_again, p), SELFTEST_PANIC);
	if (strstr(selftest_panic_text(), "double free") == NULL ||
	    strstr(selftest_panic_text(), "freed by free_one+") == NULL ||
	    (size < 4096 && strstr(selftest_panic_text(), "allocated by leak_one+") == NULL))
		selftest_fail(__FILE__, __LINE__, "\"%s\"", selftest_panic_text());
}

/* Debug builds: the report of a double free, of an overflow and of an underflow names the sites. */
void
test_slab_sites(void)
{
	volatile uint8_t *p;
	uint8_t was;

	if (!SLAB_DEBUG)
		return;
	check_names_both(100);
	check_names_both(9000);
	p = leak_one(100);
	was = p[100];
	p[100] = 1;
	CHECK_EQ(selftest_catch(free_again, (void *)p), SELFTEST_PANIC);
	CHECK(strstr(selftest_panic_text(), "allocated by leak_one+") != NULL);
	p[100] = was;
	was = p[-1];
	p[-1] = 1;
	CHECK_EQ(selftest_catch(free_again, (void *)p), SELFTEST_PANIC);
	CHECK(strstr(selftest_panic_text(), "underflow") != NULL);
	p[-1] = was;
	kfree((void *)p);
}

/* Debug builds: damage is found by looking, before anybody trips over it. */
void
test_slab_check(void)
{
	volatile uint8_t *used = leak_one(60), *freed = leak_one(60);
	struct heap_damage d[4];
	uint8_t was;
	size_t n;

	n = heap_check(d, ARRAY_SIZE(d));
	if (SLAB_DEBUG) {
		was = used[60];
		used[60] = 1;
		CHECK_EQ(heap_check(d, ARRAY_SIZE(d)), n + 1);
		used[60] = was;
		preempt_disable();
		kfree((void *)freed);
		was = freed[5];
		freed[5] = 0;
		CHECK_EQ(heap_check(d, ARRAY_SIZE(d)), n + 1);
		freed[5] = was;
		preempt_enable();
	} else {
		CHECK_EQ(n, 0);
		kfree((void *)freed);
	}
	CHECK_EQ(heap_check(d, ARRAY_SIZE(d)), n);
	kfree((void *)used);
}
