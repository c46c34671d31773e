/*
 * test_slab.c - the heap as it is shipped; the tests are in slab_tests.h.
 *
 * SOURCES: mm/slab.c mm/slab_debug.c mm/kmalloc.c mm/large.c mm/leaks.c mm/shrink.c
 * SOURCES: kernel/lib/string.c kernel/lib/printf.c kernel/lib/bitmap.c
 */
#include "slab_tests.h"

int
main(void)
{
	const struct CMUnitTest tests[] = {SLAB_TESTS};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
