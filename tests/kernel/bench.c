/*
 * bench.c - what the kernel's hot paths cost, in TSC cycles: the best of many rounds.
 *
 * The best, because interrupts and a busy host can only add.  Calling through a pointer and the
 * loop around it are measured with an operation that does nothing, and taken off.
 */
#include "tests.h"
#include <kern/bench.h>
#include <kern/clock.h>
#include <kern/clock_event.h>
#include <kern/irqsoff.h>
#include <kern/sync.h>
#include <kern/thread.h>
#include <kern/timer.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>
#include <mm/tables.h>
#include <mm/vmm.h>
#include <x86/cpu.h>
#include <x86/trap.h>

#define ROUNDS	     32
#define REPEAT	     16
#define BENCH_VECTOR 0xf0 /* as in bench.asm */
#define TICKS	     16	  /* now and then an interrupt has less to do */
#define COPY_SIZE    4096
#define BENCH_VA     (KERNEL_MAP_BASE + KERNEL_MAP_SIZE - GIB(8)) /* behind all that kmap gives out */

static uint64_t
best_of(void (*op)(void))
{
	uint64_t best = UINT64_MAX;

	for (unsigned r = 0; r < ROUNDS; r++) {
		const uint64_t start = rdtsc();

		for (unsigned i = 0; i < REPEAT; i++)
			op();
		best = MIN(best, rdtsc() - start);
	}
	return best;
}

static void
nothing(void)
{
}

static void
show(const char *name, uint64_t cycles)
{
	printf("bench %-16s %lu\n", name, cycles);
}

/* @per: how many operations one call of @op makes. */
static void
measure(const char *name, void (*op)(void), unsigned per)
{
	const uint64_t all = best_of(op), empty = best_of(nothing);

	show(name, (all > empty ? all - empty : 0) / (REPEAT * per));
}

/* --- operations ----------------------------------------------------------------------------- */

static volatile bool stop;
static struct mutex mutex = MUTEX_INIT(mutex, "bench");
static struct spinlock spin = SPINLOCK_INIT("test bench");
static uint8_t from[COPY_SIZE], to[COPY_SIZE];

static void
yield_back(void *arg)
{
	(void)arg;
	while (!stop)
		sched_yield();
}

static void
alloc_free_frame(void)
{
	pmm_free(pmm_alloc(PMM_TEST));
}

static paddr_t frame;

static void
map_unmap_page(void)
{
	(void)vmm_map_page(BENCH_VA, frame, VM_WRITE | VM_GLOBAL);
	(void)vmm_unmap_page(BENCH_VA);
}

static void
map_unmap_range(void)
{
	(void)vmm_map(BENCH_VA, frame, PAGE_SIZE, VM_WRITE | VM_GLOBAL);
	(void)vmm_unmap(BENCH_VA, PAGE_SIZE);
}

static void
alloc_free_range(void)
{
	vmm_free(vmm_alloc(PAGE_SIZE), PAGE_SIZE);
}

static void
measure_mappings(void)
{
	frame = pmm_alloc(PMM_TEST);
	if (frame == PADDR_NONE)
		return;
	measure("map_unmap_page", map_unmap_page, 1);
	measure("vmm_map_unmap", map_unmap_range, 1);
	measure("vmm_alloc_free", alloc_free_range, 1);
	pmm_free(frame);
}

static void
alloc_free_64(void)
{
	kfree(kmalloc(64));
}

static void
lock_unlock_mutex(void)
{
	mutex_lock(&mutex);
	mutex_unlock(&mutex);
}

static void
lock_unlock_spin(void)
{
	const uint64_t flags = spin_lock(&spin);

	spin_unlock(&spin, flags);
}

static void
read_clock(void)
{
	(void)clock_ns();
}

static struct timer far_timer;

static void
no_timeout(void *arg)
{
	(void)arg;
}

/* As most are: armed for a timeout that never comes. */
static void
arm_cancel_timer(void)
{
	timer_arm(&far_timer, 3600 * NS_PER_SEC);
	(void)timer_cancel(&far_timer);
}

static void
copy_4k(void)
{
	memcpy(to, from, COPY_SIZE);
}

static void
ignore(struct trapframe *tf)
{
	(void)tf;
}

/* Entry to exit of the timer's interrupt, tick and all: the longest gap in a tick, the shortest of those. */
static uint64_t
timer_irq(void)
{
	uint64_t best = UINT64_MAX, plain = UINT64_MAX;

	for (unsigned i = 0; i < TICKS; i++) {
		const uint64_t count = clock_event_count();
		uint64_t last = rdtsc(), longest = 0;

		while (clock_event_count() == count) {
			const uint64_t now = rdtsc();

			longest = MAX(longest, now - last);
			plain = MIN(plain, now - last);
			last = now;
		}
		longest = MAX(longest, rdtsc() - last);
		best = MIN(best, longest);
	}
	return best - plain;
}

static void
create_join(void)
{
	struct thread *t = thread_create("bench", yield_back, NULL);

	if (t != NULL)
		(void)thread_join(t);
}

/* Only in a build with IRQSOFF=1, whose other figures are worth nothing. */
static void
show_irqsoff(void)
{
	struct off_stretch irqs, preempt;

	if (!irqsoff_read(&irqs, &preempt))
		return;
	show("irqs_off_max", irqs.cycles);
	show("preempt_off_max", preempt.cycles);
}

void
bench_run(void)
{
	struct thread *t;

	stop = false;
	t = thread_create("bench", yield_back, NULL);
	if (t == NULL) {
		printf("bench: no memory\n");
		return;
	}
	measure("context_switch", sched_yield, 2); /* there and back */
	stop = true;
	(void)thread_join(t);
	measure("yield_alone", sched_yield, 1);
	trap_set_handler(BENCH_VECTOR, ignore);
	measure("int_entry_exit", bench_int, 1);
	trap_set_handler(BENCH_VECTOR, NULL);
	show("timer_irq", timer_irq());
	measure("frame_alloc_free", alloc_free_frame, 1);
	measure_mappings();
	measure("kmalloc_kfree_64", alloc_free_64, 1);
	measure("mutex", lock_unlock_mutex, 1);
	measure("spinlock", lock_unlock_spin, 1);
	measure("clock_ns", read_clock, 1);
	timer_setup(&far_timer, no_timeout, NULL);
	measure("timer_arm_cancel", arm_cancel_timer, 1);
	measure("memcpy_4k", copy_4k, 1);
	measure("create_join", create_join, 1);
	show_irqsoff();
}
