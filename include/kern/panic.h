/*
 * panic.h - the end of the road, and the checks that lead there.
 *
 * Implementation: kernel/panic.c.  assert() is always on and is for our own mistakes only; bad
 * input from users, devices or firmware gives errors.  debug_assert() is for costly checks.
 */
#pragma once
#include <stdarg.h>
#include <lib/base.h>

struct trapframe;

/*
 * Print what happened, where, registers, code bytes, symbolised backtrace, thread; on screen and
 * serial; then do what panic= says (halt, reboot, exit).  Context: any.  Nested panics print what
 * they still can.
 */
NORETURN void panic(const char *fmt, ...) PRINTF(1, 2);
/* The same for a CPU exception: registers come from @tf. */
NORETURN void panic_trap(const struct trapframe *tf, const char *fmt, ...) PRINTF(2, 3);

/* Is a panic being reported?  Then output is polled and locks are ignored. */
bool panic_in_progress(void);

NORETURN void assert_failed(const char *expr, const char *file, int line, const char *func);

#define assert(e) (likely(e) ? (void)0 : assert_failed(#e, __FILE__, __LINE__, __func__))
#ifdef DEBUG
#define debug_assert(e) assert(e)
#else
#define debug_assert(e) ((void)sizeof(!(e)))
#endif

/*
 * Print the call chain that starts at frame pointer @rbp (and return address @rip first, if not 0).
 */
void backtrace_print(uint64_t rip, uint64_t rbp);
