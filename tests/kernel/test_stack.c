/*
 * test_stack.c - kernel stacks, their guards, and the names in a backtrace.
 */
#include "tests.h"
#include "probes.h"
#include <kern/ksym.h>
#include <kern/selftest.h>
#include <kern/thread.h>
#include <lib/string.h>
#include <mm/kstack.h>
#include <mm/pmm.h>
#include <mm/vmm.h>
#include <x86/crash.h>
#include <x86/fault.h>
#include <x86/switch.h>
#include <x86/trap.h>

void
test_stack_alloc(void)
{
	uint8_t *a = kstack_alloc(), *b = kstack_alloc();
	vaddr_t lo, hi;

	CHECK(a != NULL && b != NULL && a != b);
	memset(a, 0x11, KSTACK_SIZE);
	memset(b, 0x22, KSTACK_SIZE);
	CHECK_EQ(a[0], 0x11);
	CHECK_EQ(a[KSTACK_SIZE - 1], 0x11);
	CHECK_EQ(vmm_translate((vaddr_t)a - 1, NULL), -ENOENT);
	CHECK(kstack_is_guard((vaddr_t)a - 1));
	CHECK(kstack_is_guard((vaddr_t)a - PAGE_SIZE));
	CHECK(!kstack_is_guard((vaddr_t)a));
	CHECK_EQ(vmm_translate((vaddr_t)a + KSTACK_SIZE, NULL), -ENOENT); /* above it, too */
	CHECK(kstack_is_guard((vaddr_t)a + KSTACK_SIZE));
	CHECK(kstack_is_guard((vaddr_t)a + KSTACK_SIZE + PAGE_SIZE));
	CHECK(kstack_contains((vaddr_t)a + KSTACK_SIZE - 1));
	CHECK(!kstack_contains((vaddr_t)a + KSTACK_SIZE));
	CHECK(kstack_bounds((vaddr_t)a + 100, &lo, &hi));
	CHECK_EQ(lo, (vaddr_t)a);
	CHECK_EQ(hi, (vaddr_t)a + KSTACK_SIZE);
	kstack_free(a);
	kstack_free(b);
}

/* --- how much was used ------------------------------------------------------------------------ */

#define DEEP	6000 /* bytes of stack */
#define SHALLOW 4096 /* what a thread that does nothing stays below, interrupts included */

static volatile bool sounded, leave;

/* In frames of the size that is allowed (KSTACK_FRAME_MAX). */
static __attribute__((noinline)) void
use_stack(size_t left)
{
	volatile uint8_t buffer[1024];

	for (size_t i = 0; i < sizeof(buffer); i += 8)
		buffer[i] = 1;
	if (left > sizeof(buffer))
		use_stack(left - sizeof(buffer));
	(void)buffer[0];
}

static void
stay(void *deep)
{
	if (deep != NULL)
		use_stack(DEEP);
	sounded = true;
	while (!leave)
		sched_yield();
}

/* What `ps` would say of a thread that does @deep or nothing, and has come back from it. */
static uint64_t
used_by(bool deep)
{
	static struct thread_info info[32];
	struct thread *t = thread_create("depth", stay, deep ? &info : NULL);
	uint64_t used = 0;
	size_t n;

	CHECK(t != NULL);
	while (!sounded)
		sched_yield();
	n = thread_snapshot(info, ARRAY_SIZE(info));
	for (size_t i = 0; i < MIN(n, ARRAY_SIZE(info)); i++) {
		if (strcmp(info[i].name, "depth") == 0)
			used = info[i].stack_used;
	}
	leave = true;
	(void)thread_join(t);
	sounded = leave = false;
	return used;
}

/* The deepest point counts, not where the thread is now; a stack that is used again starts anew. */
void
test_stack_watermark(void)
{
	const uint64_t deep = used_by(true), shallow = used_by(false);

	CHECK(deep >= DEEP && deep < DEEP + SHALLOW);
	CHECK(shallow > 0 && shallow < SHALLOW);
}

static void
do_free(void *stack)
{
	kstack_free(stack);
}

void
test_stack_wrong_free(void)
{
	void *a = kstack_alloc();

	CHECK_EQ(selftest_catch(do_free, (uint8_t *)a + 16), SELFTEST_PANIC);
	CHECK_EQ(selftest_catch(do_free, &a), SELFTEST_PANIC);
	kstack_free(a);
	CHECK_EQ(selftest_catch(do_free, a), SELFTEST_PANIC);
	CHECK(strstr(selftest_panic_text(), "kstack_free") != NULL);
}

/* More than the cache of free stacks keeps, so that frames are given back and taken again. */
void
test_stack_many(void)
{
	void *stacks[12];

	for (unsigned round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(stacks); i++) {
			stacks[i] = kstack_alloc();
			CHECK(stacks[i] != NULL);
			memset(stacks[i], (int)i, KSTACK_SIZE);
		}
		for (size_t i = 0; i < ARRAY_SIZE(stacks); i++) {
			CHECK_EQ(((uint8_t *)stacks[i])[KSTACK_SIZE / 2], i);
			kstack_free(stacks[i]);
		}
	}
}

