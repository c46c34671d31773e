/*
 * wait.c - wait queues.
 *
 * No wake is lost: a thread is on the queue, with t->woken cleared, before it looks at its
 * condition for the last time, and a wake sets t->woken under the scheduler's lock, where the
 * sleep looks at it once more.  Each waiter is taken off the queue by the one wake that is meant
 * for it.  Lock order: queue, then scheduler.
 */
#include <kern/wait.h>
#include <kern/clock.h>
#include <kern/irq.h>
#include <kern/sched.h>

void
wait_queue_init(struct wait_queue *q)
{
	q->lock = (struct spinlock)SPINLOCK_INIT("wait queue");
	list_init(&q->waiters);
	list_init(&q->pollers);
}

unsigned
wake_locked(struct wait_queue *q, unsigned max)
{
	struct poll_entry *e;
	unsigned n = 0;

	list_for_each_entry (e, &q->pollers, node) {
		e->waker->set_off = true;
		sched_wake(e->waker->thread);
	}
	while (n < max && !list_empty(&q->waiters)) {
		struct thread *t = list_first(&q->waiters, struct thread, wait_node);

		list_del(&t->wait_node);
		sched_wake(t);
		n++;
	}
	return n;
}

unsigned
wake_up_to(struct wait_queue *q, unsigned max)
{
	const uint64_t flags = spin_lock(&q->lock);
	const unsigned n = wake_locked(q, max);

	spin_unlock(&q->lock, flags);
	return n;
}

void
poll_entry_add(struct poll_entry *e, struct wait_queue *q, struct poll_waker *w)
{
	const uint64_t flags = spin_lock(&q->lock);

	e->queue = q;
	e->waker = w;
	list_add_tail(&q->pollers, &e->node);
	spin_unlock(&q->lock, flags);
}

void
poll_entry_remove(struct poll_entry *e)
{
	const uint64_t flags = spin_lock(&e->queue->lock);

	list_del(&e->node);
	spin_unlock(&e->queue->lock, flags);
}

void
wait_enqueue(struct list *waiters, struct thread *t)
{
	assert(!in_irq() && !list_linked(&t->wait_node)); /* on one queue at a time */
	t->woken = false;
	list_add_tail(waiters, &t->wait_node);
}

void
wait_begin(struct wait_queue *q)
{
	const uint64_t flags = spin_lock(&q->lock);

	wait_enqueue(&q->waiters, thread_self());
	spin_unlock(&q->lock, flags);
}

int
wait_sleep(uint64_t deadline_ns)
{
	return sched_sleep(deadline_ns, true);
}

void
wait_sleep_deaf(void)
{
	(void)sched_sleep(WAIT_FOREVER, false);
}

void
wait_end(struct wait_queue *q)
{
	struct thread *t = thread_self();
	uint64_t flags;

	if (!list_linked(&t->wait_node))
		return; /* whoever woke it took it off, and nobody else puts it on */
	flags = spin_lock(&q->lock);
	list_del(&t->wait_node);
	spin_unlock(&q->lock, flags);
}

uint64_t
wait_deadline(uint64_t timeout_ms)
{
	if (timeout_ms >= WAIT_FOREVER / NS_PER_MS / 2)
		return WAIT_FOREVER;
	return clock_ns() + timeout_ms * NS_PER_MS;
}
