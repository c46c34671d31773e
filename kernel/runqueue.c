/*
 * runqueue.c - the calendar of ready threads: what is not done at every switch.
 *
 * Theory: docs/scheduling.md.  The rest is inline in kern/runqueue.h.
 */
#include <kern/runqueue.h>

/*
 * How fast virtual time passes at nice -20 .. 19, RATES_SHIFT fixed point: 1.25^nice, so that a step
 * of one moves about a tenth of the CPU from one of two threads to the other.
 */
#define RATES_SHIFT 16
static const uint32_t rates[NICE_MAX - NICE_MIN + 1] = {
	756,	944,	 1181,	  1476,	   1845,    2306,    2882,    3603,    /* -20 */
	4504,	5629,	 7037,	  8796,	   10995,   13744,   17180,   21475,   /* -12 */
	26844,	33554,	 41943,	  52429,   65536,   81920,   102400,  128000,  /* -4 */
	160000, 200000,	 250000,  312500,  390625,  488281,  610352,  762939,  /* 4 */
	953674, 1192093, 1490116, 1862645, 2328306, 2910383, 3637979, 4547474, /* 12 */
};

void
rq_init(struct run_queue *rq, uint64_t tick_cycles)
{
	rq->occupied = rq->now = 0;
	rq->nr = 0;
	rq->tick = tick_cycles;
	list_init(&rq->front);
	list_init(&rq->background);
	for (unsigned i = 0; i < RQ_SLOTS; i++)
		list_init(&rq->slot[i]);
}

/* A slot at nice 0 is RQ_SLOT_TICKS2 / 2 ticks. */
void
rq_set_nice(const struct run_queue *rq, struct run_node *n, int nice)
{
	const unsigned up = RQ_SLOT_SHIFT + 1 + RQ_RATE_SHIFT - RATES_SHIFT;

	n->nice = (int8_t)nice;
	n->rate = 0;
	if (nice != NICE_BACKGROUND)
		n->rate = (uint32_t)(((uint64_t)rates[nice - NICE_MIN] << up) /
				     (rq->tick * RQ_SLOT_TICKS2));
}

void
rq_remove(struct run_queue *rq, struct run_node *n)
{
	const uint64_t at = rq_slot_of(n) % RQ_SLOTS;

	list_del(&n->link);
	rq->nr--;
	if (n->level == RQ_FAIR && list_empty(&rq->slot[at]))
		rq->occupied &= ~BIT(at);
}
