/*
 * selftest.h - tests that run inside the kernel (shell: `test`; command line: `selftest`).
 *
 * A test is a function in tests/kernel/ or tests/user/ and a row in tests/kernel/table.c.  It
 * returns normally when it passed; CHECK() reports a failure with values and ends the test.
 */
#pragma once
#include <kern/base.h>

struct selftest {
	const char *name; /* "pmm.double_free": group, dot, what */
	void (*fn)(void);
};

struct trapframe;

extern const struct selftest selftests[];
extern const size_t nr_selftests;

/* A test that takes longer hangs: it fails, and its thread is put away. */
#define SELFTEST_LIMIT_MS 30000

/* Run those whose name starts with @prefix ("" = all, "kernel" = all but user.*); prints a line each and `N passed, N failed`.  Returns the failures; 1 if there is no such test. */
unsigned selftest_run(const char *prefix);

/* For the tests: report and unwind to the runner. */
NORETURN void selftest_fail(const char *file, int line, const char *fmt, ...) PRINTF(3, 4);
#define CHECK(e)                                                     \
	do {                                                         \
		if (!(e))                                            \
			selftest_fail(__FILE__, __LINE__, "%s", #e); \
	} while (0)
#define CHECK_EQ(a, b)                                                                    \
	do {                                                                              \
		const uint64_t check_a_ = (uint64_t)(a), check_b_ = (uint64_t)(b);        \
		if (check_a_ != check_b_)                                                 \
			selftest_fail(__FILE__, __LINE__, "%s == %s: %#lx, %#lx", #a, #b, \
				      check_a_, check_b_);                                \
	} while (0)

/*
 * Run @fn(@arg) and catch a CPU exception or a panic in it: returns the vector number (0-31),
 * SELFTEST_PANIC, or -1 when it returned normally.  The message of a caught panic is in
 * selftest_panic_text().  @fn must hold no lock when it traps.
 */
#define SELFTEST_PANIC 256
int selftest_catch(void (*fn)(void *), void *arg);
const char *selftest_panic_text(void);

/* Hooks for the trap code and panic(): true when a selftest_catch() is active on this thread; never returns in that case. */
void selftest_trap_hook(const struct trapframe *tf);
void selftest_panic_hook(const char *text);
