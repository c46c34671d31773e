/*
 * runqueue.h - the threads that are ready: a calendar of virtual time.
 *
 * Virtual time passes for a thread only while it runs, and the faster the higher its nice value is:
 * whoever has used least of it, for its weight, is due next.  Like appointments, the ready ones are
 * entered in a calendar: RQ_SLOTS slots, each as wide as one or two ticks and a FIFO, round and
 * round from `now`, the slot that is being served.  One bit per slot says whether somebody is in it:
 * putting in and picking take the same few instructions whatever the number of threads.
 *
 * In front of the calendar there is a FIFO for those who slept and have used no more than the
 * others; behind it one for the background, served when there is nothing else.
 *
 * Pure: no locks, no clock, no thread; sched.c holds sched_lock around all of it, and with more
 * CPUs each has one of its own.  Theory, drawing and proof of fairness: docs/scheduling.md.
 */
#pragma once
#include <lib/base.h>
#include <lib/list.h>

#define NICE_MIN	(-20)
#define NICE_MAX	19
#define NICE_BACKGROUND 20 /* not a nice value: runs when nobody else wants to */

#define RQ_SLOTS      64 /* one word of bits */
#define RQ_RATE_SHIFT 16 /* fixed point of run_node.rate */

/* From where a thread was picked, or will be; the higher one preempts the lower.  0 is the idle thread's. */
enum rq_level { RQ_IDLE, RQ_BACKGROUND, RQ_FAIR, RQ_FRONT };

/* The scheduler's part of a thread.  Legend: [sched] sched_lock. */
struct run_node {
	struct list link; /* [sched] linked exactly while the thread is READY */
	uint64_t vtime;	  /* [sched] virtual time it has used, in cycles at nice 0 */
	uint32_t rate;	  /* [sched] virtual cycles per cycle, RQ_RATE_SHIFT fixed point */
	int8_t nice;	  /* [sched] NICE_MIN..NICE_MAX, or NICE_BACKGROUND */
	uint8_t level;	  /* [sched] enum rq_level */
};

struct run_queue {
	uint64_t occupied; /* bit i: slot[i] holds somebody */
	uint64_t now;	   /* the slot being served, counted from 0 without end */
	unsigned nr;	   /* threads in here */
	unsigned shift;	   /* a slot is 2^shift virtual cycles wide */
	struct list front, background;
	struct list slot
		[RQ_SLOTS]; /* [i]: the one slot of [now, now + RQ_SLOTS) that is i modulo RQ_SLOTS */
};

/* An empty queue.  @tick_cycles: the CPU's cycles between two ticks. */
void rq_init(struct run_queue *rq, uint64_t tick_cycles);
/* Set the width of slots, rounded to a power of 2 from 1.5 to 3 ticks.  The queue must be empty. */
void rq_set_tick(struct run_queue *rq, uint64_t tick_cycles);
/* Give @n, which is in no queue, the rate that belongs to @nice. */
void rq_set_nice(struct run_node *n, int nice);
/* Take out @n, which is in @rq. */
void rq_remove(struct run_queue *rq, struct run_node *n);

static inline uint64_t
rq_slot_of(const struct run_queue *rq, const struct run_node *n)
{
	return n->vtime >> rq->shift;
}

/* @n ran for @cycles. */
static inline void
rq_charge(struct run_node *n, uint64_t cycles)
{
	n->vtime += cycles * n->rate >> RQ_RATE_SHIFT;
}

/* The first slot that holds somebody; there must be one. */
static inline uint64_t
rq_first_slot(const struct run_queue *rq)
{
	const unsigned at = rq->now % RQ_SLOTS;
	const uint64_t from_now = rq->occupied >> at | rq->occupied << (-at % RQ_SLOTS);

	return rq->now + (unsigned)__builtin_ctzll(from_now);
}

/*
 * Put @n where its virtual time belongs: @first of those in its slot, or last.  What it has left
 * unused before `now` is lost; what it has used beyond the end of the calendar is forgiven.
 */
static inline void
rq_put(struct run_queue *rq, struct run_node *n, bool first)
{
	uint64_t at = rq_slot_of(rq, n);

	rq->nr++;
	if (unlikely(n->nice == NICE_BACKGROUND)) {
		n->level = RQ_BACKGROUND;
		list_add_tail(&rq->background, &n->link);
		return;
	}
	if (unlikely(at - rq->now >= RQ_SLOTS)) { /* before now, or too far */
		at = at < rq->now ? rq->now : rq->now + RQ_SLOTS - 1;
		n->vtime = at << rq->shift;
	}
	n->level = RQ_FAIR;
	rq->occupied |= BIT(at % RQ_SLOTS);
	if (first)
		list_add_head(&rq->slot[at % RQ_SLOTS], &n->link);
	else
		list_add_tail(&rq->slot[at % RQ_SLOTS], &n->link);
}

/* @n comes back from sleep: to the front, unless it has run ahead of the others. */
static inline void
rq_put_woken(struct run_queue *rq, struct run_node *n)
{
	const uint64_t at = rq_slot_of(rq, n);

	if (unlikely(n->nice == NICE_BACKGROUND) || at > rq->now) {
		rq_put(rq, n, false);
		return;
	}
	if (at < rq->now)
		n->vtime = rq->now << rq->shift;
	rq->nr++;
	n->level = RQ_FRONT;
	list_add_tail(&rq->front, &n->link);
}

/* @n yields: behind whoever comes next, at the price of the virtual time between. */
static inline void
rq_put_yielding(struct run_queue *rq, struct run_node *n)
{
	if (rq->occupied != 0) {
		const uint64_t next = rq_first_slot(rq);

		if (rq_slot_of(rq, n) < next)
			n->vtime = next << rq->shift;
	}
	rq_put(rq, n, false);
}

/* Not list_del(): nobody asks whether a running thread is linked. */
static inline struct run_node *
rq_pop(struct list *queue)
{
	struct list *first = queue->next;

	queue->next = first->next;
	first->next->prev = queue;
	return list_entry(first, struct run_node, link);
}

/* Take out who is due; @rq must not be empty. */
static inline struct run_node *
rq_pick(struct run_queue *rq)
{
	struct run_node *n;
	struct list *slot;

	rq->nr--;
	if (!list_empty(&rq->front))
		return rq_pop(&rq->front);
	if (unlikely(rq->occupied == 0))
		return rq_pop(&rq->background);
	rq->now = rq_first_slot(rq);
	slot = &rq->slot[rq->now % RQ_SLOTS];
	n = rq_pop(slot);
	if (list_empty(slot))
		rq->occupied &= ~BIT(rq->now % RQ_SLOTS);
	return n;
}

/* Is somebody due before @n, which runs and is charged, may go on for another tick? */
static inline bool
rq_others_due(const struct run_queue *rq, const struct run_node *n)
{
	if (!list_empty(&rq->front))
		return true;
	if (rq->occupied == 0) /* only the background is left, if anybody */
		return n->level == RQ_BACKGROUND && rq->nr != 0;
	return n->level == RQ_BACKGROUND || rq_first_slot(rq) <= rq_slot_of(rq, n);
}

/*
 * Nobody is ready but, perhaps, @n, which ran up to now: the calendar goes on from where @n stands,
 * so that what it used while nobody wanted the CPU is no debt.
 */
static inline void
rq_catch_up(struct run_queue *rq, const struct run_node *n)
{
	const uint64_t at = rq_slot_of(rq, n);

	if (at > rq->now)
		rq->now = at;
}
