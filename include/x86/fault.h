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

/* The control registers at the time of a fault: reporting it changes CR2 and perhaps CR3. */
struct fault_cr {
	uint64_t cr0, cr2, cr3, cr4;
};
void fault_cr_read(struct fault_cr *out);

/* One sentence: what the exception in @tf says.  Cut to @size. */
void fault_describe(const struct trapframe *tf, const struct fault_cr *cr, char *buf, size_t size);
/* The error code's bits in words; false when @tf's exception has none worth a line. */
bool fault_decode_error(const struct trapframe *tf, char *buf, size_t size);

void fault_print_regs(const struct trapframe *tf, const struct fault_cr *cr);
/* The page walk of @va in the tables at @cr3, entry by entry. */
void fault_print_walk(uint64_t cr3, uint64_t va);
/* The bytes around @rip, the one it points at in < >. */
void fault_print_code(uint64_t rip);

/* The call chain of @tf, at most @max lines: where it was, then its callers.  True if that cut it. */
bool backtrace_print_frame(const struct trapframe *tf, unsigned max);
/* "at NAME+OFFSET" of the code at @rip; @ret: it is a return address.  No end of line. */
void fault_print_place(uint64_t rip, bool ret);
/* The addresses alone, at most @max of them; returns how many. */
unsigned backtrace_collect(const struct trapframe *tf, uint64_t *out, unsigned max);

/*
 * Read 8 bytes at @va, whatever the page tables hold; false if that faults.  Implementation:
 * safe_read.asm; the trap code goes on at safe_read_failed when safe_read_insn faults.
 */
bool safe_read64(uint64_t va, uint64_t *out);
extern uint8_t safe_read_insn[], safe_read_failed[];

/* --- the ground that a panic stands on (panic_ground.c) --- */

/* Go to the top of the panic stack, whatever was on it, and call @fn. */
NORETURN void panic_stack_enter(void (*fn)(void));
/* Remember the kernel half of the page tables in use: every entry of the PML4 that is there. */
void panic_tables_save(void);
/*
 * Load a PML4 whose kernel half is as it was remembered; the user half stays.  Nothing happens
 * before panic_tables_save().  The tables below the PML4 are the same ones.
 */
void panic_tables_use(void);
