/*
 * thread.h - kernel threads and the scheduler.
 *
 * Implementation: kernel/thread.c (life and death), kernel/sched.c (who runs).  Preemptive round
 * robin over one FIFO run queue with a 10 ms quantum; an idle thread halts the CPU.  Theory:
 * docs/scheduling.md.
 */
#pragma once
#include <kern/base.h>
#include <kern/spinlock.h>
#include <kern/wait.h>
#include <lib/list.h>

#define THREAD_NAME_MAX 24
#define SCHED_QUANTUM_TICKS 1 /* of the 100 Hz tick: 10 ms */

enum thread_state { THREAD_READY, THREAD_RUNNING, THREAD_SLEEPING, THREAD_ZOMBIE };

/* What keeps a sleeping thread: shown by `ps`. */
struct thread {
	uint64_t rsp;	     /* [sched] saved stack pointer while not running; switch.asm knows this offset */
	uint64_t *stack;     /* [I] lowest usable byte; a guard page lies below */
	unsigned id;	     /* [I] */
	char name[THREAD_NAME_MAX]; /* [I] */
	volatile enum thread_state state; /* [sched] */
	bool woken;			  /* [sched] wake came before the sleep */
	bool timed_out;			  /* [sched] the deadline, not a wake, ended the sleep */
	volatile bool kill_pending;	  /* [a] thread_kill() was called */
	bool detached;			  /* [sched] nobody will join: freed when it ends */
	int exit_code;			  /* [sched] valid once ZOMBIE */
	unsigned quantum;		  /* [sched] ticks left */
	uint64_t deadline_ns;		  /* [sched] while sleeping with a timeout */
	uint64_t cpu_ns;		  /* [sched] time on the CPU until last switched in */
	uint64_t last_in_ns;		  /* [sched] clock_ns() when last switched in */
	uint64_t switches;		  /* [sched] times switched in */
	void (*fn)(void *);		  /* [I] */
	void *arg;			  /* [I] */
	struct list run_node;		  /* [sched] run queue or sleepers */
	struct list wait_node;		  /* [queue's lock] */
	struct list all_node;		  /* [sched] */
	struct wait_queue joiners;
	void *shell; /* the command context this thread prints to, NULL = console (kernel/shell) */
};

/* Turn the running boot context into thread 1, "main", and make the idle thread.  0 or -ENOMEM. */
int thread_init(void);

/*
 * Start a thread that runs @fn(@arg) and exits with code 0 when it returns.  Returns NULL when
 * memory is short.  The caller must thread_join() or thread_detach() it.  Context: thread.
 */
struct thread *thread_create(const char *name, void (*fn)(void *), void *arg);
NORETURN void thread_exit(int code);
/* Wait for @t to end, free it and return its exit code (or -EINTR if the caller is being killed). */
int thread_join(struct thread *t);
void thread_detach(struct thread *t);

/*
 * Ask thread @id to die: its sleeps return -EINTR, and a demo thread checks thread_killed().
 * Returns 0, -ENOENT, or -EPERM for the threads the system lives on (main, idle, worker, shell).
 */
int thread_kill(unsigned id);
bool thread_killed(void);

struct thread *thread_self(void);

/* Snapshot for ps/top: copies at most @max, in id order; returns how many there are. */
struct thread_info {
	unsigned id;
	char name[THREAD_NAME_MAX];
	enum thread_state state;
	uint64_t cpu_ns;
	uint64_t switches;
	uint64_t stack_used; /* bytes, by the deepest point touched */
	const char *wait_sym; /* function it sleeps in, or NULL */
};
size_t thread_snapshot(struct thread_info *out, size_t max);

/* Print a symbolised backtrace of thread @id.  0 or -ENOENT. */
int thread_backtrace(unsigned id);

/* --- scheduler (kernel/sched.c) --- */

void sched_yield(void);
/* Sleep at least @ms / @us; late by at most one tick.  0, or -EINTR when the thread is killed.  Context: thread. */
int sleep_ms(uint64_t ms);
int sleep_us(uint64_t us);
/* No switch happens between these two (they nest); interrupts stay on. */
void preempt_disable(void);
void preempt_enable(void);
/* Called by the trap code before it returns: switches when the quantum is used up. */
void sched_preempt_check(void);
/* Called by the timer interrupt. */
void sched_tick(void);
/* Nanoseconds that the idle thread ran. */
uint64_t sched_idle_ns(void);
/* The boot context, when all is started, becomes the reaper of detached threads; never returns. */
NORETURN void thread_main_loop(void);
