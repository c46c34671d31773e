/*
 * test_fail.c - every allocation of every operation fails once: an error comes back, nothing is lost.
 */
#include "tests.h"
#include <dev/acpi.h>
#include <kern/clock.h>
#include <kern/fail_sweep.h>
#include <kern/selftest.h>
#include <kern/sync.h>
#include <kern/thread.h>
#include <kern/timer.h>
#include <kern/work.h>
#include <lib/string.h>
#include <mm/fail.h>
#include <mm/kmalloc.h>
#include <mm/layout.h>
#include <mm/pmm.h>
#include <mm/vmm.h>
#include <x86/lapic.h>
#include "../../kernel/shell/cmds.h"

/*
 * Where no page table is yet: far behind all that kmap.c gave out, not where test_vmm.c is, and
 * further down each time, since tables stay.
 */
static vaddr_t fresh_va = KERNEL_MAP_BASE + KERNEL_MAP_SIZE - GIB(64);

/* --- the plan itself ------------------------------------------------------------------------- */

static unsigned
failures_of(unsigned n)
{
	unsigned failed = 0;

	for (unsigned i = 0; i < n; i++) {
		void *p = kmalloc(64);

		failed += p == NULL;
		kfree(p);
	}
	return failed;
}

void
test_fail_nth(void)
{
	struct fail_plan plan = {.thread = thread_self(), .kinds = BIT(FAIL_KMALLOC), .nth = 3};
	void *p;

	fail_arm(&plan);
	CHECK_EQ(failures_of(2), 0);
	p = kmalloc(64);
	CHECK(p == NULL);
	CHECK_EQ(failures_of(20), 0);
	CHECK_EQ(fail_disarm(), 1);
	plan.nth = 0;
	plan.every = 4;
	fail_arm(&plan);
	CHECK_EQ(failures_of(40), 10);
	CHECK_EQ(fail_disarm(), 10);
	CHECK_EQ(failures_of(40), 0);
}

static __attribute__((noinline)) void *
alloc_here(void)
{
	void *p = kmalloc(40);

	return p;
}

/* Only what is called from the function named fails. */
void
test_fail_site(void)
{
	struct fail_plan plan = {.thread = thread_self(), .every = 1};
	uint64_t start, end;
	struct fail_state s;
	void *p;

	CHECK_EQ(fail_find_site("no such function", &start, &end), -ENOENT);
	CHECK_EQ(fail_find_site("alloc_here", &plan.site_start, &plan.site_end), 0);
	CHECK(plan.site_end > plan.site_start);
	fail_arm(&plan);
	CHECK_EQ(failures_of(10), 0);
	p = alloc_here();
	CHECK(p == NULL);
	(void)fail_disarm();
	fail_get_state(&s);
	CHECK_EQ(s.counted, 1);
	CHECK_EQ(s.failed, 1);
	CHECK(!s.armed);
	p = alloc_here();
	CHECK(p != NULL);
	kfree(p);
}

static unsigned elsewhere_failed;
static volatile unsigned in_irq_failed, in_irq_runs;

static void
allocate_elsewhere(void *unused)
{
	(void)unused;
	elsewhere_failed = failures_of(50);
}

static void
allocate_in_irq(void *unused)
{
	(void)unused;
	in_irq_failed += failures_of(5);
	in_irq_runs++;
}

/* Other threads, and interrupt handlers that come in the middle, notice nothing. */
void
test_fail_thread(void)
{
	const struct fail_plan plan = {.thread = thread_self(), .every = 1};
	static struct timer timer;
	struct thread *t = thread_create("test alloc", allocate_elsewhere, NULL);

	CHECK(t != NULL);
	elsewhere_failed = in_irq_failed = in_irq_runs = 0;
	timer_setup(&timer, allocate_in_irq, NULL);
	fail_arm(&plan);
	timer_arm(&timer, clock_ns());
	(void)thread_join(t);
	while (in_irq_runs == 0)
		sched_yield();
	CHECK_EQ(failures_of(10), 10);
	(void)fail_disarm();
	CHECK_EQ(elsewhere_failed, 0);
	CHECK_EQ(in_irq_failed, 0);
}

/* --- operations ------------------------------------------------------------------------------ */

static int
op_frames(void *unused)
{
	const paddr_t one = pmm_alloc(PMM_TEST), zeroed = pmm_alloc_zeroed(PMM_TEST);
	const paddr_t run = pmm_alloc_range(PMM_TEST, 4, PAGE_SIZE, 0);

	(void)unused;
	if (one != PADDR_NONE)
		pmm_free(one);
	if (zeroed != PADDR_NONE)
		pmm_free(zeroed);
	if (run != PADDR_NONE)
		pmm_free_range(run, 4);
	return one == PADDR_NONE || zeroed == PADDR_NONE || run == PADDR_NONE ? -ENOMEM : 0;
}

