/*
 * rwlock.h - a lock for what is read often and written seldom: many readers at a time, or one writer.
 *
 * Implementation: kernel/rwlock.c.  It sleeps.  Neither side starves: a writer that waits keeps later
 * readers out, and those go in together when it is done.  So a thread must not take it for reading
 * twice: a writer that came between would wait for the first, and the second for the writer.
 * A reader's critical section must be worth it; for a few instructions a mutex is cheaper.
 * Context: thread.
 */
#pragma once
#include <kern/base.h>
#include <kern/spinlock.h>
#include <lib/list.h>

struct thread;

struct CAPABILITY("rwlock") rwlock {
	volatile uint32_t state; /* [a] readers inside, | RW_WRITER, | RW_WAITERS; 0 = free */
	struct thread *volatile writer; /* [a] who writes, else NULL; for messages */
	struct spinlock lock;		/* of the two queues; a wait queue's rank */
	struct list readers,
		writers;  /* [lock] struct thread.wait_node, the longest waiting first */
	const char *name; /* [I] its rank's row in kernel/lock_order.c */
};

#define RW_WRITER  (1u << 31)
#define RW_WAITERS (1u << 30)

#define RWLOCK_INIT(var, n)                                                               \
	{                                                                                 \
		.state = 0, .lock = SPINLOCK_INIT("wait queue"),                          \
		.readers = LIST_INIT((var).readers), .writers = LIST_INIT((var).writers), \
		.name = (n)                                                               \
	}

void rw_init(struct rwlock *l, const char *name);
/* Panics when the calling thread writes already; debug builds also when it reads already. */
void rw_read_lock(struct rwlock *l) ACQUIRE_SHARED(*l);
void rw_read_unlock(struct rwlock *l) RELEASE_SHARED(*l);
/* Panics when the calling thread writes already; debug builds also when it reads. */
void rw_write_lock(struct rwlock *l) ACQUIRE(*l);
/* Panics when the calling thread does not write. */
void rw_write_unlock(struct rwlock *l) RELEASE(*l);
