/*
 * thread.h - kernel threads and the scheduler.
 *
 * Implementation: kernel/thread.c (life and death), kernel/sched.c (who runs), kernel/thread_info.c
 * (for people).  Preemptive, fair by nice values; an idle thread halts the CPU.
 * Theory: docs/scheduling.md.
 */
#pragma once
#include <kern/base.h>
#include <kern/irqsoff.h>
#include <kern/runqueue.h>
#include <kern/spinlock.h>
#include <kern/timer.h>
#include <kern/wait.h>
#include <lib/list.h>

#define THREAD_NAME_MAX 24

/* What a thread that waits for a sleeping lock waits for; for the watchdog and for people. */
enum block_kind { BLOCK_NONE, BLOCK_MUTEX, BLOCK_READ, BLOCK_WRITE };
struct block {
	enum block_kind kind;
	bool reported;	   /* by the watchdog */
	const void *lock;  /* struct mutex or struct rwlock */
	const char *name;  /* the lock's */
	uint64_t since_ns; /* clock_ns() */
};

struct task;

enum thread_state { THREAD_READY, THREAD_RUNNING, THREAD_SLEEPING, THREAD_ZOMBIE };

/* Legend: [I] set once; [sched] sched_lock; [self] only the thread itself; [a] atomic. */
struct thread {
	uint64_t rsp;	 /* [sched] while not running; switch.asm knows this offset */
	uint64_t *stack; /* [I] lowest usable byte, KSTACK_SIZE bytes; a guard page lies below */
	unsigned id;	 /* [I] */
	char name[THREAD_NAME_MAX];	  /* [I] */
	volatile enum thread_state state; /* [sched] */
	volatile bool woken;		  /* [sched] a wake came, perhaps before the sleep */
	bool timed_out;			  /* [sched] the deadline, not a wake, ended the sleep */
	bool killable;			  /* [sched] thread_kill() may end this sleep */
	bool detached;			  /* [sched] nobody will join: freed when it ends */
	bool essential;		    /* [sched] the system lives on it: thread_kill() refuses */
	volatile bool kill_pending; /* [a] thread_kill() was called */
	int exit_code;		    /* [sched] valid once ZOMBIE */
	struct run_node run;	    /* [sched] its place among the ready; run.link also: the dead */
	uint64_t cycles;	    /* [sched] TSC cycles on the CPU, up to stamp */
	uint64_t stamp;		    /* [sched] TSC when it was switched in, or last charged */
	uint64_t switches;	    /* [sched] times switched in */
	void (*fn)(void *);	    /* [I] */
	void *arg;		    /* [I] */
	struct list wait_node;	    /* [its queue's lock] */
	struct list all_node;	    /* [sched] */
	struct timer timer;	    /* ends a sleep with a deadline */
	struct wait_queue joiners;
	struct block blocked; /* [self] while it runs, [sched] while it sleeps */
#ifdef DEBUG
	struct held_locks locks; /* [self] mutexes and rwlocks that it holds */
#endif
	struct task *task; /* [I] its user half, NULL = a kernel thread (kern/process.h) */
	void *shell; /* [self] command context this thread prints to, NULL = console (kernel/shell) */
	void *catch; /* [self] innermost selftest_catch() (kernel/selftest.c) */
};

/* Turn the running boot context into thread 1, "main", and make the idle thread.  0 or -ENOMEM. */
int thread_init(void);

/*
 * Start a thread that runs @fn(@arg) and exits with code 0 when it returns.  It has the nice value
 * of its creator.  Returns NULL when memory is short.  The caller must thread_join() or thread_detach() it.  Context: thread.
 */
struct thread *thread_create(const char *name, void (*fn)(void *), void *arg) MUST_CHECK;
/*
 * The thread of a task, detached, with room for the program's registers at its stack's end.  It does not run before
 * thread_start(); one that never shall is given back by thread_discard().  NULL when memory is short.
 */
struct thread *thread_make_task(const char *name, void (*fn)(void *), struct task *task) MUST_CHECK;
void thread_start(struct thread *t);
void thread_discard(struct thread *t);
/* A signal: sleeps of @t, the thread of a task, end with -EINTR until that is taken back.  Context: any. */
void thread_interrupt(struct thread *t);
void thread_set_interrupted(struct thread *t, bool on);
void thread_set_name(struct thread *t, const char *name);
NORETURN void thread_exit(int code);
/* Wait for @t to end, free it and return its exit code (or -EINTR if the caller is being killed). */
int thread_join(struct thread *t);
/* The same for at most @timeout_ms: -ETIMEDOUT, and @t is still the caller's. */
int thread_join_timeout(struct thread *t, uint64_t timeout_ms);
void thread_detach(struct thread *t);
/* The system cannot do without @t: thread_kill() shall refuse it. */
void thread_set_essential(struct thread *t);

