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
extern bool (*sched_idle_hook)(void); /* [a] */

struct thread *thread_find_locked(unsigned id) REQUIRES(sched_lock);
/* For a test: the next thread gets the id after @id, or the next free one. */
void thread_set_last_id(unsigned id);

/* Make the run queue, empty, for a TSC of @tsc_hz (0: unknown). */
void sched_init(uint64_t tsc_hz);

/* Put a new thread into sched_all and on the run queue, with the current one's nice value. */
void sched_add(struct thread *t);
/* Put one of the two first threads, "main", which runs, and "idle", into sched_all. */
void sched_adopt(struct thread *t);
/* @t, a zombie, leaves sched_all: its cycles are counted as those of the dead. */
void sched_forget_locked(struct thread *t) REQUIRES(sched_lock);
/*
 * Sleep until sched_wake() or, at the latest, the first tick after @deadline_ns.  Returns 0 when
 * woken, even if that was before the call (since t->woken was cleared); -ETIMEDOUT; or -EINTR
 * when @killable and the thread was told to die.
 */
int sched_sleep(uint64_t deadline_ns, bool killable) EXCLUDES(sched_lock);
void sched_wake(struct thread *t) EXCLUDES(sched_lock);
/* Make @t ready if it sleeps, without counting as a wake. */
void sched_rouse_locked(struct thread *t) REQUIRES(sched_lock);
/* Give @t the valid nice value @nice, whatever it does at the moment. */
void sched_set_nice_locked(struct thread *t, int nice) REQUIRES(sched_lock);
/* Leave the CPU for ever: the caller's state is ZOMBIE.  sched_lock held. */
NORETURN void sched_leave_locked(void);
/* Take @t off the CPU's reach for good (a test that hangs).  It must not be the caller. */
void sched_freeze(struct thread *t);
/* The first act of a new thread: sched_lock is held by the one before it. */
void thread_begin(void);
