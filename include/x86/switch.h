/*
 * switch.h - the context switch, and leaving a function by a side door (kernel/x86/switch.asm).
 */
#pragma once
#include <lib/base.h>

/* How context_switch() leaves the stack of a thread that does not run. */
struct saved_frame {
	uint64_t r15, r14, r13, r12, rbx, rbp, rip;
};

/* Save the callee-saved registers on the stack and RSP in *@save, then continue at @next_rsp. */
void context_switch(uint64_t *save, uint64_t next_rsp);
/* What it leaves on the stack that it saves. */
struct switch_frame {
	uint64_t r15, r14, r13, r12, rbx, rbp, rip;
};
/* Where a new thread starts: calls thread_begin() with interrupts off. */
void thread_trampoline(void);
/*
 * Lay out the stack (ending at @top) of a new thread so that context_switch() enters
 * thread_trampoline().  Returns its RSP.
 */
uint64_t thread_stack_init(void *top);

/* The stack that the kernel starts on (and thread "main" keeps); the page below it is a guard. */
extern uint8_t boot_stack_guard[], boot_stack[], boot_stack_top[];

/*
 * jump_save() returns 0 at first, and once more with @value when jump_to() is called with the same
 * buffer, from the same thread (an exception handler on another stack included) and before the
 * caller of jump_save() has returned.  RFLAGS are not restored: interrupts stay as they are.
 */
struct jump_buf {
	uint64_t rbx, rbp, r12, r13, r14, r15, rsp, rip;
};
int jump_save(struct jump_buf *b) __attribute__((returns_twice));
NORETURN void jump_to(const struct jump_buf *b, int value);

struct trapframe;
/* Fill @tf with the caller's registers as they are now, for reports. */
void regs_capture(struct trapframe *tf);
