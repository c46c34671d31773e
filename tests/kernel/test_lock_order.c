/*
 * test_lock_order.c - what builds with DEBUG=1 notice about locks and sleeping: each mistake is made
 * once, and the panic must name it and both places.  Other builds have nothing to test here.
 */
#include "tests.h"
#include <kern/clock.h>
#include <kern/rwlock.h>
#include <kern/sync.h>
#include <kern/thread.h>
#include <kern/timer.h>
#include <lib/string.h>

/* The two whose order is in kernel/lock_order.c. */
static struct mutex outer = MUTEX_INIT(outer, "test outer");
static struct rwlock inner = RWLOCK_INIT(inner, "test inner");
static struct mutex plain = MUTEX_INIT(plain, "test"), nameless = MUTEX_INIT(nameless, "nameless");
static struct spinlock spin = SPINLOCK_INIT("test spin");

/* @fn makes a mistake: the panic says all of @texts (NULL ends them). */
static void
expect(void (*fn)(void *), const char *const *texts)
{
	CHECK_EQ(selftest_catch(fn, NULL), SELFTEST_PANIC);
	for (; *texts != NULL; texts++) {
		if (strstr(selftest_panic_text(), *texts) == NULL)
			selftest_fail(__FILE__, __LINE__, "no \"%s\" in \"%s\"", *texts,
				      selftest_panic_text());
	}
}
#define EXPECT(fn, ...) expect(fn, (const char *const[]){__VA_ARGS__, NULL})

static void NO_LOCK_ANALYSIS
mutex_in_rwlock(void *unused)
{
	rw_read_lock(&inner);
	mutex_lock(&outer);
}

static void NO_LOCK_ANALYSIS
read_twice(void *unused)
{
	rw_read_lock(&inner);
	rw_read_lock(&inner);
}

static void NO_LOCK_ANALYSIS
lock_unknown(void *unused)
{
	mutex_lock(&nameless);
	mutex_lock(&plain);
}

/* Ranks of locks that sleep: the wrong order, the same twice, one that is not in the table. */
void
test_order_sleeping(void)
{
	if (!LOCK_ORDER)
		return;
	mutex_lock(&outer);
	rw_write_lock(&inner); /* the right way round */
	rw_write_unlock(&inner);
	mutex_unlock(&outer);
	EXPECT(mutex_in_rwlock, "\"test outer\" is taken at mutex_in_rwlock+",
	       "while \"test inner\" is held, since mutex_in_rwlock+");
	rw_read_unlock(&inner);
	EXPECT(read_twice, "\"test inner\" is locked twice: at read_twice+", "and at read_twice+");
	rw_read_unlock(&inner);
	EXPECT(lock_unknown, "lock \"nameless\" has no place in the lock order");
	CHECK(!mutex_held(&plain));
}

/* --- sleeping where one must not ------------------------------------------------------------ */

static void
sleep_a_while(void *unused)
{
	(void)sleep_ms(1);
}

static void NO_LOCK_ANALYSIS
sleep_with_spinlock(void *unused)
{
	(void)spin_lock(&spin);
	sleep_a_while(NULL);
}

static void
sleep_without_preemption(void *unused)
{
	preempt_disable();
	sleep_a_while(NULL);
}

static void
sleep_deaf(void *unused)
{
	(void)irq_save();
	sleep_a_while(NULL);
}

/* Each of them would not even sleep: the mistake is noticed all the same. */
static void
down_free_semaphore(void *unused)
{
	struct semaphore s;

	sem_init(&s, 1);
	preempt_disable();
	(void)sem_down(&s);
}

static void
wait_for_completed(void *unused)
{
	struct completion c = COMPLETION_INIT(c);

	complete(&c);
	preempt_disable();
	completion_wait(&c);
}

static void
wait_for_true(void *unused)
{
	static struct wait_queue q = WAIT_QUEUE_INIT(q);

	preempt_disable();
	(void)wait_event(&q, true);
}

static void NO_LOCK_ANALYSIS
lock_free_mutex(void *unused)
{
	preempt_disable();
	mutex_lock(&plain);
}

static void NO_LOCK_ANALYSIS
read_free_rwlock(void *unused)
{
	preempt_disable();
	rw_read_lock(&inner);
}

static void NO_LOCK_ANALYSIS
write_free_rwlock(void *unused)
{
	preempt_disable();
	rw_write_lock(&inner);
}

static void NO_LOCK_ANALYSIS
lock_free_mutex_timeout(void *unused)
{
	preempt_disable();
	if (mutex_lock_timeout(&plain, 1) == 0)
		mutex_unlock(&plain);
}

static void
join_nobody(void *thread)
{
	preempt_disable();
	(void)thread_join_timeout(thread, 0);
}

