/*
 * crash_corrupt.c - `crash corrupt`: a panic whose backtrace does not show who is to blame.
 *
 * A sampler thread keeps a pointer to its sample after the sample was freed.  The heap gives the
 * place to a ledger.  The sampler wakes once more, writes one number through its stale pointer and
 * ends; later the ledger's keeper finds books that do not add up, and panics.  This is the kind of
 * mistake that only the way back through a recording shows: docs/time-travel.md.
 *
 * Nothing here is locked: each thread believes that its object is its own, which is the mistake.
 */
#include <kern/clock.h>
#include <kern/thread.h>
#include <mm/kmalloc.h>
#include "cmds.h"

#define NOT_INLINE   __attribute__((noinline)) /* so that its name is in backtraces */
#define SAMPLE_MS    50			       /* after the start, the write that should not be */
#define BOOKING_MS   20
#define MAX_BOOKINGS 10 /* 200 ms; the third or fourth finds the damage */
#define MAX_TRIES    256

/* What the sampler measures.  The same size as a ledger, so that the heap reuses its place. */
struct sample {
	uint64_t nr;
	uint64_t first_ns;
	uint64_t last_ns;
	uint64_t longest_ns;
};

/* Invariant: received == spent + balance. */
struct ledger {
	uint64_t received;
	uint64_t spent;
	uint64_t balance;
	uint64_t nr_bookings;
};

_Static_assert(sizeof(struct sample) == sizeof(struct ledger), "else the place is not reused");

static NOT_INLINE void
sample_store(struct sample *s, uint64_t now_ns)
{
	s->last_ns = now_ns; /* the ledger's balance, by now */
}

static void
sampler(void *arg)
{
	if (sleep_ms(SAMPLE_MS) == 0)
		sample_store(arg, clock_ns());
}

static NOT_INLINE void
ledger_check(const struct ledger *l)
{
	if (l->received != l->spent + l->balance)
		panic("ledger %p does not add up: received %lu, spent %lu, balance %lu after "
		      "booking %lu",
		      (const void *)l, l->received, l->spent, l->balance, l->nr_bookings);
}

/* Receives 10, spends 3, and looks whether the books are right; every 20 ms. */
static void
keeper(void *arg)
{
	struct ledger *const l = arg;

	while (l->nr_bookings < MAX_BOOKINGS && sleep_ms(BOOKING_MS) == 0) {
		ledger_check(l);
		l->received += 10;
		l->spent += 3;
		l->balance += 7;
		l->nr_bookings++;
	}
}

/* A ledger at @place, which is free.  NULL if the heap does not give it: memory short, or in use. */
static struct ledger *
ledger_at(const void *place)
{
	static struct ledger *others[MAX_TRIES]; /* too large for a stack */
	struct ledger *l = NULL;
	size_t n = 0;

	while (n < MAX_TRIES) {
		l = kzalloc(sizeof(*l));
		if (l == NULL || l == place)
			break;
		others[n++] = l;
		l = NULL;
	}
	while (n > 0)
		kfree(others[--n]);
	return l;
}

/* End the sampler while it still sleeps: it must not write into what may be anybody's by now. */
static void
call_off(struct thread *t, const char *why)
{
	(void)thread_kill(t->id);
	if (thread_join(t) == -EINTR)
		thread_detach(t);
	sh_printf("%s: nothing to see\n", why);
}

void
crash_corrupt(void)
{
	struct sample *s = kzalloc(sizeof(*s));
	struct thread *t = s != NULL ? thread_create("sampler", sampler, s) : NULL;
	struct thread *k;
	struct ledger *l;

	if (t == NULL) {
		kfree(s);
		sh_printf("out of memory\n");
		return;
	}
	kfree(s); /* the mistake: the sampler still has it */
	l = ledger_at(s);
	if (l == NULL) {
		call_off(t, "the heap did not give the freed place again");
		return;
	}
	k = thread_create("keeper", keeper, l);
	if (k == NULL) {
		call_off(t, "out of memory");
		kfree(l);
		return;
	}
	thread_detach(t);
	(void)thread_join(k); /* comes back only if Ctrl-C ends the wait */
}
