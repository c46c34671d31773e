/*
 * sync.c - semaphore and completion: a count, and threads that wait for it to be above 0.
 *
 * Both hand over: whoever raises the count with somebody waiting gives the unit to the one that waits
 * longest and leaves the count alone.  So nobody who comes later takes it away, and a waiter that
 * gives up can tell by its place in the queue whether it was served meanwhile.  All of it happens under
 * the queue's lock, which the served waiter of a completion takes once more: after that nobody else
 * has business with the object, and it may go.
 */
#include <kern/sync.h>
#include <kern/sched.h>

static bool
take_locked(volatile unsigned *count)
{
	if (*count == 0)
		return false;
	if (*count != COMPLETE_ALL)
		(*count)--;
	return true;
}

static void
give(struct wait_queue *q, volatile unsigned *count)
{
	const uint64_t flags = spin_lock(&q->lock);

	if (wake_locked(q, 1) == 0 && *count != COMPLETE_ALL)
		(*count)++;
	spin_unlock(&q->lock, flags);
}

/* 0 with one unit of *@count taken, -ETIMEDOUT or, when @killable, -EINTR. */
static int
take_until(struct wait_queue *q, volatile unsigned *count, uint64_t deadline_ns, bool killable)
{
	struct thread *t = thread_self();
	uint64_t flags = spin_lock(&q->lock);
	const bool got = take_locked(count);
	int result;

	if (!got)
		wait_enqueue(&q->waiters, t);
	spin_unlock(&q->lock, flags);
	if (got)
		return 0;
	result = sched_sleep(deadline_ns, killable);
	flags = spin_lock(&q->lock);
	if (!list_linked(&t->wait_node))
		result = 0; /* served, if only just in time */
	list_del(&t->wait_node);
	spin_unlock(&q->lock, flags);
	return result;
}

/* --- semaphore ------------------------------------------------------------------------------ */

void
sem_init(struct semaphore *s, unsigned count)
{
	s->count = count;
	wait_queue_init(&s->queue);
}

bool
sem_try_down(struct semaphore *s)
{
	const uint64_t flags = spin_lock(&s->queue.lock);
	const bool got = take_locked(&s->count);

	spin_unlock(&s->queue.lock, flags);
	return got;
}

int
sem_down(struct semaphore *s)
{
	might_sleep("sem_down");
	return take_until(&s->queue, &s->count, WAIT_FOREVER, true);
}

int
sem_down_timeout(struct semaphore *s, uint64_t timeout_ms)
{
	might_sleep("sem_down_timeout");
	return take_until(&s->queue, &s->count, wait_deadline(timeout_ms), true);
}

void
sem_up(struct semaphore *s)
{
	give(&s->queue, &s->count);
}

/* --- completion ----------------------------------------------------------------------------- */

void
completion_init(struct completion *c)
{
	c->done = 0;
	wait_queue_init(&c->queue);
}

void
complete(struct completion *c)
{
	give(&c->queue, &c->done);
}

void
complete_all(struct completion *c)
{
	const uint64_t flags = spin_lock(&c->queue.lock);

	c->done = COMPLETE_ALL;
	(void)wake_locked(&c->queue, UINT32_MAX);
	spin_unlock(&c->queue.lock, flags);
}

void
completion_wait(struct completion *c)
{
	might_sleep("completion_wait");
	(void)take_until(&c->queue, &c->done, WAIT_FOREVER, false);
}

int
completion_wait_timeout(struct completion *c, uint64_t timeout_ms)
{
	might_sleep("completion_wait_timeout");
	return take_until(&c->queue, &c->done, wait_deadline(timeout_ms), false);
}

int
completion_wait_killable(struct completion *c)
{
	might_sleep("completion_wait_killable");
	return take_until(&c->queue, &c->done, WAIT_FOREVER, true);
}
