/*
 * lock_sleep.c - debug builds: the order of the locks that sleep, and who may sleep at all.
 *
 * Each thread has a list of the mutexes and rwlocks that it holds.  Their ranks stand in the same table
 * as those of spinlocks (kernel/lock_order.c), all before them: a lock that sleeps is never taken
 * while a spinlock is held, which lock_order_may_sleep() finds without looking at ranks.
 */
#include <kern/lock_order.h>
#include <kern/clock.h>
#include <kern/irq.h>
#include <kern/ksym.h>
#include <kern/sched.h>

void
lock_order_want(const void *lock, const char *name, uint64_t site)
{
	if (panic_in_progress())
		return;
	lock_order_may_sleep(name, site);
	lock_order_check(thread_locks(thread_self()), lock, name, site);
}

void
lock_order_have(const void *lock, const char *name, uint64_t site)
{
	const struct held_lock mine = {.lock = lock, .name = name, .site = site, .stamp = rdtsc()};

	if (!panic_in_progress())
		lock_order_add(thread_locks(thread_self()), &mine);
}

static const struct held_lock *
find_held(const struct held_locks *h, const void *lock)
{
	for (unsigned i = 0; i < h->nr; i++) {
		if (h->held[i].lock == lock)
			return &h->held[i];
	}
	return NULL;
}

struct thread *
lock_order_holder_locked(const void *lock)
{
	struct thread *t;

	list_for_each_entry (t, &sched_all, all_node) {
		if (find_held(thread_locks(t), lock) != NULL)
			return t;
	}
	return NULL;
}

/* Interrupts stay off, so that the holder stays what it is until it has been named. */
void
lock_order_not_yours(const void *lock, const char *name, uint64_t site)
{
	const struct held_lock *held = NULL;
	struct thread *t;
	uint64_t flags;

	(void)irq_save();
	flags = spin_lock(&sched_lock);
	t = lock_order_holder_locked(lock);
	if (t != NULL)
		held = find_held(thread_locks(t), lock);
	spin_unlock(&sched_lock, flags);
	if (held == NULL)
		panic("\"%s\" is given back at %s by thread \"%s\": nobody has it", name,
		      ksym_text(site).s, thread_self()->name);
	panic("\"%s\" is given back at %s by thread \"%s\": thread \"%s\" has it, since %s", name,
	      ksym_text(site).s, thread_self()->name, t->name, ksym_text(held->site).s);
}

void
lock_order_release(const void *lock, const char *name, uint64_t site)
{
	struct held_lock was;

	if (!lock_order_remove(thread_locks(thread_self()), lock, &was) && !panic_in_progress())
		lock_order_not_yours(lock, name, site);
}

void
lock_order_exit(bool forgive)
{
	struct held_locks *h = thread_locks(thread_self());

	if (h->nr != 0 && !forgive)
		panic("thread \"%s\" exits with \"%s\" locked, since %s", thread_self()->name,
		      h->held[0].name, ksym_text(h->held[0].site).s);
	h->nr = 0;
}

/* --- sleeping ------------------------------------------------------------------------------- */

/* Interrupts are off and nobody is there to sleep for: there are "main" and "idle" at most. */
static bool
still_starting(void)
{
	return sched_idle == NULL || sched_idle->all_node.next == &sched_all;
}

void
lock_order_may_sleep(const char *what, uint64_t rip)
{
	if (panic_in_progress() || still_starting())
		return;
	if (lock_spinning.nr != 0)
		panic("%s may sleep at %s while spinlock \"%s\" is held, since %s", what,
		      ksym_text(rip).s, lock_spinning.held[0].name,
		      ksym_text(lock_spinning.held[0].site).s);
	if (in_irq())
		panic("%s may sleep at %s, in an interrupt handler", what, ksym_text(rip).s);
	if (sched_preempt_count != 0)
		panic("%s may sleep at %s with preemption disabled, since %s", what,
		      ksym_text(rip).s, ksym_text(sched_preempt_site).s);
	if (!irqs_on())
		panic("%s may sleep at %s with interrupts off, since %s", what, ksym_text(rip).s,
		      ksym_text(irq_off_site).s);
}