static int
op_kmalloc(void *unused)
{
	void *small = kmalloc(48), *big = kmalloc(2000), *zeroed = kzalloc(300);
	void *page = kmalloc(4096), *large = kmalloc(100000);
	const bool all = small && big && zeroed && page && large;

	(void)unused;
	kfree(small);
	kfree(big);
	kfree(zeroed);
	kfree(page);
	kfree(large);
	return all ? 0 : -ENOMEM;
}

/* A block that cannot grow stays as it was. */
static int
op_krealloc(void *unused)
{
	uint8_t *p = kmalloc(100), *grown = p;
	int result = p != NULL ? 0 : -ENOMEM;

	(void)unused;
	if (p != NULL)
		memset(p, 0x42, 100);
	for (size_t size = 200; result == 0 && size < 20000; size *= 3) {
		grown = krealloc(p, size);
		if (grown == NULL)
			result = -ENOMEM;
		else
			p = grown;
		CHECK(p[0] == 0x42 && p[99] == 0x42);
	}
	kfree(p);
	return result;
}

static int
op_slab_cache(void *unused)
{
	struct slab_cache *c = slab_cache_create("test fail", 700);
	void *p[12];
	int result = c != NULL ? 0 : -ENOMEM;

	(void)unused;
	for (size_t i = 0; c != NULL && i < ARRAY_SIZE(p); i++) {
		p[i] = slab_alloc(c);
		if (p[i] == NULL)
			result = -ENOMEM;
	}
	for (size_t i = 0; c != NULL && i < ARRAY_SIZE(p); i++)
		slab_free(c, p[i]);
	slab_cache_destroy(c);
	return result;
}

static int
op_vmm_alloc(void *unused)
{
	void *p = vmm_alloc(5 * PAGE_SIZE);

	(void)unused;
	if (p == NULL)
		return -ENOMEM;
	vmm_free(p, 5 * PAGE_SIZE);
	return 0;
}

/* Long enough to need tables that are not there yet; only those are made to fail, one by one. */
static int
op_vmm_alloc_long(void *unused)
{
	void *p = vmm_alloc(MIB(3));

	(void)unused;
	if (p == NULL)
		return -ENOMEM;
	vmm_free(p, MIB(3));
	return 0;
}

static int
op_mmio(void *unused)
{
	void *device = vmm_map_as_is(0xb8000, PAGE_SIZE), *table = vmm_map_firmware(0xf0000, 100);

	(void)unused;
	if (device != NULL)
		vmm_unmap_mmio(device, PAGE_SIZE);
	if (table != NULL)
		vmm_unmap_mmio(table, 100);
	return device != NULL && table != NULL ? 0 : -ENOMEM;
}

/* Where no table is yet: each level has to be made.  After a failure nothing is mapped. */
static int
op_vmm_map(void *unused)
{
	const vaddr_t va = fresh_va + MIB(2) - PAGE_SIZE; /* across two page tables */
	const int result = vmm_map(va, 0xb8000, 2 * PAGE_SIZE, VM_READ);

	(void)unused;
	if (result == 0)
		vmm_unmap(va, 2 * PAGE_SIZE);
	CHECK_EQ(vmm_translate(va, NULL), -ENOENT);
	CHECK_EQ(vmm_translate(va + PAGE_SIZE, NULL), -ENOENT);
	return result;
}

/* A large page has to be split; each time another one, since the tables stay. */
static int
op_vmm_protect(void *next)
{
	const vaddr_t va = fresh_va + GIB(1) + MIB(2) * (*(unsigned *)next)++;
	int result = vmm_map(va, MIB(2), MIB(2), VM_READ);
	struct vmm_walk w;

	if (result != 0)
		return result;
	result = vmm_protect(va + PAGE_SIZE, PAGE_SIZE, VM_WRITE);
	vmm_walk(va + PAGE_SIZE, &w);
	CHECK(w.present && w.write == (result == 0));
	vmm_unmap(va, MIB(2));
	return result;
}

/* More than are kept in stock, so that some have to be mapped. */
static int
op_kstack(void *unused)
{
	void *stacks[6];
	int result = 0;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(stacks); i++) {
		stacks[i] = kstack_alloc();
		if (stacks[i] == NULL)
			result = -ENOMEM;
	}
	for (size_t i = 0; i < ARRAY_SIZE(stacks); i++) {
		if (stacks[i] != NULL)
			kstack_free(stacks[i]);
	}
	return result;
}

static void
do_nothing(void *unused)
{
	(void)unused;
}

static int
op_thread(void *unused)
{
	struct thread *t = thread_create("test fail", do_nothing, NULL);

	(void)unused;
	if (t == NULL)
		return -ENOMEM;
	(void)thread_join(t);
	return 0;
}

static void
count_work(struct work *w)
{
	(void)w;
}

