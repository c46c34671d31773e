/*
 * watchdog_blocked.c - threads that wait for a lock for too long, and deadlocks.
 *
 * A thread that goes to sleep for a mutex or a rwlock leaves a note of it in struct thread.  Once a
 * second the tick asks whether there are any; if so, a look at them is left to the worker thread.
 * Each waits for the lock's owner, who may wait for another: a chain.  One that comes back to where
 * it began is a deadlock, and is reported at the next look; any other wait when it has lasted for the limit.
 *
 * The worker may itself be one of them: then it does not get to the look, and the tick does it.
 */
#include <kern/watchdog.h>
#include <kern/clock.h>
#include <kern/irq.h>
#include <kern/rwlock.h>
#include <kern/sched.h>
#include <kern/sync.h>
#include <kern/work.h>
#include <lib/string.h>
#include <x86/switch.h>
#include <x86/trap.h>

#define CHAIN_MAX      32 /* owners followed */
#define SHOWN_MAX      4  /* of them, with their call chains */
#define DEADLOCK_MS    1000
#define MISSES_ALLOWED 2

static volatile unsigned nr_blocked; /* [a] threads with a note */
static uint64_t limit_ns;	     /* [c] */
static unsigned missed;		     /* [c] looks that the worker did not get to */

void
watchdog_block(enum block_kind kind, const void *lock, const char *name)
{
	thread_self()->blocked =
		(struct block){.kind = kind, .lock = lock, .name = name, .since_ns = clock_ns()};
	__atomic_add_fetch(&nr_blocked, 1, __ATOMIC_RELAXED);
}

void
watchdog_unblock(void)
{
	__atomic_sub_fetch(&nr_blocked, 1, __ATOMIC_RELAXED);
	thread_self()->blocked.kind = BLOCK_NONE;
}

static struct thread *owner_locked(const struct thread *t) REQUIRES(sched_lock);
static bool in_cycle_locked(const struct thread *t) REQUIRES(sched_lock);
static struct thread *find_stuck_locked(uint64_t now_ns, bool *deadlock) REQUIRES(sched_lock);

/* --- who waits for whom --------------------------------------------------------------------- */

static bool
waits_locked(const struct thread *t)
{
	return t->state == THREAD_SLEEPING && t->blocked.kind != BLOCK_NONE;
}

/* It may have ended without giving the lock back. */
static struct thread *
if_alive_locked(struct thread *owner)
{
	struct thread *t;

	list_for_each_entry (t, &sched_all, all_node) {
		if (t == owner)
			return t;
	}
	return NULL;
}

/* For whom @t waits; NULL when it is not known (readers, in builds without DEBUG=1) or gone. */
static struct thread *
owner_locked(const struct thread *t)
{
	struct thread *owner;

	if (!waits_locked(t))
		return NULL;
	if (t->blocked.kind == BLOCK_MUTEX)
		owner = mutex_owner(t->blocked.lock);
	else
		owner = ((const struct rwlock *)t->blocked.lock)->writer;
	if (owner == NULL && LOCK_ORDER)
		return lock_order_holder_locked(t->blocked.lock);
	return if_alive_locked(owner);
}

static bool
in_cycle_locked(const struct thread *t)
{
	const struct thread *owner = owner_locked(t);

	for (unsigned i = 0; i < CHAIN_MAX && owner != NULL; i++) {
		if (owner == t)
			return true;
		owner = owner_locked(owner);
	}
	return false;
}

/* Somebody who waits for too long, and of whom that was not said yet. */
static struct thread *
find_stuck_locked(uint64_t now_ns, bool *deadlock)
{
	struct thread *t;

	list_for_each_entry (t, &sched_all, all_node) {
		const uint64_t ns = now_ns - t->blocked.since_ns;

		if (!waits_locked(t) || t->blocked.reported || ns < DEADLOCK_MS * NS_PER_MS)
			continue;
		*deadlock = in_cycle_locked(t);
		if (*deadlock || ns >= limit_ns)
			return t;
	}
	return NULL;
}

/* --- the report ----------------------------------------------------------------------------- */

static const char *const kinds[] = {[BLOCK_MUTEX] = "for mutex",
				    [BLOCK_READ] = "to read behind",
				    [BLOCK_WRITE] = "to write behind"};
static const char *const states[] = {
	[THREAD_READY] = "ready",
	[THREAD_RUNNING] = "running",
	[THREAD_SLEEPING] = "sleeping",
	[THREAD_ZOMBIE] = "ended",
};

/* Of a lock whose owner is no living thread. */
static const char *
why_no_owner(const struct block *b)
{
	if (b->kind != BLOCK_MUTEX)
		return "who has it is not known";
	return mutex_owner(b->lock) == NULL ? "nobody has it" : "who had it has ended";
}

static void
show_thread(const struct thread *t, const struct thread *owner, uint64_t now_ns)
{
	const struct saved_frame *f = (const struct saved_frame *)t->rsp;
	const struct trapframe tf = {.vector = TRAP_VECTORS, .rip = f->rip, .rbp = f->rbp};

	const unsigned long ms = (now_ns - t->blocked.since_ns) / NS_PER_MS;

	if (!waits_locked(t))
		log_warn("  thread %u \"%s\" is %s", t->id, t->name, states[t->state]);
	else if (owner != NULL)
		log_warn("  thread %u \"%s\" waits %s \"%s\" for %lu ms; thread %u \"%s\" has it",
			 t->id, t->name, kinds[t->blocked.kind], t->blocked.name, ms, owner->id,
			 owner->name);
	else
		log_warn("  thread %u \"%s\" waits %s \"%s\" for %lu ms; %s", t->id, t->name,
			 kinds[t->blocked.kind], t->blocked.name, ms, why_no_owner(&t->blocked));
	if (t != sched_current)
		watchdog_chain(&tf);
}

/*
 * @t and those it waits for.  Preemption is off, so that they all stay as they are, and alive; the
 * scheduler's lock is not held while printing.
 */
static void
report(struct thread *t, bool deadlock, uint64_t now_ns)
{
	const struct thread *first = t;

	watchdog_say(deadlock ? "deadlock:" : "a thread waits for a lock:");
	for (unsigned i = 0; i < SHOWN_MAX && t != NULL; i++) {
		const uint64_t flags = spin_lock(&sched_lock);
		struct thread *owner = owner_locked(t);

		t->blocked.reported = true;
		spin_unlock(&sched_lock, flags);
		show_thread(t, owner, now_ns);
		t = owner != first ? owner : NULL;
	}
}

static void
look(struct work *unused)
{
	(void)unused;
	preempt_disable();
	for (;;) {
		const uint64_t now_ns = clock_ns();
		bool deadlock = false;
		const uint64_t flags = spin_lock(&sched_lock);
		struct thread *t = find_stuck_locked(now_ns, &deadlock);

		spin_unlock(&sched_lock, flags);
		if (t == NULL)
			break;
		report(t, deadlock, now_ns);
	}
	preempt_enable();
}

void
watchdog_look_at_blocked(uint64_t limit)
{
	static struct work work = WORK_INIT(work, look);

	if (likely(nr_blocked == 0))
		return;
	limit_ns = limit;
	if (work_queue(&work))
		missed = 0;
	else if (++missed >= MISSES_ALLOWED)
		look(&work);
}
