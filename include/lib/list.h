/*
 * list.h - intrusive doubly linked ring.  A head and a node are the same struct.
 *
 * Pure; the caller holds whatever lock guards the list.  An unlinked node points to itself, so
 * that list_del() of it is harmless and list_linked() can tell.
 */
#pragma once
#include <lib/base.h>

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name)          \
	{                        \
		&(name), &(name) \
	}

static inline void
list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool
list_empty(const struct list *head)
{
	return head->next == head;
}

static inline bool
list_linked(const struct list *node)
{
	return node->next != node;
}

static inline void
list_insert_after(struct list *where, struct list *node)
{
	node->next = where->next;
	node->prev = where;
	where->next->prev = node;
	where->next = node;
}

static inline void
list_add_head(struct list *head, struct list *node)
{
	list_insert_after(head, node);
}

static inline void
list_add_tail(struct list *head, struct list *node)
{
	list_insert_after(head->prev, node);
}

static inline void
list_del(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#define list_entry(node, type, member) container_of(node, type, member)
#define list_first(head, type, member) list_entry((head)->next, type, member)
#define list_for_each_entry(pos, head, member)                                         \
	for (pos = list_first(head, __typeof__(*pos), member); &pos->member != (head); \
	     pos = list_entry(pos->member.next, __typeof__(*pos), member))
/* As above, and the body may unlink and free @pos. */
#define list_for_each_entry_reverse(pos, head, member)                     \
	for ((pos) = list_entry((head)->prev, __typeof__(*(pos)), member); \
	     &(pos)->member != (head);                                     \
	     (pos) = list_entry((pos)->member.prev, __typeof__(*(pos)), member))

#define list_for_each_entry_safe(pos, tmp, head, member)                  \
	for (pos = list_first(head, __typeof__(*pos), member),            \
	    tmp = list_entry(pos->member.next, __typeof__(*pos), member); \
	     &pos->member != (head);                                      \
	     pos = tmp, tmp = list_entry(tmp->member.next, __typeof__(*tmp), member))