void
test_stack_guards(void)
{
	CHECK_EQ(vmm_translate((vaddr_t)boot_stack_guard, NULL), -ENOENT);
	CHECK_EQ(vmm_translate((vaddr_t)boot_stack, NULL), 0);
	CHECK(kstack_is_guard((vaddr_t)boot_stack - 1));
	CHECK(kstack_contains((vaddr_t)boot_stack));
	for (unsigned i = 0; i < IST_COUNT; i++) {
		CHECK_EQ(vmm_translate((vaddr_t)ist_area[i], NULL), -ENOENT);
		CHECK_EQ(vmm_translate((vaddr_t)ist_area[i] + PAGE_SIZE, NULL), 0);
		CHECK(kstack_is_guard((vaddr_t)ist_area[i]));
		CHECK_EQ(vmm_translate((vaddr_t)ist_area[i] + sizeof(ist_area[i]), NULL), -ENOENT);
		CHECK(kstack_is_guard((vaddr_t)ist_area[i] + sizeof(ist_area[i])));
	}
	CHECK_EQ(vmm_translate((vaddr_t)boot_stack_top, NULL), -ENOENT);
	CHECK(kstack_is_guard((vaddr_t)boot_stack_top));
	CHECK(kstack_contains((vaddr_t)__builtin_frame_address(0)));
}

void
test_stack_symbols(void)
{
	const uint64_t self = (uint64_t)test_stack_symbols;
	uint64_t off = 99, addr = 0, last = 0;
	const char *name = ksym_lookup(self, &off);

	CHECK(name != NULL && strcmp(name, "test_stack_symbols") == 0);
	CHECK_EQ(off, 0);
	name = ksym_lookup(self + 5, &off);
	CHECK(name != NULL && strcmp(name, "test_stack_symbols") == 0);
	CHECK_EQ(off, 5);
	CHECK_EQ(ksym_find("test_stack_symbols"), self);
	CHECK_EQ(ksym_find("no_such_symbol"), 0);
	CHECK(ksym_lookup(0, &off) == NULL);
	CHECK(ksym_lookup(DIRECT_MAP_BASE, &off) == NULL);
	CHECK(ksym_count() > 100);
	for (size_t i = 0; i < ksym_count(); i++) {
		CHECK(ksym_at(i, &addr) != NULL);
		CHECK(addr > last);
		last = addr;
	}
	CHECK(ksym_at(ksym_count(), &addr) == NULL);
}

/* --- backtraces ------------------------------------------------------------------------------ */

#define NR_FRAMES 8

static uint64_t chain[NR_FRAMES];
static unsigned chain_length;

static void
collect(struct trapframe *tf)
{
	chain_length = backtrace_collect(tf, chain, NR_FRAMES);
	selftest_trap_hook(tf); /* out of the faulting function */
}

static void
check_frame(unsigned i, const char *expected)
{
	const char *name;

	CHECK(i < chain_length);
	name = ksym_lookup(chain[i] - (i == 0 ? 0 : 1), NULL);
	if (name == NULL || strcmp(name, expected) != 0)
		selftest_fail(__FILE__, __LINE__, "frame %u is in %s, not in %s", i,
			      name == NULL ? "?" : name, expected);
}

/* Not static and not inlined: their names shall be in the table, and in the chain. */
void stack_test_outer(void *inner);

__attribute__((noinline)) void
stack_test_outer(void *inner)
{
	void (*fn)(void);

	memcpy(&fn, inner, sizeof(fn));
	fn();
}

static void
collect_from(void (*fn)(void))
{
	chain_length = 0;
	trap_set_handler(TRAP_PF, collect);
	trap_set_handler(TRAP_UD, collect);
	(void)selftest_catch(stack_test_outer, &fn);
	trap_set_handler(TRAP_PF, NULL);
	trap_set_handler(TRAP_UD, NULL);
}

/* A function with a frame; the compiler's own frames follow up to the thread's start. */
void
test_stack_backtrace(void)
{
	collect_from(crash_bad_opcode);
	check_frame(0, "crash_bad_opcode");
	check_frame(1, "stack_test_outer");
	check_frame(2, "selftest_catch");
	check_frame(chain_length - 1, "thread_trampoline");
}

/* A leaf has no frame of its own: its caller is found on top of the stack. */
void
test_stack_backtrace_leaf(void)
{
	collect_from(probe_leaf);
	check_frame(0, "probe_leaf");
	check_frame(1, "stack_test_outer");
	check_frame(2, "selftest_catch");
}

/* A call through a null pointer: nothing at all was executed there. */
void
test_stack_backtrace_null(void)
{
	collect_from(probe_call_null);
	CHECK_EQ(chain[0], 0);
	check_frame(1, "probe_call_null");
	check_frame(2, "stack_test_outer");
}
