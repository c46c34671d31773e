/*
 * runqueue.c - the calendar of ready threads: what is not done at every switch.
 *
 * Theory: docs/scheduling.md.  The rest is inline in kern/runqueue.h.
 */
#include <kern/runqueue.h>

/*
 * Virtual cycles per cycle at nice -20 .. 19, 16 bits fixed point: 1.25^nice, so that a step of one
 * moves a tenth of the CPU from one of two threads to the other.
 */
static const uint32_t rates[NICE_MAX - NICE_MIN + 1] = {
	756,	944,	 1181,	  1476,	   1845,    2306,    2882,    3603,    /* -20 */
	4504,	5629,	 7037,	  8796,	   10995,   13744,   17180,   21475,   /* -12 */
	26844,	33554,	 41943,	  52429,   65536,   81920,   102400,  128000,  /* -4 */
	160000, 200000,	 250000,  312500,  390625,  488281,  610352,  762939,  /* 4 */
	953674, 1192093, 1490116, 1862645, 2328306, 2910383, 3637979, 4547474, /* 12 */
};

void
rq_set_tick(struct run_queue *rq, uint64_t tick_cycles)
{
	const uint64_t least = MAX(tick_cycles, (uint64_t)1) * 3 / 2;

	rq->shift = least > 1 ? 64 - (unsigned)__builtin_clzll(least - 1) : 1;
}

void
rq_init(struct run_queue *rq, uint64_t tick_cycles)
{
	rq->occupied = rq->now = 0;
	rq->nr = 0;
	rq_set_tick(rq, tick_cycles);
	list_init(&rq->front);
	list_init(&rq->background);
	for (unsigned i = 0; i < RQ_SLOTS; i++)
		list_init(&rq->slot[i]);
}

void
rq_set_nice(struct run_node *n, int nice)
{
	n->nice = (int8_t)nice;
	n->rate = nice == NICE_BACKGROUND ? 0 : rates[nice - NICE_MIN];
}

void
rq_remove(struct run_queue *rq, struct run_node *n)
{
	const uint64_t at = rq_slot_of(rq, n) % RQ_SLOTS;

	list_del(&n->link);
	rq->nr--;
	if (n->level == RQ_FAIR && list_empty(&rq->slot[at]))
		rq->occupied &= ~BIT(at);
}
