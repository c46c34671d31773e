/*
 * slab_tests.h - tests of the heap (mm/slab.c, mm/kmalloc.c) over invented frames; shared by
 * test_slab.c (as shipped) and test_slab_debug.c (with poison and redzones).
 *
 * A frame that was given back is poisoned for ASan: a heap that still touches it is caught.
 */
#pragma once
#include "host.h"
#include <sanitizer/asan_interface.h>
#include "mm_shim.h"
#include <mm/kmalloc.h>
#include <mm/kmap.h>
#include <mm/leaks.h>
#include <mm/pmm.h>
#include <mm/shrink.h>
#include <mm/slab.h>
#include <mm/vmm.h>

#define ARENA_FRAMES 4096

static uint8_t *arena;
static uint8_t frame_used[ARENA_FRAMES]; /* 1 = by pmm, 2 = by vmm_alloc */
static size_t frames_used;
static unsigned fail_one_in; /* 0 = frames are refused only when there are none */
static bool fragmented;	     /* no two adjacent frames to be had */

uint64_t direct_map_base;

static paddr_t
take_frames(size_t nr, uint8_t as)
{
	if (fail_one_in != 0 && shim_random(fail_one_in) == 0)
		return PADDR_NONE;
	for (size_t i = 0; i + nr <= ARENA_FRAMES; i++) {
		size_t n = 0;

		while (n < nr && frame_used[i + n] == 0)
			n++;
		if (n < nr) {
			i += n;
			continue;
		}
		for (n = 0; n < nr; n++)
			frame_used[i + n] = as;
		frames_used += nr;
		ASAN_UNPOISON_MEMORY_REGION(arena + i * PAGE_SIZE, nr * PAGE_SIZE);
		memset(arena + i * PAGE_SIZE, 0xdd, nr * PAGE_SIZE);
		return i * PAGE_SIZE;
	}
	return PADDR_NONE;
}

static void
give_frames(paddr_t pa, size_t nr, uint8_t as)
{
	for (size_t i = pa / PAGE_SIZE; i < pa / PAGE_SIZE + nr; i++) {
		assert_true(i < ARENA_FRAMES);
		assert_int_equal(frame_used[i], as);
		frame_used[i] = 0;
		frames_used--;
		ASAN_POISON_MEMORY_REGION(arena + i * PAGE_SIZE, PAGE_SIZE);
	}
}

paddr_t
pmm_alloc(enum pmm_owner owner)
{
	assert_true(owner == PMM_SLAB || owner == PMM_LARGE);
	return take_frames(1, 1);
}

void
pmm_free(paddr_t frame)
{
	give_frames(frame, 1, 1);
}

paddr_t
pmm_alloc_range(enum pmm_owner owner, size_t nr, size_t align, paddr_t limit)
{
	assert_int_equal(owner, PMM_LARGE);
	(void)align;
	(void)limit;
	return fragmented ? PADDR_NONE : take_frames(nr, 1);
}

void
pmm_free_range(paddr_t first, size_t nr)
{
	give_frames(first, nr, 1);
}

void
pmm_stats(struct pmm_stats *out)
{
	*out = (struct pmm_stats){.total = ARENA_FRAMES, .free = ARENA_FRAMES - frames_used};
}

paddr_t
virt_to_phys(const void *va)
{
	return (uint64_t)va - direct_map_base;
}

void *
vmm_alloc(size_t len)
{
	const paddr_t pa = take_frames(ALIGN_UP(len, PAGE_SIZE) / PAGE_SIZE, 2);

	return pa == PADDR_NONE ? NULL : memset(phys_to_virt(pa), 0, len);
}

void
vmm_free(void *va, size_t len)
{
	give_frames(virt_to_phys(va), ALIGN_UP(len, PAGE_SIZE) / PAGE_SIZE, 2);
}

static int
set_up(void **state)
{
	(void)state;
	arena = aligned_alloc(PAGE_SIZE, ARENA_FRAMES * PAGE_SIZE);
	assert_non_null(arena);
	ASAN_POISON_MEMORY_REGION(arena, ARENA_FRAMES * PAGE_SIZE);
	direct_map_base = (uint64_t)arena;
	assert_int_equal(kmalloc_init(), 0);
	shim_seed();
	return 0;
}

static int
after_each(void **state)
{
	(void)state;
	fail_one_in = 0;
	fragmented = false;
	return 0;
}

static size_t
objects_in_use(void)
{
	struct slab_info info;
	size_t n = 0;

	for (size_t i = 0; slab_info(i, &info); i++) {
		n += info.in_use;
		assert_true(info.in_use <= info.capacity);
	}
	return n;
}

static void
test_every_size(void **state)
{
	(void)state;
	for (size_t size = 1; size <= 9000; size++) {
		uint8_t *p = kmalloc(size);

		assert_non_null(p);
		assert_true(IS_ALIGNED((uintptr_t)p, 16));
		assert_true(kmalloc_size(p) >= size);
		memset(p, 0xff, size);
		kfree(p);
	}
	assert_int_equal(objects_in_use(), 0);
}

