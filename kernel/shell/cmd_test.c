/*
 * cmd_test.c - commands that try the kernel out: test, bench, crash.
 */
#include <kern/bench.h>
#include <kern/ksym.h>
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
	uint64_t percent = 50;

	if (argc == 1) {
		bench_run();
		return 0;
	}
	if (strcmp(argv[1], "frames") != 0 || argc > 3)
		return -EINVAL;
	if (argc == 3 && !arg_number_max(argv[2], 99, &percent))
		return -EINVAL;
	bench_frames((unsigned)percent);
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

/* By its name: what refers to start-up code does not link. */
static void
crash_init(void)
{
	const uint64_t address = ksym_find("pat_init");
	void (*fn)(void);

	memcpy(&fn, &address, sizeof(fn));
	fn();
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
	{"init", crash_init, "call start-up code, which is given back"},
	{"panic", crash_panic, "call panic()"},
	{"corrupt", crash_corrupt,
	 "write through a stale pointer; the panic comes later, elsewhere"},
	{"irq", crash_irq, "panic in an interrupt handler"},
	{"alloc", crash_alloc, "panic in the allocator, its lock held"},
	{"output", crash_output, "panic in the middle of console output"},
	{"printer", crash_printer, "panic whose report fails"},
	{"handler", crash_handler, "fault in the double fault's handler"},
	{"rsp", crash_rsp, "stack pointer is garbage"},
	{"rspcode", crash_rsp_code, "stack pointer in read-only memory"},
	{"rspuser", crash_rsp_user, "stack pointer in a user page"},
	{"frames", crash_overwrite_frames, "return through frames that were written over"},
	{"thread", crash_thread, "pointer to the running thread is garbage"},
	{"pml4", crash_pml4, "the direct map's page table entry is 0"},
	{"reserved", crash_reserved, "the same entry has a reserved bit set"},
	{"hang", crash_hang, "hang with interrupts off, until an NMI comes"},
	{"cr3", crash_cr3, "page tables with the kernel's image alone"},
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
