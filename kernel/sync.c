/*
 * sync.c - mutex and semaphore over wait queues.
 *
 * A free mutex is taken and given back without any lock.  With threads waiting, the owner hands it
 * to the first of them: nobody passes the queue for long, and nobody starves.
 */
#include <kern/sync.h>
#include <kern/sched.h>

/* --- mutex ---------------------------------------------------------------------------------- */

void
mutex_init(struct mutex *m, const char *name)
{
	m->owner = NULL;
	m->name = name;
	wait_queue_init(&m->queue);
}

static inline bool
take(struct mutex *m, struct thread *t)
{
	struct thread *nobody = NULL;

	return __atomic_compare_exchange_n(&m->owner, &nobody, t, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static void
lock_slow(struct mutex *m, struct thread *t)
{
	if (m->owner == t)
		panic("mutex \"%s\" is locked twice by thread \"%s\"", m->name, t->name);
	for (;;) {
		bool mine;

		wait_begin(&m->queue);
		mine = take(m, t);
		if (!mine)
			(void)sched_sleep(WAIT_FOREVER, false); /* even a thread that shall die */
		wait_end(&m->queue);
		if (mine || m->owner == t)
			return;
	}
}

void NO_LOCK_ANALYSIS
mutex_lock(struct mutex *m)
{
	struct thread *t = thread_self();

	if (LOCK_ORDER)
		lock_order_none("mutex taken");
	if (unlikely(!take(m, t)))
		lock_slow(m, t);
}

bool NO_LOCK_ANALYSIS
mutex_trylock(struct mutex *m)
{
	return take(m, thread_self());
}

/* The mutex is free and somebody waits: give it to the first, unless another was quicker. */
static void
hand_over(struct mutex *m)
{
	const uint64_t flags = spin_lock(&m->queue.lock);

	if (!list_empty(&m->queue.waiters)) {
		struct thread *t = list_first(&m->queue.waiters, struct thread, wait_node);

		if (take(m, t)) {
			list_del(&t->wait_node);
			sched_wake(t);
		}
	}
	spin_unlock(&m->queue.lock, flags);
}

void NO_LOCK_ANALYSIS
mutex_unlock(struct mutex *m)
{
	if (unlikely(m->owner != thread_self()))
		panic("mutex \"%s\" is unlocked by thread \"%s\" but belongs to \"%s\"", m->name,
		      thread_self()->name, m->owner != NULL ? m->owner->name : "nobody");
	/* Sequentially consistent: a waiter queues itself first and looks at the owner then. */
	__atomic_store_n(&m->owner, NULL, __ATOMIC_SEQ_CST);
	if (unlikely(!list_empty(&m->queue.waiters)))
		hand_over(m);
}

bool
mutex_held(const struct mutex *m)
{
	return m->owner == thread_self();
}

/* --- semaphore ------------------------------------------------------------------------------ */

void
sem_init(struct semaphore *s, int count)
{
	s->count = count;
	wait_queue_init(&s->queue);
}

bool
sem_try_down(struct semaphore *s)
{
	const uint64_t flags = spin_lock(&s->queue.lock);
	const bool got = s->count > 0;

	if (got)
		s->count--;
	spin_unlock(&s->queue.lock, flags);
	return got;
}

static int
down_until(struct semaphore *s, uint64_t deadline_ns)
{
	while (!sem_try_down(s)) {
		int result = 0;

		wait_begin(&s->queue);
		if (s->count <= 0)
			result = wait_sleep(deadline_ns);
		wait_end(&s->queue);
		if (result != 0)
			return sem_try_down(s) ? 0 : result;
	}
	return 0;
}

int
sem_down(struct semaphore *s)
{
	return down_until(s, WAIT_FOREVER);
}

int
sem_down_timeout(struct semaphore *s, uint64_t timeout_ms)
{
	return down_until(s, wait_deadline(timeout_ms));
}

void
sem_up(struct semaphore *s)
{
	const uint64_t flags = spin_lock(&s->queue.lock);

	s->count++;
	spin_unlock(&s->queue.lock, flags);
	(void)wake_one(&s->queue);
}
