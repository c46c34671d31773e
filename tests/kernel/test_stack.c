/*
 * test_stack.c - kernel stacks, their guards, and the names in a backtrace.
 */
#include "tests.h"
#include <kern/ksym.h>
#include <kern/selftest.h>
#include <kern/thread.h>
#include <lib/string.h>
#include <mm/kstack.h>
#include <mm/pmm.h>
#include <mm/vmm.h>
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
	CHECK(kstack_contains((vaddr_t)a + KSTACK_SIZE - 1));
	CHECK(!kstack_contains((vaddr_t)a + KSTACK_SIZE));
	CHECK(kstack_bounds((vaddr_t)a + 100, &lo, &hi));
	CHECK_EQ(lo, (vaddr_t)a);
	CHECK_EQ(hi, (vaddr_t)a + KSTACK_SIZE);
	kstack_free(a);
	kstack_free(b);
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
	}
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
