/*
 * wait.h - wait queues: threads that sleep until somebody says the condition may have changed.
 *
 * Implementation: kernel/wait.c.  The condition is always looked at again after waking:
 *
 *	wait_event(&q, ring_used(&r) > 0);
 *	if (wait_event_timeout(&q, done, 500) == -ETIMEDOUT) ...
 *
 * The queue must outlive its last wake: for one on a stack, that goes when the waiter goes on, take
 * a completion (kern/sync.h).
 */
#pragma once
#include <kern/base.h>
#include <kern/spinlock.h>
#include <lib/list.h>

struct thread;

struct wait_queue {
	struct spinlock lock;
	struct list waiters; /* [lock] struct thread.wait_node, the longest waiting first */
	struct list pollers; /* [lock] struct poll_entry.node: told of each wake, too */
};

/* A thread that waits on several queues at once (fs/poll.h); whoever wakes one of them sets it off. */
struct poll_waker {
	struct thread *thread; /* [I] */
	volatile bool set_off; /* [a] */
};
struct poll_entry {
	struct list node; /* [queue->lock] */
	struct wait_queue *queue;
	struct poll_waker *waker;
};
void poll_entry_add(struct poll_entry *e, struct wait_queue *q, struct poll_waker *w);
void poll_entry_remove(struct poll_entry *e);

#define WAIT_QUEUE_INIT(name)                                                              \
	{                                                                                  \
		.lock = SPINLOCK_INIT("wait queue"), .waiters = LIST_INIT((name).waiters), \
		.pollers = LIST_INIT((name).pollers)                                       \
	}

#define WAIT_FOREVER UINT64_MAX

void wait_queue_init(struct wait_queue *q);

/* Wake the @max longest waiting.  Returns how many there were. */
unsigned wake_up_to(struct wait_queue *q, unsigned max) EXCLUDES(q->lock);
unsigned wake_locked(struct wait_queue *q, unsigned max) REQUIRES(q->lock);

/*
 * Does nobody wait?  A waiter queues itself and then looks at its condition; the waker changes that
 * first and looks at the queue then.  The barrier keeps the two in this order, so that at least one
 * of them sees what the other did.
 */
static inline bool
wait_queue_idle(const struct wait_queue *q)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return list_empty(&q->waiters) && list_empty(&q->pollers);
}

/* Wake the longest waiting thread, or all.  Context: any, interrupt handlers included.  Returns how many. */
static inline unsigned
wake_one(struct wait_queue *q)
{
	return wait_queue_idle(q) ? 0 : wake_up_to(q, 1);
}

static inline unsigned
wake_all(struct wait_queue *q)
{
	return wait_queue_idle(q) ? 0 : wake_up_to(q, UINT32_MAX);
}

/*
 * The parts of wait_event(): put the current thread on @q and mark it sleeping; then, if the
 * condition still does not hold, wait_sleep() until woken or until clock_ns() reaches
 * @deadline_ns; wait_end() takes it off again in any case.  wait_sleep() returns 0, -ETIMEDOUT,
 * or -EINTR when the thread was told to die (thread_kill).  Context: thread.
 */
void wait_begin(struct wait_queue *q) EXCLUDES(q->lock);
/* The queueing alone, of the calling thread @self; whoever locks @waiters has done so. */
void wait_enqueue(struct list *waiters, struct thread *self);
int wait_sleep(uint64_t deadline_ns);
void wait_sleep_deaf(void);
void wait_end(struct wait_queue *q) EXCLUDES(q->lock);
uint64_t wait_deadline(uint64_t timeout_ms);

#define wait_event_until(q, cond, deadline)                          \
	({                                                           \
		int wait_result_ = 0;                                \
		might_sleep("wait_event");                           \
		while (!(cond)) {                                    \
			wait_begin(q);                               \
			if (!(cond))                                 \
				wait_result_ = wait_sleep(deadline); \
			wait_end(q);                                 \
			if (wait_result_ != 0) {                     \
				if (cond)                            \
					wait_result_ = 0;            \
				break;                               \
			}                                            \
		}                                                    \
		wait_result_;                                        \
	})

/* Sleep until @cond holds.  0, or -EINTR when the thread is being killed. */
#define wait_event(q, cond) wait_event_until(q, cond, WAIT_FOREVER)
/* Whatever comes: neither a signal nor a kill ends it. */
#define wait_event_deaf(q, cond)                   \
	do {                                       \
		while (!(cond)) {                  \
			wait_begin(q);             \
			if (!(cond))               \
				wait_sleep_deaf(); \
			wait_end(q);               \
		}                                  \
	} while (0)
/* The same for at most @ms milliseconds: -ETIMEDOUT when they passed. */
#define wait_event_timeout(q, cond, ms)                            \
	({                                                         \
		const uint64_t wait_deadline_ = wait_deadline(ms); \
		wait_event_until(q, cond, wait_deadline_);         \
	})
