/*
 * test_spinlock.c - the ticket lock with several CPUs: host threads that take it at the same time.
 *
 * SOURCES: kernel/spinlock.c
 * The quick way is the C version in x86/lock.h; the waiting, the release and the rest are the kernel's.
 */
#include "host.h"
#include <kern/ksym.h>
#include <kern/spinlock.h>
#include <pthread.h>
#include <sched.h>

#define CPUS   4
#define ROUNDS 20000

static struct spinlock lock = SPINLOCK_INIT("test");
static bool panicking, panicked;
static unsigned inside, counter; /* [lock] */
static unsigned entered[CPUS];	 /* [lock] order of tickets */

void
panic(const char *fmt, ...)
{
	(void)fmt;
	panicked = true;
	pthread_exit(NULL);
}

bool
panic_in_progress(void)
{
	if (!panicking)
		sched_yield(); /* who waits asks this again and again: a host CPU is worth more */
	return panicking;
}

struct ksym_text
ksym_text(uint64_t addr)
{
	(void)addr;
	return (struct ksym_text){""};
}

void
lock_contended_host(struct ticket_lock *l, uint16_t ticket)
{
	spin_contended((struct spinlock *)l, 0, ticket);
}

static void *
count(void *arg)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		const uint64_t flags = spin_lock(&lock);

		if (++inside != 1)
			abort();
		counter++;
		if (i % 512 == 0)
			sched_yield(); /* the others draw tickets */
		inside--;
		spin_unlock(&lock, flags);
	}
	return arg;
}

/* Nobody is inside together, no count is lost; the numbers wrap around on the way. */
static void
excludes(void **state)
{
	pthread_t t[CPUS];

	(void)state;
	spin_cpus = CPUS;
	counter = 0;
	for (unsigned i = 0; i < CPUS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, count, NULL), 0);
	for (unsigned i = 0; i < CPUS; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(counter, CPUS * ROUNDS);
	assert_false(spin_held(&lock));
}

static unsigned nr_entered;

static void *
enter(void *arg)
{
	const uint64_t flags = spin_lock(&lock);

	entered[nr_entered++] = (unsigned)(uintptr_t)arg;
	spin_unlock(&lock, flags);
	return NULL;
}

static unsigned
waiting(void)
{
	return (uint16_t)(__atomic_load_n(&lock.tickets.next, __ATOMIC_SEQ_CST) -
			  __atomic_load_n(&lock.tickets.serving, __ATOMIC_SEQ_CST));
}

/* First come, first served. */
static void
is_fair(void **state)
{
	pthread_t t[CPUS];
	uint64_t flags;

	(void)state;
	spin_cpus = CPUS;
	nr_entered = 0;
	flags = spin_lock(&lock);
	for (unsigned i = 0; i < CPUS; i++) {
		assert_int_equal(pthread_create(&t[i], NULL, enter, (void *)(uintptr_t)i), 0);
		while (waiting() != i + 2)
			sched_yield();
	}
	spin_unlock(&lock, flags);
	for (unsigned i = 0; i < CPUS; i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
		assert_int_equal(entered[i], i);
	}
}

/* Alone, waiting would never end: a panic.  While one is reported, the lock is taken over. */
static void
alone(void **state)
{
	pthread_t t;
	uint64_t flags;

	(void)state;
	spin_cpus = 1;
	(void)spin_lock(&lock);
	assert_int_equal(pthread_create(&t, NULL, enter, NULL), 0);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_true(panicked);
	panicking = true;
	flags = spin_lock(&lock);
	assert_true(spin_held(&lock));
	spin_unlock(&lock, flags);
	assert_false(spin_held(&lock));
	panicking = false;
}

/* Opened by force, it is free, whoever held it or drew tickets. */
static void
is_broken(void **state)
{
	(void)state;
	(void)spin_lock(&lock);
	spin_break(&lock);
	assert_false(spin_held(&lock));
	spin_unlock(&lock, spin_lock(&lock));
	assert_false(spin_held(&lock));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(excludes),
		cmocka_unit_test(is_fair),
		cmocka_unit_test(alone),
		cmocka_unit_test(is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
