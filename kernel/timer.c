/*
 * timer.c - one-shot timers: a list sorted by deadline, looked at by each tick.
 *
 * New timers are mostly the latest, so they are put in from the end.
 */
#include <kern/timer.h>
#include <kern/spinlock.h>

static struct spinlock lock = SPINLOCK_INIT("timer");
static struct list timers = LIST_INIT(timers); /* [lock] earliest first */
static volatile uint64_t next_ns =
	UINT64_MAX; /* [lock] deadline of the first; may be one that was cancelled */

void
timer_setup(struct timer *t, void (*fn)(void *), void *arg)
{
	list_init(&t->node);
	t->deadline_ns = 0;
	t->fn = fn;
	t->arg = arg;
}

void
timer_arm(struct timer *t, uint64_t deadline_ns)
{
	const uint64_t flags = spin_lock(&lock);
	struct list *at;

	list_del(&t->node);
	t->deadline_ns = deadline_ns;
	for (at = timers.prev; at != &timers; at = at->prev) {
		if (list_entry(at, struct timer, node)->deadline_ns <= deadline_ns)
			break;
	}
	list_insert_after(at, &t->node);
	next_ns = MIN(next_ns, deadline_ns);
	spin_unlock(&lock, flags);
}

bool
timer_cancel(struct timer *t)
{
	const uint64_t flags = spin_lock(&lock);
	const bool armed = list_linked(&t->node);

	list_del(&t->node);
	spin_unlock(&lock, flags);
	return armed;
}

/* The earliest timer if it is due, taken off the list. */
static struct timer *
take_due(uint64_t now_ns)
{
	const uint64_t flags = spin_lock(&lock);
	struct timer *t = NULL;

	next_ns = UINT64_MAX;
	if (!list_empty(&timers)) {
		t = list_first(&timers, struct timer, node);
		if (t->deadline_ns <= now_ns) {
			list_del(&t->node);
		} else {
			next_ns = t->deadline_ns;
			t = NULL;
		}
	}
	spin_unlock(&lock, flags);
	return t;
}

void
timer_run(uint64_t now_ns)
{
	struct timer *t;

	if (likely(now_ns < next_ns))
		return;
	while ((t = take_due(now_ns)) != NULL)
		t->fn(t->arg); /* unlocked: it may arm timers, itself too */
}