/* Not much of a slab may be lost: 20 % at worst from 64 bytes on. */
static void
test_waste(void **state)
{
	struct slab_info info;

	(void)state;
	for (size_t i = 0; slab_info(i, &info); i++) {
		const size_t per_slab = (PAGE_SIZE - SLAB_HEADER) / info.object_size;

		if (!SLAB_DEBUG)
			assert_true(per_slab * info.object_size * 10 >= PAGE_SIZE * 9);
	}
}

static void
test_misuse(void **state)
{
	uint8_t *p = kmalloc(100), *large = kmalloc(10000);
	const struct slab_cache *c;
	uint8_t *tail;

	(void)state;
	EXPECT_PANIC(kfree(p + 16), "not the start of an object");
	EXPECT_PANIC(kfree((void *)((uintptr_t)p - 1)), "not the start of an object");
	EXPECT_PANIC(kfree(large + 4096), "not from the heap");
	EXPECT_PANIC(kfree((void *)(direct_map_base - PAGE_SIZE + 16)), "not from the heap");
	/* Behind the last object there is room for a pointer, but for no object. */
	tail = kmalloc(384);
	c = slab_cache_of(tail, "test");
	EXPECT_PANIC(kfree((uint8_t *)ALIGN_DOWN((uintptr_t)tail, PAGE_SIZE) + c->first +
			   c->per_slab * c->stride),
		     "not the start of an object");
	kfree(tail);
	kfree(p);
	EXPECT_PANIC(kfree(p), "double free");
	kfree(large);
	EXPECT_PANIC(kfree(large), "double free");
	assert_null(kmalloc(0));
	assert_null(kmalloc(SIZE_MAX));
	assert_null(kmalloc(SIZE_MAX - PAGE_SIZE));
	assert_null(kmalloc(ARENA_FRAMES * PAGE_SIZE + 1));
	assert_int_equal(objects_in_use(), 0);
}

static void
test_fragmented(void **state)
{
	uint8_t *p;
	size_t bytes, count;

	(void)state;
	fragmented = true;
	p = kmalloc(50000);
	assert_non_null(p);
	memset(p, 1, 50000);
	kmalloc_large_stats(&bytes, &count);
	assert_int_equal(bytes, ALIGN_UP(50000, PAGE_SIZE));
	assert_int_equal(count, 1);
	kfree(p);
	kmalloc_large_stats(&bytes, &count);
	assert_int_equal(count, 0);
}

static void
test_caches(void **state)
{
	struct slab_cache *c = slab_cache_create("odd", 77);
	void *p[200];
	const size_t before = frames_used;

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		p[i] = slab_alloc(c);
		assert_non_null(p[i]);
		memset(p[i], (int)i, 77);
	}
	EXPECT_PANIC(slab_cache_destroy(c), "200 objects are still in use");
	for (size_t i = 0; i < 200; i++) {
		assert_int_equal(((uint8_t *)p[i])[76], i);
		slab_free(c, p[i]);
	}
	assert_true(frames_used <= before + 1 + SLAB_KEEP); /* the active one, and the stock */
	p[0] = kmalloc(77);
	EXPECT_PANIC(slab_free(c, p[0]), "belongs to slab");
	kfree(p[0]);
	slab_cache_destroy(c);
	assert_null(slab_cache_create("none", 0));
	assert_null(slab_cache_create("huge", SLAB_OBJECT_MAX + 1));
}

static unsigned nr_made;

static void
make_object(void *obj)
{
	memset(obj, 0x77, 48);
	nr_made++;
}

/* Alignment holds for every object; each comes out as the constructor made it. */
static void
test_spec(void **state)
{
	(void)state;
	for (size_t align = 16; align <= 1024; align *= 2) {
		const struct slab_spec spec = {"spec", 48, align, make_object};
		struct slab_cache *c = slab_cache_create_spec(&spec);
		uint8_t *p[100];

		assert_non_null(c);
		for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
			p[i] = slab_alloc(c);
			assert_true(p[i] != NULL && IS_ALIGNED((uintptr_t)p[i], align));
			assert_true(p[i][0] == 0x77 && p[i][47] == 0x77);
		}
		for (size_t i = 0; i < ARRAY_SIZE(p); i++)
			slab_free(c, p[i]);
		slab_cache_destroy(c);
	}
	assert_true(nr_made >= 700);
	assert_null(slab_cache_create_spec(&(struct slab_spec){"none", 48, 24, NULL}));
	assert_null(slab_cache_create_spec(&(struct slab_spec){"none", 48, PAGE_SIZE, NULL}));
}

