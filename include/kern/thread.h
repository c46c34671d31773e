/*
 * thread.h - kernel threads and the scheduler.
 *
 * Implementation: kernel/thread.c (life and death), kernel/sched.c (who runs), kernel/thread_info.c
 * (for people).  Preemptive round robin with a 10 ms quantum; an idle thread halts the CPU.
 * Theory: docs/scheduling.md.
 */
#pragma once
#include <kern/base.h>
#include <kern/spinlock.h>
#include <kern/timer.h>
#include <kern/wait.h>
#include <lib/list.h>

#define THREAD_NAME_MAX	    24
#define SCHED_QUANTUM_TICKS 1 /* of the 100 Hz tick: 10 ms */

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
	bool front;			  /* [sched] runs ahead of the others, having slept */
	bool detached;			  /* [sched] nobody will join: freed when it ends */
	bool essential;		    /* [sched] the system lives on it: thread_kill() refuses */
	volatile bool kill_pending; /* [a] thread_kill() was called */
	int exit_code;		    /* [sched] valid once ZOMBIE */
	int64_t slice;	       /* [sched] cycles left of its quantum; negative = ran too long */
	uint64_t cycles;       /* [sched] TSC cycles on the CPU, up to the last switch */
	uint64_t stamp;	       /* [sched] TSC when it was last switched in or out */
	uint64_t switches;     /* [sched] times switched in */
	void (*fn)(void *);    /* [I] */
	void *arg;	       /* [I] */
	struct list run_node;  /* [sched] run queue, or the dead */
	struct list wait_node; /* [its queue's lock] */
	struct list all_node;  /* [sched] */
	struct timer timer;    /* ends a sleep with a deadline */
	struct wait_queue joiners;
	void *shell; /* [self] command context this thread prints to, NULL = console (kernel/shell) */
	void *catch; /* [self] innermost selftest_catch() (kernel/selftest.c) */
};

/* Turn the running boot context into thread 1, "main", and make the idle thread.  0 or -ENOMEM. */
int thread_init(void);

/*
 * Start a thread that runs @fn(@arg) and exits with code 0 when it returns.  Returns NULL when
 * memory is short.  The caller must thread_join() or thread_detach() it.  Context: thread.
 */
struct thread *thread_create(const char *name, void (*fn)(void *), void *arg) MUST_CHECK;
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

/* The running thread; "main" from the very start. */
extern struct thread *sched_current; /* [sched] */
static inline struct thread *
thread_self(void)
{
	return sched_current;
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
	uint64_t cpu_ns;
	uint64_t switches;
	uint64_t stack_used;  /* bytes, by the deepest point touched */
	const char *wait_sym; /* function it sleeps in, or NULL */
};
size_t thread_snapshot(struct thread_info *out, size_t max);

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
void sched_preempt_enabled(void);
static inline void
preempt_disable(void)
{
	sched_preempt_count++;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}
static inline void
preempt_enable(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (--sched_preempt_count == 0)
		sched_preempt_enabled();
}

/* Called by the trap code before it returns, interrupts off: switches when somebody else is due. */
extern volatile bool sched_need_switch; /* [c] */
void sched_preempt(void);
static inline void
sched_preempt_check(void)
{
	if (unlikely(sched_need_switch))
		sched_preempt();
}
/* Called by the timer interrupt. */
void sched_tick(void);
/* Nanoseconds that the idle thread ran. */
uint64_t sched_idle_ns(void);
/* The boot context, when all is started, becomes the reaper of detached threads; never returns. */
NORETURN void thread_main_loop(void);
