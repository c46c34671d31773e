/*
 * pqueue.c - pairing heap; include/lib/pqueue.h has the theory.
 */
#include <lib/pqueue.h>

static inline bool
before(const struct pq_node *a, const struct pq_node *b)
{
	return a->key != b->key ? a->key < b->key : a->order < b->order;
}

/* Two heaps become one.  Returns its root, whose siblings and place are the caller's to set. */
static inline struct pq_node *
meld(struct pq_node *a, struct pq_node *b)
{
	if (before(b, a)) {
		pq_adopt(b, a);
		return b;
	}
	pq_adopt(a, b);
	return a;
}

/*
 * The siblings from @n on become one heap: first in pairs from left to right, kept in a stack by their
 * `next`, then all into one from right to left.  (In one pass, heaps could grow as long as lists.)  NULL for none.
 */
static struct pq_node *
meld_siblings(struct pq_node *n)
{
	struct pq_node *pairs = NULL, *all;

	if (n == NULL)
		return NULL;
	while (n != NULL) {
		struct pq_node *second = n->next, *rest = second != NULL ? second->next : NULL;
		struct pq_node *pair = second != NULL ? meld(n, second) : n;

		pair->next = pairs;
		pairs = pair;
		n = rest;
	}
	all = pairs; /* at least one */
	for (n = all->next; n != NULL;) {
		struct pq_node *rest = n->next;

		all = meld(all, n);
		n = rest;
	}
	all->next = NULL;
	all->prev = all;
	return all;
}

void
pq_remove_inner(struct pqueue *q, struct pq_node *n)
{
	struct pq_node *below = meld_siblings(n->child);

	if (n == q->root) {
		q->root = below;
		n->prev = NULL;
		return;
	}
	pq_unlink(n);
	if (below != NULL)
		pq_adopt(q->root, below); /* all of it was below the root before */
}
