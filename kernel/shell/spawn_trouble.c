/*
 * spawn_trouble.c - `spawn hog`, `deaf`, `holder`, `storm`, `deadlock`, `waiter`: threads that do what the watchdog
 * is there to notice.
 *
 * All of them let go in the end: the first four by themselves, the others when they are killed.
 */
#include <dev/cmos.h>
#include <kern/clock.h>
#include <kern/clock_event.h>
#include <kern/irq.h>
#include <kern/sync.h>
#include <kern/thread.h>
#include <kern/watchdog.h>
#include <x86/cpu.h>
#include "cmds.h"

#define UNWATCHED_NS (10 * NS_PER_SEC) /* what stands for the watchdog's limit when it is off */
#define NOT_INLINE   __attribute__((noinline)) /* so that its name is in backtraces */

/* Three times as long as the watchdog allows. */
static uint64_t
too_long_ns(void)
{
	const uint64_t limit_ns = watchdog_state().limit_ns;

	return (limit_ns == UINT64_MAX ? UNWATCHED_NS : limit_ns) * 3;
}

static NOT_INLINE void
keep_busy(uint64_t ns)
{
	const uint64_t end_ns = clock_ns() + ns;

	while (clock_ns() < end_ns)
		cpu_relax();
}

/* By ticks: an emulated machine that gets few of them shall not make the watchdog miss it. */
void
trouble_hog(void *unused)
{
	const uint64_t end_tick = clock_event_count() + too_long_ns() / NS_PER_TICK;

	preempt_disable();
	while (clock_event_count() < end_tick)
		cpu_relax();
	preempt_enable();
}

static NOT_INLINE void
keep_deaf(uint64_t ns)
{
	const uint64_t flags = irq_save();

	keep_busy(ns);
	irq_restore(flags);
}

void
trouble_deaf(void *unused)
{
	keep_deaf(too_long_ns());
}

static struct spinlock spin = SPINLOCK_INIT("test held");

void
trouble_holder(void *unused)
{
	const uint64_t flags = spin_lock(&spin);

	keep_busy(too_long_ns());
	spin_unlock(&spin, flags);
}

/* --- an interrupt storm --------------------------------------------------------------------- */

/* The clock chip's periodic interrupt.  Spec: Motorola MC146818A, "Register A", "Register B", "Register C". */
#define RTC_IRQ	      8
#define REG_A	      0x0a
#define REG_B	      0x0b
#define REG_C	      0x0c
#define A_RATE	      0x0f
#define A_RATE_8192HZ 3
#define B_PERIODIC    0x40
#define STORM_MS      5000

static void
on_rtc(void *unused)
{
	(void)cmos_read(REG_C); /* else it is the last one */
}

void
trouble_storm(void *unused)
{
	const uint8_t a = cmos_read(REG_A), b = cmos_read(REG_B);

	if (irq_register(RTC_IRQ, "storm", on_rtc, NULL) != 0)
		return;
	cmos_write(REG_A, (uint8_t)((a & ~A_RATE) | A_RATE_8192HZ));
	cmos_write(REG_B, b | B_PERIODIC);
	(void)cmos_read(REG_C);
	(void)sleep_ms(STORM_MS);
	cmos_write(REG_B, b);
	cmos_write(REG_A, a);
	irq_unregister(RTC_IRQ);
}

/* --- threads that wait for ever ------------------------------------------------------------- */

static struct mutex left = MUTEX_INIT(left, "test left"), right = MUTEX_INIT(right, "test right");

/* Take one, wait a moment, want the other: two of these, the other way round, never end. */
static NOT_INLINE void
take_both(struct mutex *first, struct mutex *second)
{
	if (mutex_lock_killable(first) != 0)
		return;
	(void)sleep_ms(50);
	if (mutex_lock_killable(second) == 0)
		mutex_unlock(second);
	mutex_unlock(first);
}

static void
take_right_first(void *unused)
{
	take_both(&right, &left);
}

void
trouble_deadlock(void *unused)
{
	struct thread *other = thread_create("demo-other", take_right_first, NULL);

	if (other != NULL)
		thread_detach(other);
	take_both(&left, &right);
}

/* The first of these keeps the mutex and sleeps; the others wait for it. */
void
trouble_waiter(void *unused)
{
	if (mutex_lock_killable(&left) != 0)
		return;
	while (sleep_ms(1000) == 0)
		;
	mutex_unlock(&left);
}
