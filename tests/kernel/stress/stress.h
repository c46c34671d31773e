/*
 * stress.h - what the parts of `stress` share.
 *
 * A kind is a few functions on the state of one worker: step() does one operation, end() gives
 * back whatever the worker still holds.  Workers are threads; they meet in the kernel and in what a
 * kind shares between them.
 */
#pragma once
#include <kern/base.h>
#include <kern/stress.h>
#include <kern/thread.h>

#define STRESS_WORKERS 8

struct stress_worker {
	unsigned me;   /* [I] 0 to STRESS_WORKERS - 1: index into the kinds' own state */
	uint64_t plan; /* [self] generator that kinds are drawn from */
	uint64_t rng;  /* [self] the one for all else */
	uint64_t left; /* [self] operations to do */
	uint64_t done[STRESS_KINDS_MAX], refused; /* [self] */
	uint64_t last_ns;			  /* [self] the clock, when it last looked */
	struct thread *thread;
};

struct stress_kind {
	const char *name;
	unsigned weight;    /* percent of all operations; one that costs more comes less often */
	int (*begin)(void); /* before the workers start: 0 or -ENOMEM; may be NULL */
	void (*step)(struct stress_worker *w);
	void (*end)(struct stress_worker *w); /* by the worker, as its last act; may be NULL */
	void (*finish)(void); /* after all workers ended: checks the sums; may be NULL */
};

/* mem.c */
void stress_frames_step(struct stress_worker *w);
void stress_frames_end(struct stress_worker *w);
void stress_heap_step(struct stress_worker *w);
void stress_heap_end(struct stress_worker *w);
int stress_objects_begin(void);
void stress_objects_step(struct stress_worker *w);
void stress_objects_end(struct stress_worker *w);
void stress_objects_finish(void);
/* map.c */
int stress_map_begin(void);
void stress_map_step(struct stress_worker *w);
void stress_map_end(struct stress_worker *w);
/* threads.c */
int stress_threads_begin(void);
void stress_threads_step(struct stress_worker *w);
void stress_threads_finish(void);
int stress_waits_begin(void);
void stress_waits_step(struct stress_worker *w);
void stress_waits_finish(void);
int stress_work_begin(void);
void stress_work_step(struct stress_worker *w);
void stress_work_finish(void);
/* locks.c */
int stress_locks_begin(void);
void stress_locks_step(struct stress_worker *w);
void stress_locks_finish(void);
/* timers.c */
int stress_timers_begin(void);
void stress_timers_step(struct stress_worker *w);
void stress_timers_end(struct stress_worker *w);
/* output.c */
void stress_console_step(struct stress_worker *w);
void stress_log_step(struct stress_worker *w);

/* A random number below @n. */
uint32_t stress_below(struct stress_worker *w, uint32_t n);
/* The first failure counts; all workers end soon after. */
void stress_fail(const char *file, int line, const char *fmt, ...) PRINTF(3, 4);

/* In a function that returns nothing: note the failure and leave. */
#define STRESS_CHECK(cond, ...)                                       \
	do {                                                          \
		if (unlikely(!(cond))) {                              \
			stress_fail(__FILE__, __LINE__, __VA_ARGS__); \
			return;                                       \
		}                                                     \
	} while (0)
