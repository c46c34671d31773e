/*
 * timers.c - `stress`: each timer that is armed either runs once, or is cancelled and does not.
 */
#include "stress.h"
#include <kern/clock.h>
#include <kern/timer.h>

#define TIMERS	  4 /* of each worker */
#define LATE_NS	  (3 * NS_PER_MS)
#define SETTLE_MS 10000

static struct state {
	struct timer timer;
	bool armed;			 /* [self] and not known to have ended */
	volatile uint64_t fired;	 /* [a] */
	uint64_t armed_count, cancelled; /* [self] */
	volatile uint64_t early_ns;	 /* [a] it ran before its time, by this much */
	uint64_t deadline_ns;		 /* [self] */
} states[STRESS_WORKERS][TIMERS];

static void
fire(void *arg)
{
	struct state *s = arg;
	const uint64_t now = clock_ns();

	if (now < s->deadline_ns)
		s->early_ns = s->deadline_ns - now;
	__atomic_fetch_add(&s->fired, 1, __ATOMIC_RELAXED);
}

int
stress_timers_begin(void)
{
	for (unsigned i = 0; i < STRESS_WORKERS; i++) {
		for (unsigned k = 0; k < TIMERS; k++) {
			states[i][k] = (struct state){0};
			timer_setup(&states[i][k].timer, fire, &states[i][k]);
		}
	}
	return 0;
}

static void
arm(struct stress_worker *w, struct state *s)
{
	const uint64_t in = stress_below(w, 4) == 0 ? stress_below(w, 3600) * NS_PER_SEC
						    : stress_below(w, LATE_NS);

	s->deadline_ns = clock_ns() + in;
	s->armed = true;
	s->armed_count++;
	timer_arm(&s->timer, s->deadline_ns);
}

static void
cancel(struct state *s)
{
	if (timer_cancel(&s->timer))
		s->cancelled++;
	s->armed = false;
	STRESS_CHECK(s->fired + s->cancelled == s->armed_count,
		     "a timer was armed %lu times, ran %lu times and was cancelled %lu times",
		     s->armed_count, s->fired, s->cancelled);
	STRESS_CHECK(s->early_ns == 0, "a timer ran %lu ns too early", s->early_ns);
}

void
stress_timers_step(struct stress_worker *w)
{
	struct state *s = &states[w->me][stress_below(w, TIMERS)];

	if (s->armed)
		cancel(s);
	else
		arm(w, s);
}

void
stress_timers_end(struct stress_worker *w)
{
	for (unsigned k = 0; k < TIMERS; k++)
		cancel(&states[w->me][k]);
}