void
test_order_sleep_in_atomic(void)
{
	if (!LOCK_ORDER)
		return;
	EXPECT(sleep_with_spinlock, "sleep may sleep at ",
	       "spinlock \"test spin\" is held, since sleep_with_spinlock+");
	spin_break(&spin);
	EXPECT(sleep_without_preemption, "preemption disabled, since sleep_without_preemption+");
	EXPECT(sleep_deaf, "interrupts off, since sleep_deaf+");
	EXPECT(down_free_semaphore, "sem_down may sleep", "since down_free_semaphore+");
	EXPECT(wait_for_completed, "completion_wait may sleep", "since wait_for_completed+");
	EXPECT(wait_for_true, "wait_event may sleep at wait_for_true+", "since wait_for_true+");
	EXPECT(lock_free_mutex, "test may sleep at lock_free_mutex+", "since lock_free_mutex+");
	EXPECT(lock_free_mutex_timeout, "may sleep at lock_free_mutex_timeout+",
	       "since lock_free_mutex_timeout+");
	EXPECT(read_free_rwlock, "may sleep at read_free_rwlock+", "since read_free_rwlock+");
	EXPECT(write_free_rwlock, "may sleep at write_free_rwlock+", "since write_free_rwlock+");
	CHECK(!mutex_held(&plain) && inner.state == 0 && irqs_on());
}

static void
linger(void *unused)
{
	(void)sleep_ms(20);
}

void
test_order_join_in_atomic(void)
{
	struct thread *t;

	if (!LOCK_ORDER)
		return;
	t = thread_create("lingers", linger, NULL);
	CHECK(t != NULL);
	CHECK_EQ(selftest_catch(join_nobody, t), SELFTEST_PANIC);
	CHECK(strstr(selftest_panic_text(), "thread_join may sleep") != NULL);
	CHECK(strstr(selftest_panic_text(), "since join_nobody+") != NULL);
	CHECK_EQ(thread_join(t), 0);
}

static volatile bool noticed;

static void
sleep_in_handler(void *unused)
{
	const unsigned held = lock_spinning.nr;

	/* A panic in a handler cannot be caught: ask the check's own question. */
	noticed = in_irq() && held == 0 && !irqs_on();
}

/* A timer's callback is such a place: the check's premises hold there. */
void
test_order_in_handler(void)
{
	struct timer timer;

	noticed = false;
	timer_setup(&timer, sleep_in_handler, NULL);
	timer_arm(&timer, clock_ns());
	CHECK_EQ(sleep_ms(30), 0);
	CHECK(noticed);
}

/* --- giving back what one does not have ----------------------------------------------------- */

static struct completion held = COMPLETION_INIT(held), enough = COMPLETION_INIT(enough);

static void
hold_mutex(void *unused)
{
	mutex_lock(&outer);
	complete(&held);
	completion_wait(&enough);
	mutex_unlock(&outer);
}

static void
hold_as_reader(void *unused)
{
	rw_read_lock(&inner);
	complete(&held);
	completion_wait(&enough);
	rw_read_unlock(&inner);
}

static void NO_LOCK_ANALYSIS
give_back_mutex(void *unused)
{
	mutex_unlock(&outer);
}

static void NO_LOCK_ANALYSIS
leave_as_reader(void *unused)
{
	rw_read_unlock(&inner);
}

static void NO_LOCK_ANALYSIS
leave_as_writer(void *unused)
{
	rw_write_unlock(&inner);
}

/* While another thread runs @hold, @fn is a mistake that says @texts. */
static void
expect_while(void (*hold)(void *), void (*fn)(void *), const char *const *texts)
{
	struct thread *t = thread_create("holder", hold, NULL);

	CHECK(t != NULL);
	completion_wait(&held);
	expect(fn, texts);
	complete(&enough);
	CHECK_EQ(thread_join(t), 0);
}
#define EXPECT_WHILE(hold, fn, ...) expect_while(hold, fn, (const char *const[]){__VA_ARGS__, NULL})

/* The panic names who gives it back and who has it, and the lock stays as it was. */
void
test_order_owner(void)
{
	if (!LOCK_ORDER)
		return;
	EXPECT_WHILE(hold_mutex, give_back_mutex,
		     "\"test outer\" is given back at give_back_mutex+",
		     "thread \"holder\" has it, since hold_mutex+");
	/* A reader is inside, but another one than who leaves: only the list of locks can tell. */
	EXPECT_WHILE(hold_as_reader, leave_as_reader,
		     "\"test inner\" is given back at leave_as_reader+",
		     "thread \"holder\" has it, since hold_as_reader+");
	EXPECT(give_back_mutex, "given back at give_back_mutex+", "nobody has it");
	rw_read_lock(&inner);
	EXPECT(leave_as_writer, "given back at leave_as_writer+",
	       "has it, since test_order_owner+");
	rw_read_unlock(&inner);
	rw_write_lock(&inner);
	EXPECT(leave_as_reader, "given back at leave_as_reader+",
	       "has it, since test_order_owner+");
	rw_write_unlock(&inner);
	CHECK(outer.owner == 0 && inner.state == 0);
}

static void NO_LOCK_ANALYSIS
exit_with_mutex(void *unused)
{
	mutex_lock(&plain);
	thread_exit(0);
}

void
test_order_exit(void)
{
	if (!LOCK_ORDER)
		return;
	EXPECT(exit_with_mutex, "exits with \"test\" locked, since exit_with_mutex+");
	mutex_unlock(&plain);
}
