/*
 * fault.h - the machine's state put into words, for panic screens.
 *
 * Implementation: kernel/x86/fault.c (registers, error codes, code bytes, page walk) and
 * backtrace.c.  All of it prints with printf(), takes no lock, allocates nothing and reads memory
 * only after checking that it is mapped.  Context: any.
 */
#pragma once
#include <lib/base.h>

struct trapframe;

/* One sentence: what the exception in @tf says.  Cut to @size. */
void fault_describe(const struct trapframe *tf, char *buf, size_t size);
/* The error code's bits in words; false when @tf's exception has none worth a line. */
bool fault_decode_error(const struct trapframe *tf, char *buf, size_t size);

void fault_print_regs(const struct trapframe *tf);
/* The page walk of @va, entry by entry. */
void fault_print_walk(uint64_t va);
/* The bytes around @rip, the one it points at in < >. */
void fault_print_code(uint64_t rip);

/* The call chain of @tf, at most @max lines: where it was, then its callers.  True if that cut it. */
bool backtrace_print_frame(const struct trapframe *tf, unsigned max);
/* The addresses alone, at most @max of them; returns how many. */
unsigned backtrace_collect(const struct trapframe *tf, uint64_t *out, unsigned max);
