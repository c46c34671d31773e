/*
 * pqueue.h - a priority queue inside the things queued: a pairing heap.
 *
 * The node with the least key is at the root; among equal keys the one that was put in first.  Every
 * node is before its children, which are a list.  Insertion only compares with the root: the loser becomes
 * its first child.  So is removal of a node without children a matter of a few instructions, wherever it
 * is: what is put in and taken out again before its turn, as most timeouts are, is never sorted at all.
 * Sorting is done when the root goes: its children are paired off, and the winners melded into one.  Any
 * sequence of operations costs O(log n) for each removal on the average; the one that comes after k
 * insertions may cost O(k).
 * Theory: M. L. Fredman, R. Sedgewick, D. D. Sleator, R. E. Tarjan, "The Pairing Heap: A New Form of
 * Self-Adjusting Heap", Algorithmica 1 (1986).
 *
 * Implementation: kernel/lib/pqueue.c, and here what is short.  Pure; the caller holds whatever lock guards
 * the queue.
 */
#pragma once
#include <lib/base.h>

struct pq_node {
	struct pq_node *child; /* the first */
	struct pq_node *next;  /* sibling */
	struct pq_node *
		prev; /* sibling, or the parent of a first child; the root's is itself; NULL: in no queue */
	uint64_t key;
	uint64_t order; /* of insertion: decides between equal keys */
};

struct pqueue {
	struct pq_node *root; /* least key, or NULL */
	uint64_t order;	      /* insertions so far */
};

static inline void
pq_node_init(struct pq_node *n)
{
	n->prev = NULL;
}

static inline bool
pq_queued(const struct pq_node *n)
{
	return n->prev != NULL;
}

static inline struct pq_node *
pq_first(const struct pqueue *q)
{
	return q->root;
}

/* @n, whose key is not before that of @parent, becomes its first child. */
static inline void
pq_adopt(struct pq_node *parent, struct pq_node *n)
{
	struct pq_node *next = parent->child;

	n->next = next;
	if (next != NULL)
		next->prev = n;
	n->prev = parent;
	parent->child = n;
}

/* O(1).  @n must not be in a queue. */
static inline void
pq_insert(struct pqueue *q, struct pq_node *n, uint64_t key)
{
	struct pq_node *root = q->root;

	n->child = NULL;
	n->key = key;
	n->order = ++q->order;
	if (likely(root != NULL && root->key <= key)) { /* equal ones were here first */
		pq_adopt(root, n);
		return;
	}
	n->next = NULL;
	n->prev = n;
	q->root = n;
	if (root != NULL)
		pq_adopt(n, root);
}

/* Remove @n, which is the root or has children. */
void pq_remove_inner(struct pqueue *q, struct pq_node *n);

/* Take @n off its list of siblings.  Not for the root. */
static inline void
pq_unlink(struct pq_node *n)
{
	struct pq_node *prev = n->prev, *next = n->next;

	if (prev->child == n)
		prev->child = next;
	else
		prev->next = next;
	if (next != NULL)
		next->prev = prev;
	n->prev = NULL;
}

/* O(1) without children, else O(log n) on the average.  @n must be in @q. */
static inline void
pq_remove(struct pqueue *q, struct pq_node *n)
{
	if (likely(n->child == NULL && n != q->root))
		pq_unlink(n);
	else
		pq_remove_inner(q, n);
}
