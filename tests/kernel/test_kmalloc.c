/*
 * test_kmalloc.c - the heap: sizes, contents, misuse, use from interrupts, slab caches.
 */
#include "tests.h"
#include <kern/clock.h>
#include <kern/selftest.h>
#include <kern/thread.h>
#include <kern/timer.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>
#include <mm/slab.h>

static void
fill(uint8_t *p, size_t n, uint32_t seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(seed + i * 7);
}

static void
check_filled(const uint8_t *p, size_t n, uint32_t seed)
{
	for (size_t i = 0; i < n; i++)
		CHECK_EQ(p[i], (uint8_t)(seed + i * 7));
}

void
test_kmalloc_sizes(void)
{
	static const size_t sizes[] = {1,    15,   16,	 17,   31,    48,     64,    100,  255,
				       256,  512,  1000, 1024, 2000,  2016,   2017,  2048, 4095,
				       4096, 4097, 8192, 9999, 65536, 100000, MIB(1)};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint8_t *p = kmalloc(sizes[i]);

		CHECK(p != NULL);
		CHECK(IS_ALIGNED((uintptr_t)p, 16));
		CHECK(kmalloc_size(p) >= sizes[i]);
		fill(p, sizes[i], (uint32_t)i);
		check_filled(p, sizes[i], (uint32_t)i);
		kfree(p);
	}
	CHECK(kmalloc(0) == NULL);
	CHECK(kmalloc(SIZE_MAX) == NULL);
	CHECK(kmalloc(SIZE_MAX / 2) == NULL);
	kfree(NULL);
}

void
test_kmalloc_zeroed(void)
{
	for (size_t size = 8; size <= 10000; size *= 3) {
		uint8_t *p = kmalloc(size);

		memset(p, 0xee, size);
		kfree(p);
		p = kzalloc(size);
		CHECK(p != NULL);
		for (size_t i = 0; i < size; i++)
			CHECK_EQ(p[i], 0);
		kfree(p);
	}
}

void
test_kmalloc_krealloc(void)
{
	static const size_t steps[] = {10, 20, 500, 3000, 2999, 70000, 65, 64, 1};
	uint8_t *p = krealloc(NULL, 5);
	size_t have = 5;

	CHECK(p != NULL);
	fill(p, have, 3);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		p = krealloc(p, steps[i]);
		CHECK(p != NULL);
		check_filled(p, MIN(have, steps[i]), 3);
		have = steps[i];
		fill(p, have, 3);
	}
	CHECK(krealloc(p, SIZE_MAX / 2) == NULL);
	check_filled(p, have, 3); /* untouched */
	CHECK(krealloc(p, 0) == NULL);
}

static void
do_free(void *p)
{
	kfree(p);
}

static void
check_refused(void *p, const char *why)
{
	CHECK_EQ(selftest_catch(do_free, p), SELFTEST_PANIC);
	if (strstr(selftest_panic_text(), why) == NULL)
		selftest_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", selftest_panic_text(),
			      why);
}

void
test_kmalloc_double_free(void)
{
	static const size_t sizes[] = {24, 2000, 5000, 100000};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *p = kmalloc(sizes[i]), *neighbour = kmalloc(sizes[i]);

		kfree(p);
		check_refused(p, "double free");
		kfree(neighbour);
	}
}

void
test_kmalloc_foreign_free(void)
{
	static uint64_t here[4];
	uint8_t *p = kmalloc(100);

	check_refused(&here[1], "not from the heap");
	check_refused((void *)0x1238, "not from the heap");
	check_refused((void *)0x5000, "not from the heap");
	check_refused(p + 16, "not the start of an object");
	kfree(p);
}

/* Debug builds only: what was written behind the end is found at kfree(), by name. */
void
test_kmalloc_overflow(void)
{
	static const size_t sizes[] = {20, 64, 2000, 5000};

	for (size_t i = 0; SLAB_DEBUG && i < ARRAY_SIZE(sizes); i++) {
		volatile uint8_t *p = kmalloc(sizes[i]);
		const uint8_t was = p[sizes[i]];

		p[sizes[i]] = 1;
		if (sizes[i] <= KMALLOC_SLAB_MAX) {
			check_refused((void *)p, "overflow");
			p[sizes[i]] = was;
			kfree((void *)p);
		} else {
			p[sizes[i]] = was; /* a large block is unlinked before the check */
			kfree((void *)p);
		}
	}
}

static void
alloc_64(void *unused)
{
	(void)unused;
	kfree(kmalloc(64));
}

