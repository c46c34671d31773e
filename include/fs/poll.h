/*
 * poll.h - waiting on several files at once.
 *
 * A poll table is what a thread that waits leaves on each wait queue that a file's poll() names; whoever wakes
 * such a queue sets the table off.  Implementation: fs/poll.c; the queues' side: kernel/wait.c.
 */
#pragma once
#include <kern/wait.h>

#define POLL_INLINE 8 /* entries without more memory */

struct poll_table {
	struct poll_waker waker;
	unsigned n, size;
	struct poll_entry *entries, few[POLL_INLINE];
	bool no_memory;
};

void poll_begin(struct poll_table *pt);
/* Take all entries off their queues. */
void poll_end(struct poll_table *pt);
/* Sleep until set off, or @deadline_ns.  0, -ETIMEDOUT, -EINTR. */
int poll_sleep(struct poll_table *pt, uint64_t deadline_ns);
