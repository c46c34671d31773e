/*
 * test_list.c - include/lib/list.h.
 */
#include "host.h"
#include <lib/list.h>

struct item {
	int value;
	struct list node;
};

static struct list head = LIST_INIT(head);
static struct item items[5];

static int
setup(void **state)
{
	(void)state;
	list_init(&head);
	for (int i = 0; i < 5; i++) {
		items[i].value = i;
		list_init(&items[i].node);
	}
	return 0;
}

/* The values in order, as a decimal number; forwards and backwards agree. */
static int
as_number(void)
{
	struct item *it;
	int forward = 0, backward = 0, scale = 1;

	list_for_each_entry (it, &head, node)
		forward = forward * 10 + it->value;
	for (struct list *l = head.prev; l != &head; l = l->prev, scale *= 10)
		backward += list_entry(l, struct item, node)->value * scale;
	assert_int_equal(forward, backward);
	return forward;
}

static void
test_empty(void **state)
{
	struct item *it;

	(void)state;
	assert_true(list_empty(&head));
	assert_false(list_linked(&items[0].node));
	list_for_each_entry (it, &head, node)
		fail();
	list_del(&items[0].node); /* harmless */
	assert_true(list_empty(&head));
}

static void
test_order(void **state)
{
	(void)state;
	list_add_tail(&head, &items[1].node);
	list_add_tail(&head, &items[2].node);
	list_add_head(&head, &items[3].node);
	list_insert_after(&items[1].node, &items[4].node);
	assert_int_equal(as_number(), 3142);
	assert_ptr_equal(list_first(&head, struct item, node), &items[3]);
	assert_true(list_linked(&items[4].node));
}

static void
test_delete(void **state)
{
	(void)state;
	for (int i = 1; i < 5; i++)
		list_add_tail(&head, &items[i].node);
	list_del(&items[2].node);
	assert_int_equal(as_number(), 134);
	assert_false(list_linked(&items[2].node));
	list_del(&items[2].node); /* twice is harmless */
	assert_int_equal(as_number(), 134);
	list_del(&items[1].node);
	list_del(&items[4].node);
	assert_int_equal(as_number(), 3);
	list_del(&items[3].node);
	assert_true(list_empty(&head));
}

static void
test_safe_walk(void **state)
{
	struct item *it, *next;
	int seen = 0;

	(void)state;
	for (int i = 1; i < 5; i++)
		list_add_tail(&head, &items[i].node);
	list_for_each_entry_safe (it, next, &head, node) {
		seen = seen * 10 + it->value;
		if (it->value % 2 == 0) {
			list_del(&it->node);
			it->node.next = it->node.prev = NULL; /* as if it were freed */
		}
	}
	assert_int_equal(seen, 1234);
	assert_int_equal(as_number(), 13);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_empty, setup),
		cmocka_unit_test_setup(test_order, setup),
		cmocka_unit_test_setup(test_delete, setup),
		cmocka_unit_test_setup(test_safe_walk, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
