/*
 * test_slab_debug.c - the heap of debug builds: the tests of slab_tests.h, poison and redzones.
 *
 * SOURCES: mm/slab.c mm/slab_debug.c mm/kmalloc.c mm/large.c mm/leaks.c mm/shrink.c
 * SOURCES: kernel/lib/string.c kernel/lib/printf.c kernel/lib/bitmap.c
 * SOURCES: kernel/lock_order.c
 * CFLAGS: -DDEBUG
 */
#include "slab_tests.h"

static void
overflow_by_one(size_t size)
{
	volatile uint8_t *p = kmalloc(size);
	const uint8_t was = p[size];

	p[size] = (uint8_t)~was;
	EXPECT_PANIC(kfree((void *)p), "overflow");
	p[size] = was;
	kfree((void *)p);
}

static void
test_overflow(void **state)
{
	(void)state;
	for (size_t size = 1; size <= 2000; size += 13)
		overflow_by_one(size);
}

static void
test_overflow_large(void **state)
{
	uint8_t *p = kmalloc(5000);

	(void)state;
	p[5000] = 1;
	EXPECT_PANIC(kfree(p), "5000 bytes: byte 5000 was written");
}

static void
test_overflow_after_realloc(void **state)
{
	uint8_t *p = kmalloc(60);

	(void)state;
	p = krealloc(p, 50); /* stays where it is; the end moves */
	assert_non_null(p);
	p[50] = 0;
	EXPECT_PANIC(kfree(p), "byte 50 was written");
	p[50] = 0xbb;
	kfree(p);
}

static void
test_use_after_free(void **state)
{
	volatile uint8_t *p = kmalloc(40);

	(void)state;
	kfree((void *)p);
	assert_int_equal(p[20], 0x6b); /* poisoned */
	p[20] = 0;
	EXPECT_PANIC(kfree(kmalloc(40)), "written to after it was freed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SLAB_TESTS,
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_overflow_large),
		cmocka_unit_test(test_overflow_after_realloc),
		cmocka_unit_test(test_use_after_free), /* last: it leaves a damaged object behind */
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