/*
 * Ask thread @id to die: its sleeps return -EINTR, and a demo thread checks thread_killed().
 * Returns 0, -ENOENT, or -EPERM for the threads the system lives on (main, idle, worker, shell).
 */
int thread_kill(unsigned id);

/*
 * Give thread @id the nice value @nice: NICE_MIN (most of the CPU) to NICE_MAX, or NICE_BACKGROUND:
 * only what nobody else wants.  0, -ENOENT, -EINVAL for other values, -EPERM for "idle", and for
 * NICE_BACKGROUND on a thread that the system lives on.  Context: any.
 */
int thread_set_nice(unsigned id, int nice);

/* The running thread; "main" from the very start. */
extern struct thread *sched_current; /* [c] */
static inline struct thread *
thread_self(void)
{
	return sched_current;
}

/* The sleeping locks that @t holds, known in debug builds. */
static inline struct held_locks *
thread_locks(struct thread *t)
{
#ifdef DEBUG
	return &t->locks;
#else
	static struct held_locks none;

	(void)t;
	return &none;
#endif
}

/* Was this thread told to die? */
static inline bool
thread_killed(void)
{
	return thread_self()->kill_pending;
}

/* Snapshot for ps/top: copies at most @max, in id order; returns how many there are. */
struct thread_info {
	unsigned id;
	char name[THREAD_NAME_MAX];
	enum thread_state state;
	int nice; /* NICE_BACKGROUND for "idle", too */
	uint64_t cpu_ns;
	uint64_t switches;
	uint64_t stack_used;  /* bytes, by the deepest point touched */
	const char *wait_sym; /* function it sleeps in, or NULL */
};
size_t thread_snapshot(struct thread_info *out, size_t max);
/* The scheduler's own functions, which say nothing about what a thread waits for: is @name one? */
bool thread_is_waiting_machinery(const char *name);

/*
 * Where the CPU's cycles went since thread_init(), taken at one moment.  The cycles of all threads
 * that live, and @dead, are together exactly @now - @start.
 */
struct sched_stats {
	uint64_t start, now;  /* TSC */
	uint64_t idle;	      /* cycles of the idle thread */
	uint64_t dead;	      /* cycles of threads that have ended and are freed */
	uint64_t ready_ticks; /* threads that ran or were ready at a tick, summed over all ticks */
	unsigned ready;	      /* threads that wait for the CPU now */
	unsigned threads;     /* that exist */
};
void sched_stats(struct sched_stats *out);
/* Times that some thread was switched in, since the start. */
uint64_t sched_switches(void);
/* Cycles that the existing @t has had the CPU, up to now. */
uint64_t thread_cycles(const struct thread *t);

/* Print a symbolised backtrace of thread @id.  0 or -ENOENT. */
int thread_backtrace(unsigned id);

/* --- scheduler (kernel/sched.c) --- */

/* Let the others have their turn. */
void sched_yield(void);
/* Sleep at least @ms / @us; late by at most one tick.  0, or -EINTR when the thread is killed.  Context: thread. */
int sleep_ms(uint64_t ms);
int sleep_us(uint64_t us);

/* No switch happens between these two (they nest); interrupts stay on. */
extern volatile unsigned sched_preempt_count; /* [c] */
extern uint64_t sched_preempt_site;	      /* [c] debug builds: where the outermost one began */
void sched_preempt_enabled(void);
static ALWAYS_INLINE void
preempt_disable(void)
{
	if (IRQSOFF_TRACE && sched_preempt_count == 0)
		preemptoff_begin();
	if (sched_preempt_count++ == 0 && LOCK_ORDER)
		sched_preempt_site = current_rip();
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}
static inline void
preempt_enable(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (IRQSOFF_TRACE && sched_preempt_count == 1)
		preemptoff_end();
	if (--sched_preempt_count == 0)
		sched_preempt_enabled();
}

/* Called by the trap code before it returns, interrupts off: switches when somebody else is due. */
#define SCHED_WOKEN	1		   /* somebody came who goes before the running thread */
#define SCHED_TURN_OVER 2		   /* its turn is over */
extern volatile uint8_t sched_need_switch; /* [c] SCHED_... */
void sched_preempt(void);
static inline void
sched_preempt_check(void)
{
	if (unlikely(sched_need_switch))
		sched_preempt();
}
/* Called by the timer interrupt, interrupts off. */
void sched_tick(void);
/* Nanoseconds that the idle thread ran. */
uint64_t sched_idle_ns(void);

/* Does anybody wait for the CPU?  For work that should be done only when nobody does. */
bool sched_others_ready(void);
/*
 * Have the idle thread call @fn before it halts, again and again while it returns true (there is
 * more to do).  One hook; NULL removes it.  @fn runs with interrupts on and may be preempted at any
 * moment, for long; it must not sleep, and holds spinlocks for short.  What it takes counts as idle.
 */
void sched_set_idle_hook(bool (*fn)(void));
/* The boot context, when all is started, becomes the reaper of detached threads; never returns. */
NORETURN void thread_main_loop(void);
