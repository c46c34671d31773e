/*
 * test_frames.c - frames have owners, zones, and some are zeroed in advance; all in the running kernel.
 */
#include "tests.h"
#include <kern/clock.h>
#include <kern/selftest.h>
#include <kern/thread.h>
#include <kern/timer.h>
#include <lib/string.h>
#include <mm/image.h>
#include <mm/kmalloc.h>
#include <mm/vmm.h>
#include <mm/pmm.h>
#include <x86/cpu.h>
#include <x86/trap.h>

#define NR	     100
#define RUN	     256 /* frames */
#define WAIT_MS	     2000
#define IRQ_TICKS    20
#define BENCH_VECTOR 0xf0 /* of bench_int() */

static paddr_t frames[RUN];

static bool
is_zero(paddr_t pa)
{
	const uint64_t *p = phys_to_virt(pa);

	for (size_t i = 0; i < PAGE_SIZE / sizeof(*p); i++) {
		if (p[i] != 0)
			return false;
	}
	return true;
}

static struct pmm_stats
stats(void)
{
	struct pmm_stats s;

	pmm_stats(&s);
	return s;
}

/* --- owners ------------------------------------------------------------------------------ */

static void
check_sum(void)
{
	size_t by[PMM_NR_OWNERS], sum = 0;

	pmm_owner_counts(by);
	for (size_t i = 0; i < PMM_NR_OWNERS; i++)
		sum += by[i];
	CHECK_EQ(sum, stats().total);
}

static void
check_owner(enum pmm_owner owner)
{
	const size_t before = pmm_owner_count(owner);

	for (size_t i = 0; i < NR; i++) {
		frames[i] = i % 2 == 0 ? pmm_alloc(owner) : pmm_alloc_zeroed(owner);
		CHECK(frames[i] != PADDR_NONE);
		CHECK_EQ(pmm_frame_owner(frames[i]), owner);
	}
	CHECK_EQ(pmm_owner_count(owner), before + NR);
	check_sum();
	for (size_t i = 0; i < NR; i++) {
		pmm_free(frames[i]);
		CHECK_EQ(pmm_frame_owner(frames[i]), owner & PMM_ID); /* the last one */
	}
	CHECK_EQ(pmm_owner_count(owner), before);
	frames[0] = pmm_alloc_range(owner, NR, PAGE_SIZE, 0);
	CHECK_EQ(pmm_frame_owner(frames[0] + (NR - 1) * PAGE_SIZE), owner);
	CHECK_EQ(pmm_owner_count(owner), before + NR);
	pmm_free_range(frames[0], NR);
	CHECK_EQ(pmm_owner_count(owner), before);
}

void
test_pmm_owners(void)
{
	preempt_disable(); /* so that nobody else changes the counts */
	for (size_t owner = PMM_PAGE_TABLE; owner < PMM_OWNERS_END; owner++)
		check_owner((enum pmm_owner)owner);
	check_sum();
	preempt_enable();
	CHECK_EQ(pmm_frame_owner(virt_to_phys(kernel_text_start)), PMM_KERNEL);
	CHECK_EQ(pmm_frame_owner(0), PMM_FIRMWARE);
	CHECK_EQ(pmm_frame_owner(0xb8000), PMM_NOT_RAM);
	CHECK_EQ(pmm_owner_count(PMM_LOADER), 0);
}

static void
nothing(void *arg)
{
	(void)arg;
}

/* A thread, objects of all sizes, mappings: what they stand on has names. */
static void
work(void)
{
	struct thread *t[8];
	void *small[64], *large = kmalloc(50000), *mapped = vmm_alloc(50000);

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		t[i] = thread_create("owner", nothing, NULL);
		CHECK(t[i] != NULL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(small); i++) {
		small[i] = kmalloc(i * 30 + 1);
		CHECK(small[i] != NULL);
	}
	CHECK(large != NULL && mapped != NULL);
	CHECK_EQ(pmm_frame_owner(virt_to_phys(small[0])), PMM_SLAB);
	CHECK_EQ(pmm_frame_owner(virt_to_phys(large)), PMM_LARGE);
	CHECK(pmm_owner_count(PMM_VMALLOC) >= 13);
	CHECK(pmm_owner_count(PMM_STACK) >= ARRAY_SIZE(t) * KSTACK_SIZE / PAGE_SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(small); i++)
		kfree(small[i]);
	kfree(large);
	vmm_free(mapped, 50000);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		CHECK_EQ(thread_join(t[i]), 0);
}