/* Each state of a slab: a double free is found, and the stock of empty ones has its bound. */
static void
test_states(void **state)
{
	struct slab_cache *c = slab_cache_create("states", 500);
	const size_t n = c->per_slab;
	size_t before;
	void *p[64];

	(void)state;
	assert_true(8 * n <= ARRAY_SIZE(p));
	(void)mm_shrink(SIZE_MAX); /* the other caches' stock shall not be counted */
	before = frames_used;
	for (size_t i = 0; i < 8 * n; i++)
		p[i] = slab_alloc(c);
	assert_int_equal(frames_used, before + 8);
	slab_free(c, p[1]); /* the first slab was full, and is partial */
	EXPECT_PANIC(slab_free(c, p[1]), "double free");
	slab_free(c, p[8 * n - 1]); /* in the active one */
	EXPECT_PANIC(slab_free(c, p[8 * n - 1]), "double free");
	slab_free(c, p[0]);
	for (size_t i = 2; i < 7 * n; i++)
		slab_free(c, p[i]);
	assert_int_equal(frames_used, before + 1 + SLAB_KEEP);
	assert_int_equal(mm_shrink(SIZE_MAX), SLAB_KEEP);
	assert_int_equal(frames_used, before + 1);
	for (size_t i = 7 * n; i < 8 * n - 1; i++)
		slab_free(c, p[i]);
	assert_true(mm_shrink(SIZE_MAX) >= 1); /* the active one, too */
	assert_int_equal(frames_used, before);
	p[0] = slab_alloc(c);
	assert_non_null(p[0]);
	slab_free(c, p[0]);
	slab_cache_destroy(c);
}

/* More frees in the active slab than its counter can count. */
static void
test_many_frees(void **state)
{
	struct slab_cache *c = slab_cache_create("many", 1000);
	void *keep = slab_alloc(c);

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		void *p = slab_alloc(c);

		assert_non_null(p);
		slab_free(c, p);
	}
	EXPECT_PANIC(slab_cache_destroy(c), "1 objects are still in use");
	slab_free(c, keep);
	slab_cache_destroy(c);
}

/* --- random operations; every block carries its own pattern ------------------------------ */

#define MODEL_BLOCKS 700

static struct {
	uint8_t *p;
	size_t len;
	uint8_t seed;
} blocks[MODEL_BLOCKS];

static void
fill(size_t i, size_t from)
{
	for (size_t k = from; k < blocks[i].len; k++)
		blocks[i].p[k] = (uint8_t)(blocks[i].seed + k * 13);
}

static void
check(size_t i, size_t len)
{
	for (size_t k = 0; k < len; k++)
		assert_int_equal(blocks[i].p[k], (uint8_t)(blocks[i].seed + k * 13));
}

static size_t
random_len(void)
{
	static const uint16_t bounds[] = {64, 64, 300, 2100, 2100, 20000};

	return shim_random(bounds[shim_random(ARRAY_SIZE(bounds))]) + 1;
}

static void
random_step(void)
{
	const size_t i = shim_random(MODEL_BLOCKS), len = random_len();
	uint8_t *p;

	if (blocks[i].p == NULL) {
		blocks[i].p = kmalloc(len);
		if (blocks[i].p == NULL) {
			assert_true(fail_one_in != 0);
			return;
		}
		blocks[i].len = len;
		blocks[i].seed = (uint8_t)shim_random(256);
		fill(i, 0);
		return;
	}
	check(i, blocks[i].len);
	if (shim_random(3) == 0) {
		p = krealloc(blocks[i].p, len);
		if (p == NULL) {
			check(i, blocks[i].len); /* untouched */
			return;
		}
		blocks[i].p = p;
		check(i, MIN(len, blocks[i].len));
		blocks[i].len = len;
		fill(i, 0);
		return;
	}
	kfree(blocks[i].p);
	blocks[i].p = NULL;
}

static void
test_random(void **state)
{
	size_t caches = 0, bytes, count;
	struct slab_info info;

	(void)state;
	for (unsigned n = 0; n < 200000; n++) {
		fail_one_in = (n / 20000) % 3 == 2 ? 10 : 0;
		random_step();
	}
	fail_one_in = 0;
	for (size_t i = 0; i < MODEL_BLOCKS; i++) {
		if (blocks[i].p != NULL)
			check(i, blocks[i].len);
		kfree(blocks[i].p);
		blocks[i].p = NULL;
	}
	assert_int_equal(objects_in_use(), 0);
	while (slab_info(caches, &info))
		caches++;
	assert_true(frames_used <= caches * (1 + SLAB_KEEP));
	(void)mm_shrink(SIZE_MAX);
	assert_int_equal(frames_used, 0);
	kmalloc_large_stats(&bytes, &count);
	assert_int_equal(bytes, 0);
}

#define SLAB_TESTS                                                      \
	cmocka_unit_test_teardown(test_every_size, after_each),         \
		cmocka_unit_test_teardown(test_waste, after_each),      \
		cmocka_unit_test_teardown(test_misuse, after_each),     \
		cmocka_unit_test_teardown(test_fragmented, after_each), \
		cmocka_unit_test_teardown(test_caches, after_each),     \
		cmocka_unit_test_teardown(test_spec, after_each),       \
		cmocka_unit_test_teardown(test_states, after_each),     \
		cmocka_unit_test_teardown(test_many_frees, after_each), \
		cmocka_unit_test_teardown(test_random, after_each)
