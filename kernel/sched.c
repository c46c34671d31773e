/*
 * sched.c - who runs: round robin with two FIFO queues.
 *
 * A thread has a quantum (10 ms of TSC cycles).  When the tick finds it used up, the thread goes
 * to the end of the `ready` queue; what it ran too long is taken from its next quantum, so that
 * the shares come out equal even when ticks are late.  A thread that slept and comes back with
 * some of its quantum left goes to the `front` queue, which is served first: that keeps sleeps
 * punctual and the prompt quick while others compute.  At most FRONT_RUN_MAX threads in a row come
 * from it, so that nobody starves.  When both are empty the idle thread halts the CPU.
 *
 * A switch happens in three places only: a thread sleeps or exits, yields, or is preempted on the
 * way out of an interrupt.  All are switch_away(), called with sched_lock held; the thread that
 * runs next releases it.  Hence everything is O(1).  Drawing and numbers: docs/scheduling.md.
 */
#include <kern/sched.h>
#include <kern/clock.h>
#include <kern/irq.h>
#include <x86/switch.h>

#define FRONT_RUN_MAX  8
/* Until the TSC's rate is known; also when it stays unknown. */
#define DEFAULT_TSC_HZ 1000000000ULL

static struct thread boot_thread; /* "main"; thread_init() fills it in */

struct spinlock sched_lock = SPINLOCK_INIT("sched");
struct list sched_all = LIST_INIT(sched_all);
struct thread *sched_current = &boot_thread;
struct thread *sched_idle;
volatile unsigned sched_preempt_count;
volatile bool sched_need_switch;

static struct list ready = LIST_INIT(ready); /* [sched] */
static struct list front = LIST_INIT(front); /* [sched] */
static unsigned front_run;		     /* [sched] taken from front since ready had a turn */
static int64_t quantum = DEFAULT_TSC_HZ / CLOCK_HZ * SCHED_QUANTUM_TICKS;	   /* [I] cycles */
static int64_t half_quantum = DEFAULT_TSC_HZ / CLOCK_HZ * SCHED_QUANTUM_TICKS / 2; /* [I] */

void
sched_set_rate(uint64_t tsc_hz)
{
	quantum = (int64_t)(tsc_hz / CLOCK_HZ * SCHED_QUANTUM_TICKS);
	half_quantum = quantum / 2;
}

static struct thread *
pop(struct list *queue)
{
	struct list *first = queue->next;

	/* Not list_del(): nobody asks whether a running thread is linked. */
	queue->next = first->next;
	first->next->prev = queue;
	return list_entry(first, struct thread, run_node);
}

/* Refills quanta on the way; a thread in debt lets the others pass. */
static struct thread *
pop_ready(void)
{
	for (;;) {
		struct thread *t = pop(&ready);

		if (likely(t->slice >= half_quantum))
			return t;
		t->slice = MAX(t->slice, -8 * quantum) + quantum;
		if (t->slice >= half_quantum || list_empty(&ready))
			return t;
		list_add_tail(&ready, &t->run_node);
	}
}

static struct thread *
pick(void)
{
	const bool any_ready = !list_empty(&ready);

	if (!list_empty(&front) && (!any_ready || front_run < FRONT_RUN_MAX)) {
		front_run++;
		return pop(&front);
	}
	if (!any_ready)
		return sched_idle;
	front_run = 0;
	return pop_ready();
}

/* Run the next thread.  Returns when this one is picked again, or at once if it is. */
static void
switch_away(void)
{
	struct thread *prev = sched_current, *next = pick();
	uint64_t now;

	sched_need_switch = false;
	next->state = THREAD_RUNNING;
	if (next == prev)
		return;
	now = rdtsc();
	prev->cycles += now - prev->stamp;
	prev->slice -= (int64_t)(now - prev->stamp);
	prev->stamp = now;
	next->stamp = now;
	next->switches++;
	sched_current = next;
	context_switch(&prev->rsp, next->rsp);
}

void NO_LOCK_ANALYSIS
thread_begin(void)
{
	struct thread *t = thread_self();

	spin_unlock(&sched_lock, RFLAGS_IF);
	t->fn(t->arg);
	thread_exit(0);
}

void
sched_leave_locked(void)
{
	switch_away();
	panic("thread \"%s\" came back from the dead", thread_self()->name);
}

/* --- becoming ready ------------------------------------------------------------------------- */

void
sched_add(struct thread *t)
{
	const uint64_t flags = spin_lock(&sched_lock);

	t->state = THREAD_READY;
	t->slice = quantum;
	list_add_tail(&sched_all, &t->all_node);
	list_add_tail(&ready, &t->run_node);
	if (sched_current == sched_idle)
		sched_need_switch = true;
	spin_unlock(&sched_lock, flags);
}

