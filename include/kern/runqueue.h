/*
 * runqueue.h - the threads that are ready: a calendar of virtual time.
 *
 * Virtual time passes for a thread only while it runs, and the faster the higher its nice value is:
 * whoever has used least of it is due next.  The ready ones are entered in a calendar like
 * appointments: RQ_SLOTS slots, each 15 ms wide and a FIFO, round and round from `now`, the
 * slot that is being served.  One bit per slot says whether somebody is in it: putting in and picking
 * take the same few instructions whatever the number of threads.
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

#define RQ_SLOTS       64 /* one word of bits */
#define RQ_SLOT_SHIFT  24 /* a slot is 2^24 units of virtual time: decades until 64 bits are full */
#define RQ_SLOT_TICKS2 3  /* and this many half ticks at nice 0 */
#define RQ_RATE_SHIFT  20 /* fixed point of run_node.rate */

/* From where a thread was picked, or will be; the higher one preempts the lower.  0 is the idle thread's. */
enum rq_level { RQ_IDLE, RQ_BACKGROUND, RQ_FAIR, RQ_FRONT };

/* The scheduler's part of a thread.  Legend: [sched] sched_lock. */
struct run_node {
	struct list link; /* [sched] linked exactly while the thread is READY */
	uint64_t vtime;	  /* [sched] virtual time it has used */
	uint32_t rate;	  /* [sched] virtual time per cycle, RQ_RATE_SHIFT fixed point */
	int8_t nice;	  /* [sched] NICE_MIN..NICE_MAX, or NICE_BACKGROUND */
	uint8_t level;	  /* [sched] enum rq_level */
};

struct run_queue {
	uint64_t occupied; /* bit i: slot[i] holds somebody */
	uint64_t now;	   /* the slot being served, counted from 0 without end */
	unsigned nr;	   /* threads in here */
	uint64_t tick;	   /* cycles between two ticks */
	struct list front, background;
	struct list slot
		[RQ_SLOTS]; /* [i]: the one slot of [now, now + RQ_SLOTS) that is i modulo RQ_SLOTS */
};

/* An empty queue, for a CPU with @tick_cycles between two ticks (at least 1000). */
void rq_init(struct run_queue *rq, uint64_t tick_cycles);
/* Give @n, which is in no queue, the valid @nice, and the rate that belongs to it. */
void rq_set_nice(const struct run_queue *rq, struct run_node *n, int nice);
/* Take out @n, which is in @rq. */
void rq_remove(struct run_queue *rq, struct run_node *n);

static inline uint64_t
rq_slot_of(const struct run_node *n)
{
	return n->vtime >> RQ_SLOT_SHIFT;
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
	uint64_t at = rq_slot_of(n);

	rq->nr++;
	if (unlikely(n->nice == NICE_BACKGROUND)) {
		n->level = RQ_BACKGROUND;
		list_add_tail(&rq->background, &n->link);
		return;
	}
	if (unlikely(at - rq->now >= RQ_SLOTS)) { /* before now, or too far */
		at = at < rq->now ? rq->now : rq->now + RQ_SLOTS - 1;
		n->vtime = at << RQ_SLOT_SHIFT;
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
	const uint64_t at = rq_slot_of(n);

	if (unlikely(n->nice == NICE_BACKGROUND) || at > rq->now) {
		rq_put(rq, n, false);
		return;
	}
	if (at < rq->now)
		n->vtime = rq->now << RQ_SLOT_SHIFT;
	rq->nr++;
	n->level = RQ_FRONT;
	list_add_tail(&rq->front, &n->link);
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
	struct list *slot = &rq->slot[rq->now % RQ_SLOTS];
	struct run_node *n;

	rq->nr--;
	if (!list_empty(&rq->front))
		return rq_pop(&rq->front);
	if (list_empty(slot)) {
		if (unlikely(rq->occupied == 0))
			return rq_pop(&rq->background);
		rq->now = rq_first_slot(rq);
		slot = &rq->slot[rq->now % RQ_SLOTS];
	}
	n = rq_pop(slot);
	if (list_empty(slot))
		rq->occupied &= ~BIT(rq->now % RQ_SLOTS);
	return n;
}

/*
 * @n yields: it goes behind whoever comes next, at the price of the virtual time between.  Returns
 * who shall run, perhaps @n.  @rq is not empty.
 */
static inline struct run_node *
rq_yield(struct run_queue *rq, struct run_node *n)
{
	struct list *slot = &rq->slot[rq->now % RQ_SLOTS];
	uint64_t next;

	if (likely(list_empty(&rq->front) && !list_empty(slot) && n->level >= RQ_FAIR &&
		   rq_slot_of(n) <= rq->now)) {
		struct run_node *first = rq_pop(slot);

		n->level = RQ_FAIR;
		list_add_tail(slot, &n->link);
		return first;
	}
	if (rq->occupied != 0) {
		next = rq_first_slot(rq);
		if (rq_slot_of(n) < next)
			n->vtime = next << RQ_SLOT_SHIFT;
	}
	rq_put(rq, n, false);
	return rq_pick(rq);
}

/* Is somebody due before @n, which runs and is charged, may go on for another tick? */
static inline bool
rq_others_due(const struct run_queue *rq, const struct run_node *n)
{
	if (!list_empty(&rq->front))
		return true;
	if (rq->occupied == 0) /* only the background is left, if anybody */
		return n->level == RQ_BACKGROUND && rq->nr != 0;
	return n->level == RQ_BACKGROUND || rq_first_slot(rq) <= rq_slot_of(n);
}

/*
 * Nobody is ready but, perhaps, @n, which ran up to now: the calendar goes on from where @n stands,
 * so that what it used while nobody wanted the CPU is no debt.
 */
static inline void
rq_catch_up(struct run_queue *rq, const struct run_node *n)
{
	const uint64_t at = rq_slot_of(n);

	if (at > rq->now)
		rq->now = at;
}
