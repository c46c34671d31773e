/*
 * work.c - the worker thread: does, one after the other, what interrupt handlers leave behind.
 */
#include <kern/work.h>
#include <kern/spinlock.h>
#include <kern/thread.h>
#include <kern/wait.h>

static struct spinlock lock = SPINLOCK_INIT("work");
static struct list queue = LIST_INIT(queue);		       /* [lock] */
static uint64_t queued, done;				       /* [lock] items since boot */
static struct wait_queue wanted = WAIT_QUEUE_INIT(wanted);     /* the worker, for items */
static struct wait_queue finished = WAIT_QUEUE_INIT(finished); /* work_flush() */

static struct work *
next_work(void)
{
	const uint64_t flags = spin_lock(&lock);
	struct work *w = NULL;

	if (!list_empty(&queue)) {
		w = list_first(&queue, struct work, node);
		list_del(&w->node);
	}
	spin_unlock(&lock, flags);
	return w;
}

static void
worker(void *arg)
{
	(void)arg;
	for (;;) {
		struct work *w;
		uint64_t flags;

		(void)wait_event(&wanted, !list_empty(&queue));
		w = next_work();
		if (w == NULL)
			continue;
		w->fn(w); /* may free @w, or queue it again */
		flags = spin_lock(&lock);
		done++;
		spin_unlock(&lock, flags);
		(void)wake_all(&finished);
	}
}

int
work_init(void)
{
	struct thread *t = thread_create("worker", worker, NULL);

	if (t == NULL)
		return -ENOMEM;
	thread_set_essential(t);
	thread_detach(t);
	return 0;
}

bool
work_queue(struct work *w)
{
	const uint64_t flags = spin_lock(&lock);
	const bool fresh = !list_linked(&w->node);

	if (fresh) {
		list_add_tail(&queue, &w->node);
		queued++;
	}
	spin_unlock(&lock, flags);
	if (fresh)
		(void)wake_one(&wanted);
	return fresh;
}

void
work_flush(void)
{
	const uint64_t flags = spin_lock(&lock);
	const uint64_t target = queued;

	spin_unlock(&lock, flags);
	(void)wait_event(&finished, done >= target);
}
