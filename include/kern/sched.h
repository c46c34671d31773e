/*
 * sched.h - what thread.c, wait.c and sync.c need of the scheduler; nobody else includes it.
 *
 * Implementation: kernel/sched.c.  Lock order: a wait queue's lock, then sched_lock, then the
 * timer lock.
 */
#pragma once
#include <kern/base.h>
#include <kern/thread.h>

/* Guards all fields marked [sched] and the list of all threads.  Held across a context switch. */
extern struct spinlock sched_lock;
extern struct list sched_all; /* [sched] struct thread.all_node, in id order */
extern struct thread *sched_idle;

/* Fresh stacks are filled with this byte, to see later how deep they were used. */
#define THREAD_STACK_FILL 0x6b

struct thread *thread_find_locked(unsigned id) REQUIRES(sched_lock);

/* TSC cycles of one quantum; follows the clock's rate. */
void sched_set_rate(uint64_t tsc_hz);

/* Put a new thread on the run queue. */
void sched_add(struct thread *t);
/*
 * Sleep until sched_wake() or, at the latest, the first tick after @deadline_ns.  Returns 0 when
 * woken, even if that was before the call (since t->woken was cleared); -ETIMEDOUT; or -EINTR
 * when @killable and the thread was told to die.
 */
int sched_sleep(uint64_t deadline_ns, bool killable);
void sched_wake(struct thread *t);
/* Make @t ready if it sleeps, without counting as a wake. */
void sched_rouse_locked(struct thread *t) REQUIRES(sched_lock);
/* Leave the CPU for ever: the caller's state is ZOMBIE.  sched_lock held. */
NORETURN void sched_leave_locked(void);
/* Take @t off the CPU's reach for good (a test that hangs).  It must not be the caller. */
void sched_freeze(struct thread *t);
/* The first act of a new thread: sched_lock is held by the one before it. */
void thread_begin(void);