void
sched_rouse_locked(struct thread *t)
{
	if (t->state != THREAD_SLEEPING)
		return;
	t->state = THREAD_READY;
	if ((int64_t)(rdtsc() - t->stamp) >= quantum)
		t->slice = quantum; /* it left the others at least as much */
	t->front = t->slice > quantum / 8;
	list_add_tail(t->front ? &front : &ready, &t->run_node);
	if (sched_current == sched_idle || (t->front && !sched_current->front))
		sched_need_switch = true;
}

void
sched_wake(struct thread *t)
{
	const uint64_t flags = spin_lock(&sched_lock);

	t->woken = true;
	sched_rouse_locked(t);
	spin_unlock(&sched_lock, flags);
}

/* --- giving up the CPU ---------------------------------------------------------------------- */

static int
sleep_locked(struct thread *t, uint64_t deadline_ns, bool killable)
{
	if (t->woken)
		return 0;
	if (killable && t->kill_pending)
		return -EINTR;
	if (deadline_ns != WAIT_FOREVER) {
		if (deadline_ns <= clock_ns())
			return -ETIMEDOUT;
		timer_arm(&t->timer, deadline_ns);
	}
	t->timed_out = false;
	t->killable = killable;
	t->state = THREAD_SLEEPING;
	switch_away();
	if (t->woken)
		return 0;
	if (killable && t->kill_pending)
		return -EINTR;
	return t->timed_out ? -ETIMEDOUT : 0;
}

int
sched_sleep(uint64_t deadline_ns, bool killable)
{
	struct thread *t = thread_self();
	const uint64_t flags = spin_lock(&sched_lock);
	int result;

	if (unlikely((flags & RFLAGS_IF) == 0 || sched_preempt_count != 0))
		panic("thread \"%s\" sleeps with interrupts %s, preemption disabled %u times",
		      t->name, flags & RFLAGS_IF ? "on" : "off", sched_preempt_count);
	result = sleep_locked(t, deadline_ns, killable);
	spin_unlock(&sched_lock, flags);
	if (deadline_ns != WAIT_FOREVER)
		(void)timer_cancel(&t->timer); /* too late is fine: it only marks a sleeper */
	return result;
}

void
sched_yield(void)
{
	struct thread *t = thread_self();
	const uint64_t flags = spin_lock(&sched_lock);

	if (!list_empty(&ready) || !list_empty(&front)) {
		t->state = THREAD_READY;
		t->front = false;
		list_add_tail(&ready, &t->run_node);
		switch_away();
	}
	spin_unlock(&sched_lock, flags);
}

void
sched_freeze(struct thread *t)
{
	const uint64_t flags = spin_lock(&sched_lock);

	assert(t != sched_current);
	if (t->state == THREAD_READY)
		list_del(&t->run_node);
	if (t->state != THREAD_ZOMBIE)
		t->state = THREAD_ZOMBIE;
	spin_unlock(&sched_lock, flags);
	(void)timer_cancel(&t->timer);
}

static int
sleep_until(uint64_t deadline_ns)
{
	struct thread *t = thread_self();
	int result;

	t->woken = false; /* on no queue: nobody else sets it */
	do {
		result = sched_sleep(deadline_ns, true);
	} while (result == 0);
	return result == -ETIMEDOUT ? 0 : result;
}

int
sleep_us(uint64_t us)
{
	return sleep_until(clock_deadline_us(us));
}

int
sleep_ms(uint64_t ms)
{
	return sleep_until(wait_deadline(ms));
}

/* --- preemption ----------------------------------------------------------------------------- */

/* Cycles of the running thread's quantum that are left. */
static int64_t
slice_left(const struct thread *t)
{
	return t->slice - (int64_t)(rdtsc() - t->stamp);
}

/* The tick comes about once in a quantum: closer to its end than to its beginning is the end. */
void
sched_tick(void)
{
	struct thread *t = sched_current;

	if (t == sched_idle || slice_left(t) >= half_quantum)
		return;
	if (list_empty(&ready) && list_empty(&front))
		t->slice += quantum;
	else
		sched_need_switch = true;
}

void
sched_preempt(void)
{
	struct thread *t = sched_current;
	uint64_t flags;

	if (sched_preempt_count != 0 || in_irq())
		return;
	flags = spin_lock(&sched_lock);
	t->state = THREAD_READY;
	if (t != sched_idle) {
		t->front = false;
		if (slice_left(t) >= half_quantum)
			list_add_head(&ready, &t->run_node); /* goes on where it was interrupted */
		else
			list_add_tail(&ready, &t->run_node);
	}
	switch_away();
	spin_unlock(&sched_lock, flags);
}

void
sched_preempt_enabled(void)
{
	if (sched_need_switch && irqs_on() && !in_irq())
		sched_preempt();
}

uint64_t
sched_idle_ns(void)
{
	const uint64_t flags = spin_lock(&sched_lock);
	uint64_t cycles = sched_idle->cycles;

	if (sched_current == sched_idle)
		cycles += rdtsc() - sched_idle->stamp;
	spin_unlock(&sched_lock, flags);
	return clock_cycles_to_ns(cycles);
}