/* What must never need memory: timers, work, locks. */
static int
op_no_memory(void *unused)
{
	static struct work work = WORK_INIT(work, count_work);
	static struct mutex mutex = MUTEX_INIT(mutex, "test fail");
	static struct timer timer;

	(void)unused;
	mutex_lock(&mutex);
	mutex_unlock(&mutex);
	timer_setup(&timer, do_nothing, NULL);
	timer_arm(&timer, clock_ns() + NS_PER_SEC);
	(void)timer_cancel(&timer);
	(void)work_queue(&work);
	work_flush();
	(void)sleep_ms(1);
	return 0;
}

static int
op_acpi(void *unused)
{
	(void)unused;
	return acpi_init();
}

static int
op_lapic(void *unused)
{
	(void)unused;
	(void)lapic_virtual_wire();
	return 0;
}

static unsigned next_large;

static const struct {
	const char *name;
	fail_op op;
	void *arg;
	unsigned min_points; /* allocations that it surely has */
} ops[] = {
	{"frames", op_frames, NULL, 3},	      {"kmalloc", op_kmalloc, NULL, 8},
	{"krealloc", op_krealloc, NULL, 5},   {"slab cache", op_slab_cache, NULL, 13},
	{"vmm_alloc", op_vmm_alloc, NULL, 7}, {"mmio", op_mmio, NULL, 2},
	{"vmm_map", op_vmm_map, NULL, 2},     {"vmm_protect", op_vmm_protect, &next_large, 2},
	{"kstack", op_kstack, NULL, 8},	      {"thread", op_thread, NULL, 2},
	{"no memory", op_no_memory, NULL, 0}, {"acpi", op_acpi, NULL, 1},
	{"lapic", op_lapic, NULL, 0},
};

static void
check_sweep(const char *name, const struct fail_sweep *s)
{
	if (s->endless || s->objects_lost != 0 || s->frames_lost != 0)
		selftest_fail(__FILE__, __LINE__,
			      "%s: %lu points%s, result %d, lost: %ld objects, %ld frames", name,
			      s->points, s->endless ? " (endless)" : "", s->result, s->objects_lost,
			      s->frames_lost);
}

void
test_fail_operations(void)
{
	struct fail_sweep s;

	(void)op_kstack(NULL); /* the stock of stacks is full from here on */
	fail_sweep(op_vmm_alloc_long, NULL, BIT(FAIL_TABLE), &s);
	check_sweep("vmm_alloc, tables", &s);
	fresh_va -= GIB(2);
	next_large = 0;
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		fail_sweep(ops[i].op, ops[i].arg, 0, &s);
		check_sweep(ops[i].name, &s);
		if (s.result != 0 || s.points < ops[i].min_points)
			selftest_fail(__FILE__, __LINE__, "%s: result %d, %lu points", ops[i].name,
				      s.result, s.points);
		fail_sweep(ops[i].op, ops[i].arg, 0, &s);
		check_sweep(ops[i].name, &s); /* the tables are there now: other ways */
	}
}

/* --- the shell's commands -------------------------------------------------------------------- */

/* Those that end the machine, wait for keys, take all memory, test themselves, or start threads. */
static const char *const left_out[] = {
	"reboot", "poweroff", "crash", "test", "bench",	 "memtest",
	"top",	  "fail",     "spawn", "more", "stress",
};

/* And some with arguments. */
static const struct {
	int argc;
	const char *argv[4];
} lines[] = {
	{3, {"peek", "-p", "0xfee00020"}},
	{4, {"dump", "-p", "0xfee00000", "64"}},
	{4, {"poke", "-p", "0xb8f9c", "0x07200720"}},
	{2, {"vmmap", "0xfee00000"}},
	{2, {"lspci", "-v"}},
	{2, {"stack", "1"}},
	{2, {"mem", "leaks"}},
	{2, {"mem", "check"}},
	{2, {"help", "all"}},
	{2, {"boot", "-m"}},
};

struct line {
	int argc;
	const char *const *argv;
};

static int
op_command(void *arg)
{
	const struct line *l = arg;
	char *argv[5] = {NULL};

	for (int i = 0; i < l->argc; i++) /* commands move their words about */
		argv[i] = (char *)l->argv[i];
	return sh_run_muted(l->argc, argv);
}

static uint64_t
sweep_line(int argc, const char *const *argv)
{
	struct line l = {argc, argv};
	struct fail_sweep s;

	fail_sweep(op_command, &l, 0, &s);
	check_sweep(argv[0], &s);
	fail_sweep(op_command, &l, 0, &s);
	check_sweep(argv[0], &s);
	return s.points;
}

static bool
is_left_out(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(left_out); i++) {
		if (strcmp(name, left_out[i]) == 0)
			return true;
	}
	return false;
}

void
test_fail_commands(void)
{
	uint64_t points = 0;

	for (size_t i = 0; i < nr_shell_commands; i++) {
		if (!is_left_out(shell_commands[i].name))
			(void)sweep_line(1, &shell_commands[i].name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		points += sweep_line(lines[i].argc, lines[i].argv);
	CHECK(points >= 3); /* those that map device memory */
}
