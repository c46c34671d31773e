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
struct fault_cr;

/*
 * Print what happened, where, registers, code bytes, symbolised backtrace, thread; on screen and
 * serial; then do what panic= says (debug, halt, reboot, exit).  Context: any, with any stack, any
 * lock held, from the first instruction of kernel_main() on.  Theory: docs/traps.md.
 */
NORETURN void panic(const char *fmt, ...) PRINTF(1, 2);
/* The same in an exception or interrupt: registers come from @tf. */
NORETURN void panic_at(const struct trapframe *tf, const char *fmt, ...) PRINTF(2, 3);
/* The same for an exception that nobody handles; its message is what fault_describe() says. */
NORETURN void panic_trap(const struct trapframe *tf);
/* The end of a panic, without the debugger: what panic= says, else halt. */
NORETURN void panic_finish(void);

/* The first panic: registers, control registers and message as they were. */
const struct trapframe *panic_frame(void);
const struct fault_cr *panic_cr(void);
const char *panic_message(void);

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