/* What is kept for the next time is there after the first time; then nothing more is kept. */
void
test_pmm_owners_return(void)
{
	size_t before[PMM_NR_OWNERS], after[PMM_NR_OWNERS];

	for (unsigned i = 0; i < 3; i++)
		work();
	pmm_owner_counts(before);
	for (unsigned i = 0; i < 3; i++)
		work();
	pmm_owner_counts(after);
	for (size_t i = 0; i < PMM_NR_OWNERS; i++) {
		if (before[i] != after[i])
			selftest_fail(__FILE__, __LINE__, "%s: %zu frames before, %zu after",
				      pmm_owner_name((uint8_t)i), before[i], after[i]);
	}
}

struct run {
	paddr_t first;
	size_t nr;
};

static void
free_one(void *arg)
{
	pmm_free(((struct run *)arg)->first);
}

static void
free_run(void *arg)
{
	const struct run *r = arg;

	pmm_free_range(r->first, r->nr);
}

static void
release_one(void *arg)
{
	const struct run *r = arg;

	pmm_release(r->first, r->first + PAGE_SIZE);
}

static void
check_panic(void (*fn)(void *), paddr_t first, size_t nr, const char *text)
{
	struct run r = {first, nr};

	CHECK_EQ(selftest_catch(fn, &r), SELFTEST_PANIC);
	if (strstr(selftest_panic_text(), text) == NULL)
		selftest_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", selftest_panic_text(),
			      text);
}

/* A wrong free says whose the frame is or was. */
void
test_pmm_owner_named(void)
{
	const paddr_t pa = pmm_alloc_range(PMM_CACHE, 4, PAGE_SIZE, 0);

	CHECK(pa != PADDR_NONE);
	check_panic(free_one, virt_to_phys(kernel_text_start), 1, "reserved: kernel image");
	check_panic(free_one, 0, 1, "reserved: firmware");
	check_panic(free_one, pa + 8, 1, "held by: file cache");
	check_panic(release_one, pa, 1, "not reserved: file cache");
	pmm_free(pa + 2 * PAGE_SIZE);
	check_panic(free_one, pa + 2 * PAGE_SIZE, 1, "last held by: file cache");
	check_panic(free_run, pa, 4, "double free");
	CHECK(!pmm_is_free(pa)); /* none of a run that is not whole */
	pmm_free_range(pa, 2);
	pmm_free(pa + 3 * PAGE_SIZE);
	check_panic(free_run, pa, 4, "last held by: file cache");
}

/* --- zones and runs ---------------------------------------------------------------------- */

void
test_pmm_zones(void)
{
	size_t total = 0, free = 0;

	for (unsigned zone = 0; zone < PMM_NR_ZONES; zone++) {
		static const paddr_t end[PMM_NR_ZONES] = {MIB(16), GIB(4), PADDR_NONE};
		const paddr_t pa = pmm_alloc_zone(PMM_TEST, (enum pmm_zone)zone);
		struct pmm_zone_info before, after;

		CHECK(pa < end[zone]);
		preempt_disable();
		pmm_zone_info(pa < MIB(16)  ? PMM_ZONE_DMA
			      : pa < GIB(4) ? PMM_ZONE_32
					    : PMM_ZONE_HIGH,
			      &before);
		pmm_free(pa);
		pmm_zone_info(pa < MIB(16)  ? PMM_ZONE_DMA
			      : pa < GIB(4) ? PMM_ZONE_32
					    : PMM_ZONE_HIGH,
			      &after);
		preempt_enable();
		CHECK_EQ(after.free, before.free + 1);
	}
	preempt_disable();
	for (unsigned zone = 0; zone < PMM_NR_ZONES; zone++) {
		struct pmm_zone_info z;

		pmm_zone_info((enum pmm_zone)zone, &z);
		total += z.total;
		free += z.free;
	}
	CHECK_EQ(total, stats().total);
	CHECK_EQ(free, stats().free);
	preempt_enable();
}

