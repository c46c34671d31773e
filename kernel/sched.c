/*
 * sched.c - who runs: fair by weight, prompt for those who sleep.
 *
 * Who is ready waits in a run queue (kern/runqueue.h), a calendar of virtual time: the thread that
 * has used least of the CPU, for its nice value, is due.  A thread runs until a tick finds that
 * somebody else is due, or until it sleeps.  One that slept and has used no more than the others
 * goes to the queue's front and preempts at once: that keeps sleeps punctual and the prompt quick
 * while others compute.  When nobody is ready the idle thread halts the CPU.
 *
 * A switch happens in three places only: a thread sleeps or exits, yields, or is preempted on the
 * way out of an interrupt.  All charge() the thread for its cycles and call switch_to() with
 * sched_lock held; the thread that runs next releases it.  Everything is O(1), and sleepers cost
 * nothing.  Drawing, proof of fairness and numbers: docs/scheduling.md.
 */
#include <kern/sched.h>
#include <kern/clock.h>
#include <kern/clock_event.h>
#include <kern/irq.h>
#include <x86/switch.h>
#include <x86/task.h>

/* Until the TSC's rate is known; also when it stays unknown. */
#define DEFAULT_TSC_HZ 1000000000ULL

static struct thread boot_thread; /* "main"; thread_init() fills it in */

struct spinlock sched_lock = SPINLOCK_INIT("sched");
struct list sched_all = LIST_INIT(sched_all);
struct thread *sched_current = &boot_thread;
struct thread *sched_idle;
bool (*sched_idle_hook)(void);
volatile unsigned sched_preempt_count;
uint64_t sched_preempt_site;
volatile uint8_t sched_need_switch;

static struct run_queue rq;    /* [sched] */
static uint64_t start_stamp;   /* [I] TSC from which on cycles are counted */
static uint64_t dead_cycles;   /* [sched] */
static uint64_t dead_switches; /* [sched] */
static uint64_t ready_ticks;   /* [c] threads that waited, summed over the ticks */
static unsigned nr_threads;    /* [sched] in sched_all */

void
sched_init(uint64_t tsc_hz)
{
	rq_init(&rq, (tsc_hz != 0 ? tsc_hz : DEFAULT_TSC_HZ) / CLOCK_HZ);
	start_stamp = rdtsc();
	sched_current->stamp = start_stamp;
}

/* Count what the running @t used up to @now. */
static inline void
charge(struct thread *t, uint64_t now)
{
	const uint64_t cycles = now - t->stamp;

	t->cycles += cycles;
	t->stamp = now;
	rq_charge(&t->run, cycles);
}

static inline struct thread *
pick(const struct thread *prev)
{
	if (rq.nr != 0)
		return container_of(rq_pick(&rq), struct thread, run);
	rq_catch_up(&rq, &prev->run);
	return sched_idle;
}

/*
 * Run @next; the current thread was charged up to @now.  Returns when this one is picked again, or
 * at once if it is @next.
 */
static ALWAYS_INLINE void
switch_to(struct thread *next, uint64_t now)
{
	struct thread *prev = sched_current;

	sched_need_switch = 0;
	next->state = THREAD_RUNNING;
	if (next == prev)
		return;
	next->stamp = now;
	next->switches++;
	sched_current = next;
	if (prev->task != next->task)
		task_switch(prev->task, next->task);
	context_switch(&prev->rsp, next->rsp);
}

/* The current thread @t, in no queue, stops running until somebody puts it back into one. */
static inline void
leave_cpu(struct thread *t)
{
	const uint64_t now = rdtsc();

	charge(t, now);
	switch_to(pick(t), now);
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
	leave_cpu(sched_current);
	panic("thread \"%s\" came back from the dead", thread_self()->name);
}

/* --- becoming ready ------------------------------------------------------------------------- */

/* @t has come to the run queue: does it take the CPU away from the running thread? */
static inline void
preempt_for(const struct thread *t)
{
	if (t->run.level > sched_current->run.level)
		sched_need_switch |= SCHED_WOKEN;
}

void
sched_adopt(struct thread *t)
{
	const bool runs = t == sched_current;

	t->state = runs ? THREAD_RUNNING : THREAD_READY;
	rq_set_nice(&rq, &t->run, runs ? 0 : NICE_BACKGROUND);
	t->run.level = runs ? RQ_FAIR : RQ_IDLE;
	list_add_tail(&sched_all, &t->all_node);
	nr_threads++;
}

/* Ids grow, but for those that were used before and are given again. */
static void
list_in_order_locked(struct thread *t)
{
	struct list *at = sched_all.prev;

	while (at != &sched_all && list_entry(at, struct thread, all_node)->id > t->id)
		at = at->prev;
	list_insert_after(at, &t->all_node);
}

