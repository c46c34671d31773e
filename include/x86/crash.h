/*
 * crash.h - ways to bring the kernel down on purpose, for `crash` and the tests of the panic.
 *
 * Implementation: kernel/x86/crash.asm.  Context: thread.
 */
#pragma once
#include <lib/base.h>

/* Divide by zero: #DE. */
void crash_divide(void);
/* Read address 8, in the page that is never mapped: #PF. */
void crash_page_fault(void);
/* Call itself until the stack's guard page is hit: #PF, reported on a stack of its own. */
void crash_stack_overflow(void);
/* Fault with a stack pointer that cannot take the fault's frame: #DF. */
void crash_double_fault(void);
/* Jump into data: #PF with the instruction-fetch bit. */
void crash_execute_data(void);
/* UD2: #UD. */
void crash_bad_opcode(void);
/* Write into the kernel's own code: #PF, since CR0.WP is set. */
void crash_write_code(void);
/* Load from a non-canonical address: #GP. */
void crash_non_canonical(void);
/* Call @fn with a #DB after each of its instructions. */
void crash_single_step(void (*fn)(void));
/* Push something at @rsp, then UD2. */
NORETURN void crash_with_rsp(uint64_t rsp);
/* Write over the frames on the stack, then return through them: #GP. */
void crash_overwrite_frames(void);
/* Read at @va. */
void crash_read(uint64_t va);
