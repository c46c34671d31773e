/*
 * sync.h - locks that sleep: mutex and counting semaphore.  Context: thread (except sem_up()).
 */
#pragma once
#include <kern/base.h>
#include <kern/wait.h>

struct CAPABILITY("mutex") mutex {
	struct thread *volatile owner; /* [a] NULL = free */
	struct wait_queue queue;
	const char *name;
};

#define MUTEX_INIT(var, n)                                                        \
	{                                                                         \
		.owner = NULL, .queue = WAIT_QUEUE_INIT((var).queue), .name = (n) \
	}

void mutex_init(struct mutex *m, const char *name);
/* Panics when the calling thread holds it already, or when it would have to sleep with interrupts off. */
void mutex_lock(struct mutex *m) ACQUIRE(*m);
bool mutex_trylock(struct mutex *m) TRY_ACQUIRE(true, *m);
/* Panics when the calling thread is not the owner. */
void mutex_unlock(struct mutex *m) RELEASE(*m);
bool mutex_held(const struct mutex *m); /* by the calling thread */

struct semaphore {
	volatile int count; /* [queue.lock] */
	struct wait_queue queue;
};

void sem_init(struct semaphore *s, int count);
/* 0, or -EINTR when the thread is being killed. */
int sem_down(struct semaphore *s);
/* 0, -ETIMEDOUT after @timeout_ms, or -EINTR. */
int sem_down_timeout(struct semaphore *s, uint64_t timeout_ms);
bool sem_try_down(struct semaphore *s);
void sem_up(struct semaphore *s); /* context: any */
