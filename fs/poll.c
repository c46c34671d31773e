/*
 * poll.c - poll tables.  See include/fs/poll.h.
 */
#include <fs/poll.h>
#include <fs/vfs.h>
#include <kern/sched.h>
#include <lib/string.h>
#include <mm/kmalloc.h>

void
poll_begin(struct poll_table *pt)
{
	pt->waker = (struct poll_waker){.thread = thread_self()};
	pt->n = 0;
	pt->size = POLL_INLINE;
	pt->entries = pt->few;
	pt->no_memory = false;
}

void
poll_end(struct poll_table *pt)
{
	for (unsigned i = 0; i < pt->n; i++)
		poll_entry_remove(&pt->entries[i]);
	if (pt->entries != pt->few)
		kfree(pt->entries);
	pt->entries = pt->few;
	pt->n = 0;
}

/* Entries are linked: those that are on queues already stay where they are, and a block is added. */
static bool
grow(struct poll_table *pt)
{
	const unsigned size = pt->size * 8;
	struct poll_entry *more = kmalloc(size * sizeof(*more));

	if (more == NULL) {
		pt->no_memory = true;
		return false;
	}
	for (unsigned i = 0; i < pt->n; i++) {
		poll_entry_remove(&pt->entries[i]);
		poll_entry_add(&more[i], pt->entries[i].queue, &pt->waker);
	}
	if (pt->entries != pt->few)
		kfree(pt->entries);
	pt->entries = more;
	pt->size = size;
	return true;
}

void
poll_wait(struct poll_table *pt, struct wait_queue *q)
{
	if (pt == NULL || pt->no_memory)
		return;
	if (pt->n < pt->size || grow(pt))
		poll_entry_add(&pt->entries[pt->n++], q, &pt->waker);
}

int
poll_sleep(struct poll_table *pt, uint64_t deadline_ns)
{
	struct thread *t = thread_self();

	for (;;) {
		int result;

		t->woken = false;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (pt->waker.set_off)
			return 0;
		result = sched_sleep(deadline_ns, true);
		if (result != 0)
			return result;
	}
}
