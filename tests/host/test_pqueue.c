/*
 * test_pqueue.c - the pairing heap against an unsorted array: random operations, and its shape.
 *
 * SOURCES: kernel/lib/pqueue.c kernel/lib/string.c
 *
 * SEED=n repeats a run.
 */
#include "host.h"
#include <lib/pqueue.h>
#include <lib/string.h>
#include <time.h>

#define NODES 2000

static struct pq_node nodes[NODES];
static unsigned long inserted[NODES]; /* number of its insertion, 0 = not queued */
static uint64_t state;

static uint64_t
rnd(void)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return state >> 33;
}

static void
seed(void)
{
	const char *given = getenv("SEED");

	state = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
	print_message("SEED=%llu\n", (unsigned long long)state);
}

/* Order and links of @n, its siblings to the right and all below; returns how many there are. */
static size_t
check(const struct pq_node *n, const struct pq_node *parent)
{
	const struct pq_node *prev = parent;
	size_t count = 0;

	for (; n != NULL; prev = n, n = n->next) {
		assert_ptr_equal(n->prev, parent == NULL ? n : prev);
		if (parent != NULL)
			assert_true(parent->key < n->key ||
				    (parent->key == n->key && parent->order < n->order));
		else
			assert_null(n->next);
		count += 1 + check(n->child, n);
	}
	return count;
}

/* What must come next: least key, and the earliest of those. */
static struct pq_node *
model_first(void)
{
	struct pq_node *best = NULL;

	for (size_t i = 0; i < NODES; i++) {
		if (inserted[i] == 0)
			continue;
		if (best == NULL || nodes[i].key < best->key ||
		    (nodes[i].key == best->key && inserted[i] < inserted[best - nodes]))
			best = &nodes[i];
	}
	return best;
}

static void
random_operations(void **unused)
{
	struct pqueue q = {NULL, 0};
	unsigned long clock = 0;
	size_t queued = 0;

	seed();
	memset(inserted, 0, sizeof(inserted));
	for (size_t i = 0; i < NODES; i++)
		pq_node_init(&nodes[i]);
	for (unsigned step = 0; step < 60000; step++) {
		const bool grow = step / 10000 % 2 == 0;
		struct pq_node *n =
			rnd() % 4 == 0 && queued > 0 ? pq_first(&q) : &nodes[rnd() % NODES];
		const size_t i = (size_t)(n - nodes);

		if (pq_queued(n) && (!grow || rnd() % 3 == 0)) {
			pq_remove(&q, n);
			inserted[i] = 0;
			queued--;
		} else if (!pq_queued(n) && (grow || rnd() % 3 == 0)) {
			pq_insert(&q, n, rnd() % 500); /* many are equal */
			inserted[i] = ++clock;
			queued++;
		}
		if (step % 16 == 0) {
			assert_int_equal(check(pq_first(&q), NULL), queued);
			assert_ptr_equal(pq_first(&q), model_first());
		}
	}
}

/* Out they come in order, equal ones as they went in. */
static void
sorts(void **unused)
{
	struct pqueue q = {NULL, 0};
	const struct pq_node *last = NULL;

	seed();
	for (size_t i = 0; i < NODES; i++)
		pq_insert(&q, &nodes[i], rnd() % 100);
	for (size_t i = 0; i < NODES; i++) {
		struct pq_node *n = pq_first(&q);

		assert_non_null(n);
		if (last != NULL)
			assert_true(last->key < n->key || (last->key == n->key && last < n));
		last = n;
		pq_remove(&q, n);
		assert_false(pq_queued(n));
	}
	assert_null(pq_first(&q));
}

/* How many children the root has: what the next removal has to go through. */
static unsigned long
children(const struct pqueue *q)
{
	unsigned long n = 0;

	for (const struct pq_node *c = pq_first(q)->child; c != NULL; c = c->next)
		n++;
	return n;
}

/*
 * The first removal after many insertions goes through all of them, but all together go through
 * O(log n) each, whatever the order of insertion.
 */
static void
sorting_is_paid_once(void **unused)
{
	for (unsigned order = 0; order < 3; order++) {
		struct pqueue q = {NULL, 0};
		unsigned long steps = 0;

		seed();
		for (size_t i = 0; i < NODES; i++)
			pq_insert(&q, &nodes[i], order == 0 ? i : order == 1 ? NODES - i : rnd());
		for (size_t i = 0; i < NODES; i++) {
			steps += children(&q);
			pq_remove(&q, pq_first(&q));
		}
		assert_null(pq_first(&q));
		assert_in_range(steps, 1, NODES * 2 * 11); /* log2(2000) < 11 */
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations),
		cmocka_unit_test(sorts),
		cmocka_unit_test(sorting_is_paid_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