/* A run that is broken up and put together again is a run again. */
void
test_pmm_fragments(void)
{
	const paddr_t run = pmm_alloc_range(PMM_TEST, RUN, PAGE_SIZE, 0);
	paddr_t pa;

	CHECK(run != PADDR_NONE);
	preempt_disable();
	for (size_t i = 0; i < RUN; i += 2)
		pmm_free(run + i * PAGE_SIZE);
	pa = pmm_alloc_range(PMM_TEST, 2, PAGE_SIZE, 0); /* no two of those are neighbours */
	CHECK(pa + PAGE_SIZE < run || pa > run + (RUN - 1) * PAGE_SIZE);
	pmm_free_range(pa, 2);
	for (size_t i = 1; i < RUN; i += 2)
		pmm_free(run + i * PAGE_SIZE);
	pa = pmm_alloc_range(PMM_TEST, RUN, PAGE_SIZE, run + RUN * PAGE_SIZE);
	preempt_enable();
	CHECK(pa <= run);
	pmm_free_range(pa, RUN);
}

/* --- interrupts -------------------------------------------------------------------------- */

static volatile unsigned irq_rounds;
static struct timer irq_timer;

/* Takes and gives back in the middle of whatever the thread was doing. */
static void
in_irq_handler(void *arg)
{
	paddr_t pa[3];

	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(pa); i++) {
		pa[i] = pmm_alloc(PMM_TEST);
		if (pa[i] != PADDR_NONE)
			*(paddr_t *)phys_to_virt(pa[i]) = pa[i];
	}
	for (size_t i = 0; i < ARRAY_SIZE(pa); i++) {
		if (pa[i] == PADDR_NONE)
			continue;
		assert(*(paddr_t *)phys_to_virt(pa[i]) == pa[i]);
		pmm_free(pa[i]);
	}
	if (++irq_rounds < IRQ_TICKS)
		timer_arm(&irq_timer, clock_deadline_us(1));
}

void
test_pmm_interrupts(void)
{
	size_t before[PMM_NR_OWNERS], after[PMM_NR_OWNERS], n = 0;

	pmm_owner_counts(before);
	irq_rounds = 0;
	timer_setup(&irq_timer, in_irq_handler, NULL);
	timer_arm(&irq_timer, clock_deadline_us(1));
	while (irq_rounds < IRQ_TICKS) {
		for (n = 0; n < NR; n++) {
			frames[n] = n % 16 == 0 ? pmm_alloc_zeroed(PMM_TEST) : pmm_alloc(PMM_TEST);
			CHECK(frames[n] != PADDR_NONE);
			*(paddr_t *)phys_to_virt(frames[n]) = n;
		}
		while (n-- > 0) {
			CHECK_EQ(*(paddr_t *)phys_to_virt(frames[n]), n);
			pmm_free(frames[n]);
		}
	}
	pmm_owner_counts(after);
	CHECK_EQ(after[PMM_TEST & PMM_ID], before[PMM_TEST & PMM_ID]);
	check_sum();
}

/*
 * The same at every instruction: the CPU traps after each (RFLAGS.TF; Intel SDM vol. 3B, "Single-Step
 * Exception Condition"), and where interrupts are on the handler does what an interrupt's could.
 */
static paddr_t held[3];
static bool holding;
static unsigned steps;

static void
at_instruction(struct trapframe *tf)
{
	if ((tf->rflags & RFLAGS_IF) == 0)
		return;
	steps++;
	for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
		if (holding) {
			assert(*(paddr_t *)phys_to_virt(held[i]) == held[i]);
			pmm_free(held[i]);
		} else {
			held[i] = pmm_alloc(PMM_TEST);
			assert(held[i] != PADDR_NONE);
			*(paddr_t *)phys_to_virt(held[i]) = held[i];
		}
	}
	holding = !holding;
}

static void
toggle_stepping(struct trapframe *tf)
{
	tf->rflags ^= RFLAGS_TF;
}

