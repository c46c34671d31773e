/*
 * test_runqueue.c - kernel/runqueue.c: shares, order and bounds of the calendar of ready threads.
 *
 * A model of the scheduler around it: time goes by in ticks, and whoever runs is charged.
 * SEED= repeats a random run.
 */
/* SOURCES: kernel/runqueue.c */
#include "host.h"
#include <time.h>
#include <kern/runqueue.h>

#define TICK	10000000ULL /* cycles */
#define THREADS 200

static struct run_queue rq;
static struct run_node node[THREADS];
static uint64_t ran[THREADS]; /* cycles */
static struct run_node *current;

static unsigned
index_of(const struct run_node *n)
{
	return (unsigned)(n - node);
}

static void
start(unsigned n, const int *nice)
{
	rq_init(&rq, TICK);
	for (unsigned i = 0; i < n; i++) {
		node[i] = (struct run_node){.vtime = 0};
		rq_set_nice(&rq, &node[i], nice != NULL ? nice[i] : 0);
		rq_put(&rq, &node[i], false);
		ran[i] = 0;
	}
	current = rq_pick(&rq);
}

static void
run_for(uint64_t cycles)
{
	rq_charge(current, cycles);
	ran[index_of(current)] += cycles;
}

/* As sched_tick() and sched_preempt() do. */
static void
tick(void)
{
	run_for(TICK);
	if (current->level == RQ_FRONT)
		current->level = RQ_FAIR;
	if (rq.nr == 0) {
		rq_catch_up(&rq, current);
	} else if (rq_others_due(&rq, current)) {
		rq_put(&rq, current, false);
		current = rq_pick(&rq);
	}
}

/* Every thread is where its bits and counts say. */
static void
check_sound(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < RQ_SLOTS; i++) {
		struct run_node *n;

		assert_int_equal((rq.occupied >> i) & 1, !list_empty(&rq.slot[i]));
		list_for_each_entry (n, &rq.slot[i], link) {
			assert_int_equal(rq_slot_of(n) % RQ_SLOTS, i);
			assert_true(rq_slot_of(n) - rq.now < RQ_SLOTS);
			count++;
		}
	}
	for (struct list *l = rq.front.next; l != &rq.front; l = l->next)
		count++;
	for (struct list *l = rq.background.next; l != &rq.background; l = l->next)
		count++;
	assert_int_equal(count, rq.nr);
}

static void
equal_shares(void **state)
{
	start(7, NULL);
	for (unsigned i = 0; i < 7 * 300; i++)
		tick();
	for (unsigned i = 0; i < 7; i++) /* never further apart than a slot and a tick */
		assert_in_range(ran[i], 300 * TICK - TICK * 5 / 2, 300 * TICK + TICK * 5 / 2);
}

static void
shares_by_nice(void **state)
{
	static const int nice[] = {-20, -10, -1, 0, 1, 5, 10, 19};
	double sum = 0, weight[8];
	const unsigned ticks = 2000000;

	for (unsigned i = 0; i < 8; i++) {
		weight[i] = 1;
		for (int k = 0; k < abs(nice[i]); k++)
			weight[i] = nice[i] > 0 ? weight[i] / 1.25 : weight[i] * 1.25;
		sum += weight[i];
	}
	start(8, nice);
	for (unsigned i = 0; i < ticks; i++)
		tick();
	for (unsigned i = 0; i < 8; i++) {
		const double want = (double)ticks * weight[i] / sum, got = (double)ran[i] / TICK;

		assert_true(got > want * 0.99 - 2 && got < want * 1.01 + 2);
	}
}

/* 100 threads of nice -20 do not keep one of nice 19 from running. */
static void
no_starvation(void **state)
{
	int nice[101];
	uint64_t last = 0, longest = 0;

	for (unsigned i = 0; i < 100; i++)
		nice[i] = NICE_MIN;
	nice[100] = NICE_MAX;
	start(101, nice);
	for (uint64_t i = 0; i < 2000000; i++) {
		const uint64_t before = ran[100];

		tick();
		if (ran[100] != before) {
			longest = MAX(longest, i - last);
			last = i;
		}
	}
	assert_true(last != 0);
	/* 64 slots of 1.5 ticks; the others take 1 / 0.0115 times that, each. */
	assert_true(longest <= 64 * 3 / 2 * 87 * 100 + 200);
}

/* Who slept goes before all who compute, in the order of the wakes; who ran ahead does not. */
static void
woken_first(void **state)
{
	start(20, NULL);
	for (unsigned i = 0; i < 100; i++)
		tick();
	for (unsigned i = 20; i < 23; i++) {
		node[i] = (struct run_node){.vtime = 0};
		rq_set_nice(&rq, &node[i], 0);
		rq_put_woken(&rq, &node[i]);
		assert_int_equal(node[i].level, RQ_FRONT);
	}
	node[23] = (struct run_node){.vtime = (rq.now + 1) << RQ_SLOT_SHIFT};
	rq_set_nice(&rq, &node[23], 0);
	rq_put_woken(&rq, &node[23]);
	assert_int_equal(node[23].level, RQ_FAIR);
	check_sound();
	for (unsigned i = 20; i < 23; i++)
		assert_ptr_equal(rq_pick(&rq), &node[i]);
	assert_in_range(index_of(rq_pick(&rq)), 0, 19);
}

