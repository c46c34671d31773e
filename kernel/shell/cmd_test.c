/*
 * cmd_test.c - commands that try the kernel out: test, bench, crash.
 */
#include <kern/bench.h>
#include <kern/selftest.h>
#include <lib/string.h>
#include <x86/crash.h>
#include "cmds.h"

const char *
complete_test(unsigned arg, unsigned i)
{
	return arg == 1 && i < nr_selftests ? selftests[i].name : NULL;
}

int
cmd_test(int argc, char **argv)
{
	if (argc > 2)
		return -EINVAL;
	if (argc == 2 && strcmp(argv[1], "-l") == 0) {
		for (size_t i = 0; i < nr_selftests; i++)
			sh_printf("%s\n", selftests[i].name);
		return 0;
	}
	return selftest_run(argc == 2 ? argv[1] : "") == 0 ? 0 : -EIO;
}

int
cmd_bench(int argc, char **argv)
{
	if (argc > 1)
		return -EINVAL;
	bench_run();
	return 0;
}

/* --- crash --------------------------------------------------------------------------------------- */

static void
crash_assert(void)
{
	const int answer = 42;

	assert(answer == 43);
}

static void
crash_panic(void)
{
	panic("asked for at the prompt");
}

static const struct crash {
	const char *name;
	void (*fn)(void);
	const char *what;
} crashes[] = {
	{"divide", crash_divide, "divide by zero"},
	{"pagefault", crash_page_fault, "read an address that is not mapped"},
	{"stack", crash_stack_overflow, "call without end until the stack's guard page"},
	{"doublefault", crash_double_fault, "fault with a stack pointer that leads nowhere"},
	{"assert", crash_assert, "an assertion that does not hold"},
	{"nx", crash_execute_data, "jump into data, which may not be executed"},
	{"opcode", crash_bad_opcode, "an instruction that does not exist"},
	{"readonly", crash_write_code, "write into the kernel's code"},
	{"protection", crash_non_canonical, "an address that no page table could map"},
	{"panic", crash_panic, "call panic()"},
	{"corrupt", crash_corrupt,
	 "write through a stale pointer; the panic comes later, elsewhere"},
};

const char *
complete_crash(unsigned arg, unsigned i)
{
	return arg == 1 && i < ARRAY_SIZE(crashes) ? crashes[i].name : NULL;
}

int
cmd_crash(int argc, char **argv)
{
	if (argc > 2)
		return -EINVAL;
	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(crashes); i++) {
		if (strcmp(crashes[i].name, argv[1]) == 0) {
			crashes[i].fn();
			return 0;
		}
	}
	if (argc == 2)
		sh_printf("there is no crash of the kind '%s':\n", argv[1]);
	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
		sh_printf("  %-12s %s\n", crashes[i].name, crashes[i].what);
	return -EINVAL;
}