static void
take_and_give(void)
{
	for (size_t i = 0; i < NR; i++) {
		frames[i] = i % 16 == 0 ? pmm_alloc_zeroed(PMM_TEST) : pmm_alloc(PMM_TEST);
		if (frames[i] != PADDR_NONE)
			*(paddr_t *)phys_to_virt(frames[i]) = i;
	}
	for (size_t i = 0; i < NR; i++) {
		if (frames[i] == PADDR_NONE)
			continue;
		assert(*(paddr_t *)phys_to_virt(frames[i]) == i);
		pmm_free(frames[i]);
	}
}

void
test_pmm_every_instruction(void)
{
	size_t before[PMM_NR_OWNERS], after[PMM_NR_OWNERS];

	preempt_disable();
	pmm_owner_counts(before);
	steps = 0;
	holding = false;
	trap_set_handler(BENCH_VECTOR, toggle_stepping);
	trap_set_handler(TRAP_DB, at_instruction);
	bench_int();
	take_and_give();
	bench_int();
	trap_set_handler(TRAP_DB, NULL);
	trap_set_handler(BENCH_VECTOR, NULL);
	for (size_t i = 0; holding && i < ARRAY_SIZE(held); i++)
		pmm_free(held[i]);
	pmm_owner_counts(after);
	preempt_enable();
	CHECK(steps > 2 * NR * 10);
	CHECK_EQ(after[PMM_TEST & PMM_ID], before[PMM_TEST & PMM_ID]);
	CHECK_EQ(after[PMM_NOBODY], before[PMM_NOBODY]);
	check_sum();
}

/* --- zeroed in advance ------------------------------------------------------------------- */

/* Sleep until the idle thread has filled the pool. */
static size_t
wait_for_zeroed(void)
{
	size_t last = 0;

	for (unsigned ms = 0; ms < WAIT_MS; ms += 20) {
		const size_t now = stats().zeroed;

		if (now != 0 && now == last)
			return now;
		last = now;
		CHECK_EQ(sleep_ms(20), 0);
	}
	return last;
}

void
test_pmm_zero_pool(void)
{
	const size_t nr = wait_for_zeroed();
	const struct pmm_stats before = stats();
	struct pmm_stats after;

	CHECK(nr > 0 && nr <= NR);
	preempt_disable(); /* the idle thread cannot fill it again meanwhile */
	for (size_t i = 0; i < nr; i++) {
		frames[i] = pmm_alloc_zeroed(PMM_TEST);
		CHECK(is_zero(frames[i]));
		CHECK_EQ(pmm_frame_owner(frames[i]), PMM_TEST);
		memset(phys_to_virt(frames[i]), 0xa5, PAGE_SIZE);
	}
	after = stats();
	CHECK_EQ(after.zero_hits, before.zero_hits + nr);
	CHECK_EQ(after.zeroed, 0);
	CHECK_EQ(after.free, before.free - nr); /* they were among the free ones */
	frames[nr] = pmm_alloc_zeroed(PMM_TEST);
	CHECK(is_zero(frames[nr]));
	CHECK_EQ(stats().zero_misses, before.zero_misses + 1);
	for (size_t i = 0; i <= nr; i++)
		pmm_free(frames[i]);
	preempt_enable();
	CHECK_EQ(wait_for_zeroed(), nr); /* and of those dirty ones some are clean again */
}

/* Somebody is ready: what was begun is dropped, and nothing is lost. */
void
test_pmm_zero_stop(void)
{
	static const volatile uint8_t now = true, never = false;
	struct pmm_stats before, after;

	(void)wait_for_zeroed();
	preempt_disable();
	pmm_free(pmm_alloc_zeroed(PMM_TEST)); /* room for one */
	before = stats();
	CHECK(pmm_zero_one(&now));
	after = stats();
	CHECK_EQ(after.zeroed, before.zeroed);
	CHECK_EQ(after.free, before.free);
	CHECK(pmm_zero_one(&never));
	after = stats();
	CHECK_EQ(after.zeroed, before.zeroed + 1);
	CHECK_EQ(after.free, before.free);
	while (pmm_zero_one(&never))
		; /* it is bounded */
	preempt_enable();
}