/* Sleep is no way to more than one's share: what was left unused is lost, but for one slot. */
static void
sleep_earns_nothing(void **state)
{
	uint64_t before;

	start(2, NULL);
	while (current != &node[0])
		tick();
	current = rq_pick(&rq); /* 0 sleeps */
	for (unsigned i = 0; i < 1000; i++)
		tick();
	rq_put_woken(&rq, &node[0]);
	before = ran[1];
	rq_put(&rq, current, true);
	current = rq_pick(&rq);
	for (unsigned i = 0; i < 1000; i++)
		tick();
	assert_in_range(ran[1] - before, 500 * TICK - 4 * TICK, 500 * TICK + 4 * TICK);
}

/* Nor is running alone a debt. */
static void
alone_is_no_debt(void **state)
{
	start(1, NULL);
	for (unsigned i = 0; i < 100000; i++)
		tick();
	node[1] = (struct run_node){.vtime = 0};
	rq_set_nice(&rq, &node[1], 0);
	rq_put(&rq, &node[1], false);
	ran[0] = ran[1] = 0;
	for (unsigned i = 0; i < 1000; i++)
		tick();
	assert_in_range(ran[0], 500 * TICK - 4 * TICK, 500 * TICK + 4 * TICK);
}

static void
background_waits(void **state)
{
	static const int nice[] = {NICE_BACKGROUND, NICE_MAX, NICE_BACKGROUND};

	start(3, nice);
	for (unsigned i = 0; i < 1000; i++)
		tick();
	assert_ptr_equal(current, &node[1]);
	current = rq_pick(&rq); /* 1 sleeps */
	for (unsigned i = 0; i < 100; i++)
		tick();
	assert_int_equal(ran[0], 50 * TICK);
	assert_int_equal(ran[2], 50 * TICK);
	assert_true(rq_others_due(&rq, current));
	node[1].level = RQ_FAIR;
	rq_put_woken(&rq, &node[1]);
	assert_true(node[1].level > current->level); /* preempts */
	check_sound();
	assert_ptr_equal(rq_pick(&rq), &node[1]);
	rq_put(&rq, &node[1], false); /* in a later slot than the background's old virtual time */
	assert_true(rq_slot_of(&node[1]) > rq_slot_of(current));
	assert_true(rq_others_due(&rq, current));
}

/* Two that yield take turns, whatever their nice values; with a third in a later slot, too. */
static void
yield_lets_another_run(void **state)
{
	static const int nice[] = {-5, 5, 0};

	start(3, nice);
	for (unsigned i = 0; i < 1000; i++) {
		struct run_node *next;

		run_for(TICK / 100);
		next = rq_yield(&rq, current);
		assert_ptr_not_equal(next, current);
		current = next;
		check_sound();
	}
}

static void
renice_in_the_queue(void **state)
{
	start(3, NULL);
	for (unsigned i = 0; i < 3; i++) {
		if (&node[i] == current)
			continue;
		rq_remove(&rq, &node[i]);
		check_sound();
		rq_set_nice(&rq, &node[i], NICE_BACKGROUND);
		rq_put(&rq, &node[i], false);
		check_sound();
	}
	rq_remove(&rq, rq.background.next == NULL
			       ? NULL
			       : list_first(&rq.background, struct run_node, link));
	check_sound();
	assert_int_equal(rq.nr, 1);
}

static bool asleep[THREADS];

static void
random_step(void)
{
	const unsigned i = (unsigned)rand() % THREADS;

	switch (rand() % 6) {
	case 0: tick(); break;
	case 1: /* sleep */
		if (rq.nr != 0) {
			run_for((uint64_t)rand() % TICK);
			asleep[index_of(current)] = true;
			current = rq_pick(&rq);
		}
		break;
	case 2:
	case 3: /* wake */
		if (asleep[i]) {
			asleep[i] = false;
			rq_put_woken(&rq, &node[i]);
		}
		break;
	case 4:
		if (rq.nr != 0) {
			run_for((uint64_t)rand() % 1000);
			current = rq_yield(&rq, current);
		}
		break;
	default: /* renice, also to the background; a thread that stopped the machine for long */
		if (asleep[i])
			rq_set_nice(&rq, &node[i], rand() % 41 - 20);
		else if (rand() % 50 == 0)
			run_for(TICK * 1000);
	}
}

static void
random_walk(void **state)
{
	const char *given = getenv("SEED");
	const unsigned seed = given ? (unsigned)strtoul(given, NULL, 0) : (unsigned)time(NULL);

	print_message("SEED=%u\n", seed);
	srand(seed);
	for (unsigned i = 0; i < THREADS; i++)
		asleep[i] = false;
	start(THREADS, NULL);
	for (unsigned i = 0; i < 50000; i++) {
		random_step();
		if (i % 16 == 0)
			check_sound();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_shares),	       cmocka_unit_test(shares_by_nice),
		cmocka_unit_test(no_starvation),       cmocka_unit_test(woken_first),
		cmocka_unit_test(sleep_earns_nothing), cmocka_unit_test(alone_is_no_debt),
		cmocka_unit_test(background_waits),    cmocka_unit_test(yield_lets_another_run),
		cmocka_unit_test(renice_in_the_queue), cmocka_unit_test(random_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
