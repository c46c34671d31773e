/*
 * timer.c - callbacks at a time, once or again and again: a heap by deadline (include/lib/pqueue.h).
 *
 * The device that interrupts is set by kernel/clock_event.c to the first deadline here.  A timer that becomes
 * the first tells it so; one that is cancelled does not: an interrupt with nothing to do is cheaper
 * than setting the device twice.
 */
#include <kern/timer.h>
#include <kern/clock_event.h>
#include <kern/spinlock.h>

static struct spinlock lock = SPINLOCK_INIT("timer");
static struct pqueue timers; /* [lock] */

void
timer_setup(struct timer *t, void (*fn)(void *), void *arg)
{
	pq_node_init(&t->node);
	t->period_ns = 0;
	t->fn = fn;
	t->arg = arg;
}

static void rearm(struct timer *t, uint64_t deadline_ns, uint64_t period_ns);

/* Calls stand last on their ways, so that no register has to be saved for them; in both callers, so is this. */
static inline __attribute__((always_inline)) void
arm(struct timer *t, uint64_t deadline_ns, uint64_t period_ns)
{
	const uint64_t flags = spin_lock(&lock);

	if (unlikely(pq_queued(&t->node))) {
		spin_unlock(&lock, flags);
		rearm(t, deadline_ns, period_ns);
		return;
	}
	t->period_ns = period_ns;
	pq_insert(&timers, &t->node, deadline_ns);
	spin_unlock(&lock, flags);
	if (unlikely(deadline_ns < clock_event_next_ns))
		clock_event_need(deadline_ns);
}

static void
rearm(struct timer *t, uint64_t deadline_ns, uint64_t period_ns)
{
	(void)timer_cancel(t);
	if (period_ns == 0)
		timer_arm(t, deadline_ns);
	else
		timer_arm_periodic(t, deadline_ns, period_ns);
}

void
timer_arm(struct timer *t, uint64_t deadline_ns)
{
	arm(t, deadline_ns, 0);
}

void
timer_arm_periodic(struct timer *t, uint64_t first_ns, uint64_t period_ns)
{
	assert(period_ns != 0);
	arm(t, first_ns, period_ns);
}

bool
timer_cancel(struct timer *t)
{
	const uint64_t flags = spin_lock(&lock);

	if (unlikely(!pq_queued(&t->node))) {
		spin_unlock(&lock, flags);
		return false;
	}
	pq_remove(&timers, &t->node);
	spin_unlock(&lock, flags);
	return true;
}

/* A periodic timer's next turn: turns that were missed are left out, the rhythm is kept. */
static void
again_locked(struct timer *t, uint64_t now_ns)
{
	const uint64_t late = now_ns - t->node.key;

	pq_insert(&timers, &t->node, t->node.key + t->period_ns * (late / t->period_ns + 1));
}

/* The earliest timer if it is due, taken off the heap. */
static struct timer *
take_due(uint64_t now_ns)
{
	const uint64_t flags = spin_lock(&lock);
	struct pq_node *first = pq_first(&timers);
	struct timer *t = NULL;

	if (first != NULL && first->key <= now_ns) {
		t = container_of(first, struct timer, node);
		pq_remove(&timers, first);
		if (t->period_ns != 0)
			again_locked(t, now_ns);
	}
	spin_unlock(&lock, flags);
	return t;
}

bool
timer_run(uint64_t now_ns, unsigned max)
{
	struct timer *t;

	if (likely(now_ns < timer_next()))
		return false;
	for (; max > 0 && (t = take_due(now_ns)) != NULL; max--)
		t->fn(t->arg); /* unlocked: it may arm timers, itself too */
	return true;
}

/* With interrupts off nobody else touches the heap, and one word is looked at: no lock. */
uint64_t
timer_next(void)
{
	const struct pq_node *first = pq_first(&timers);

	return first != NULL ? first->key : UINT64_MAX;
}