void
sched_add(struct thread *t)
{
	const uint64_t flags = spin_lock(&sched_lock);

	t->state = THREAD_READY;
	t->run = sched_current->run; /* vtime too: creating threads is no way to more CPU */
	list_in_order_locked(t);
	nr_threads++;
	rq_put(&rq, &t->run, false);
	preempt_for(t);
	spin_unlock(&sched_lock, flags);
}

void
sched_forget_locked(struct thread *t)
{
	list_del(&t->all_node);
	nr_threads--;
	dead_cycles += t->cycles;
	dead_switches += t->switches;
}

void
sched_rouse_locked(struct thread *t)
{
	if (t->state != THREAD_SLEEPING)
		return;
	t->state = THREAD_READY;
	rq_put_woken(&rq, &t->run);
	preempt_for(t);
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
	leave_cpu(t);
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

	if (rq.nr != 0) {
		const uint64_t now = rdtsc();

		charge(t, now);
		t->state = THREAD_READY;
		switch_to(container_of(rq_yield(&rq, &t->run), struct thread, run), now);
	}
	spin_unlock(&sched_lock, flags);
}

void
sched_freeze(struct thread *t)
{
	const uint64_t flags = spin_lock(&sched_lock);

	assert(t != sched_current);
	if (t->state == THREAD_READY)
		rq_remove(&rq, &t->run);
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

	might_sleep("sleep");
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

/* Also when nobody waits: then what the running thread uses is no debt to those who come later. */
void
sched_tick(void)
{
	struct thread *t = sched_current;

	if (t == sched_idle)
		return;
	ready_ticks += rq.nr + 1;
	charge(t, rdtsc());
	if (t->run.level == RQ_FRONT)
		t->run.level = RQ_FAIR; /* it does not just answer and sleep again */
	if (rq.nr == 0)
		rq_catch_up(&rq, &t->run);
	else if (rq_others_due(&rq, &t->run))
		sched_need_switch |= SCHED_TURN_OVER;
}

void
sched_preempt(void)
{
	struct thread *t = sched_current;
	uint64_t flags, now;

	if (sched_preempt_count != 0 || in_irq())
		return;
	flags = spin_lock(&sched_lock);
	now = rdtsc();
	charge(t, now);
	t->state = THREAD_READY;
	if (t != sched_idle)
		rq_put(&rq, &t->run, (sched_need_switch & SCHED_TURN_OVER) == 0);
	else
		clock_idle_exit();
	switch_to(pick(t), now);
	spin_unlock(&sched_lock, flags);
}

void
sched_preempt_enabled(void)
{
	if (sched_need_switch && irqs_on() && !in_irq())
		sched_preempt();
}

/* --- nice values ---------------------------------------------------------------------------- */

void
sched_set_nice_locked(struct thread *t, int nice)
{
	const bool queued = t->state == THREAD_READY;

	if (queued)
		rq_remove(&rq, &t->run);
	else if (t == sched_current)
		charge(t, rdtsc()); /* so far by the old rate */
	rq_set_nice(&rq, &t->run, nice);
	if (queued) {
		rq_put(&rq, &t->run, false);
		preempt_for(t);
	} else if (t == sched_current) {
		t->run.level = nice == NICE_BACKGROUND ? RQ_BACKGROUND : RQ_FAIR;
		sched_need_switch |= rq.nr != 0 ? SCHED_TURN_OVER : 0;
	}
}

/* --- idle ----------------------------------------------------------------------------------- */

bool
sched_others_ready(void)
{
	return __atomic_load_n(&rq.nr, __ATOMIC_RELAXED) != 0;
}

void
sched_set_idle_hook(bool (*fn)(void))
{
	__atomic_store_n(&sched_idle_hook, fn, __ATOMIC_RELAXED);
}

/* --- figures -------------------------------------------------------------------------------- */

static uint64_t
cycles_locked(const struct thread *t, uint64_t now)
{
	return t->cycles + (t == sched_current ? now - t->stamp : 0);
}

uint64_t
thread_cycles(const struct thread *t)
{
	const uint64_t flags = spin_lock(&sched_lock);
	const uint64_t cycles = cycles_locked(t, rdtsc());

	spin_unlock(&sched_lock, flags);
	return cycles;
}

void
sched_stats(struct sched_stats *out)
{
	const uint64_t flags = spin_lock(&sched_lock);

	out->start = start_stamp;
	out->now = rdtsc();
	out->idle = cycles_locked(sched_idle, out->now);
	out->dead = dead_cycles;
	out->ready_ticks = ready_ticks;
	out->ready = rq.nr;
	out->threads = nr_threads;
	spin_unlock(&sched_lock, flags);
}

uint64_t
sched_switches(void)
{
	const uint64_t flags = spin_lock(&sched_lock);
	uint64_t sum = dead_switches;
	struct thread *t;

	list_for_each_entry (t, &sched_all, all_node)
		sum += t->switches;
	spin_unlock(&sched_lock, flags);
	return sum;
}

uint64_t
sched_idle_ns(void)
{
	return clock_cycles_to_ns(thread_cycles(sched_idle));
}