/* Debug builds only: a write after kfree() is found when the object is handed out again. */
void
test_kmalloc_use_after_free(void)
{
	volatile uint8_t *p;
	uint8_t was;

	if (!SLAB_DEBUG)
		return;
	preempt_disable(); /* the next kmalloc(64) shall be ours */
	p = kmalloc(64);
	kfree((void *)p);
	was = p[10];
	p[10] = 0;
	CHECK_EQ(selftest_catch(alloc_64, NULL), SELFTEST_PANIC);
	p[10] = was;
	preempt_enable();
	CHECK(strstr(selftest_panic_text(), "after it was freed") != NULL);
	/* The call that panicked had taken the object, unfinished: 64 bytes stay lost. */
}

#define SLOTS 128

/* 20,000 random operations; every block carries a pattern that is checked when it goes. */
void
test_kmalloc_random(void)
{
	static uint8_t *blocks[SLOTS];
	static size_t sizes[SLOTS];
	uint32_t x = 20261121;

	for (unsigned n = 0; n < 20000; n++) {
		unsigned i;

		x = x * 1664525 + 1013904223;
		i = (x >> 8) % SLOTS;
		if (blocks[i] != NULL) {
			check_filled(blocks[i], MIN(sizes[i], 64), i);
			kfree(blocks[i]);
			blocks[i] = NULL;
			continue;
		}
		sizes[i] = (x >> 16) % ((x & 0x80) != 0 ? 64 : (x & 0x40) != 0 ? 3000 : 12000) + 1;
		blocks[i] = kmalloc(sizes[i]);
		CHECK(blocks[i] != NULL);
		fill(blocks[i], MIN(sizes[i], 64), i);
	}
	for (unsigned i = 0; i < SLOTS; i++) {
		kfree(blocks[i]);
		blocks[i] = NULL;
	}
}

static volatile unsigned irq_rounds;
static struct timer irq_timer;

static void
alloc_in_irq(void *arg)
{
	(void)arg;
	for (size_t size = 16; size <= KMALLOC_SLAB_MAX; size *= 2) {
		uint8_t *p = kmalloc(size);

		if (p != NULL)
			p[0] = p[size - 1] = 1;
		kfree(p);
	}
	if (++irq_rounds < 5)
		timer_arm(&irq_timer, clock_ns() + NS_PER_TICK);
}

/* The timer interrupt allocates while this thread does nothing else. */
void
test_kmalloc_interrupts(void)
{
	const uint64_t deadline = clock_ns() + 2 * NS_PER_SEC;

	irq_rounds = 0;
	timer_setup(&irq_timer, alloc_in_irq, NULL);
	timer_arm(&irq_timer, clock_ns());
	while (irq_rounds < 5 && clock_ns() < deadline) {
		void *p = kmalloc(irq_rounds * 100 + 16);

		CHECK(p != NULL);
		kfree(p);
	}
	CHECK_EQ(irq_rounds, 5);
}

static void
do_destroy(void *cache)
{
	slab_cache_destroy(cache);
}

static size_t
cache_count(void)
{
	struct slab_info info;
	size_t n = 0;

	while (slab_info(n, &info))
		n++;
	return n;
}

void
test_kmalloc_slab_cache(void)
{
	static void *objects[100];
	const size_t caches = cache_count();
	struct slab_cache *c = slab_cache_create("test", 100);
	struct slab_info info;

	CHECK(c != NULL);
	CHECK_EQ(cache_count(), caches + 1);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		objects[i] = slab_alloc(c);
		CHECK(objects[i] != NULL);
		memset(objects[i], (int)i, 100);
	}
	CHECK(slab_info(caches, &info));
	CHECK(strcmp(info.name, "test") == 0);
	CHECK_EQ(info.in_use, 100);
	CHECK(info.capacity >= 100 && info.pages >= 3);
	CHECK_EQ(selftest_catch(do_destroy, c), SELFTEST_PANIC); /* still in use */
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		CHECK_EQ(((uint8_t *)objects[i])[99], i);
		slab_free(c, objects[i]);
	}
	slab_cache_destroy(c);
	CHECK_EQ(cache_count(), caches);
	CHECK(slab_cache_create("too big", SLAB_OBJECT_MAX + 1) == NULL);
}

/* What the heap takes it gives back: the frames of a thousand objects. */
void
test_kmalloc_no_leak(void)
{
	static void *p[1000];
	struct pmm_stats before, after;

	for (unsigned round = 0; round < 2; round++) {
		pmm_stats(&before); /* of the second round: the caches are warm then */
		for (size_t i = 0; i < ARRAY_SIZE(p); i++)
			p[i] = kmalloc(i % 1500 + 1);
		for (size_t i = 0; i < ARRAY_SIZE(p); i++)
			kfree(p[i]);
		pmm_stats(&after);
	}
	CHECK(after.free + 4 >= before.free); /* other threads may have taken a little */
}
