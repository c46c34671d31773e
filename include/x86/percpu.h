/*
 * percpu.h - what each CPU has for itself; GS base points to it while the kernel runs.
 *
 * Ring 3 has a GS base of its own: SWAPGS exchanges the two on the way in and out (trap.asm,
 * syscall.asm).  There is one CPU today, so C code may as well name the variable.
 */
#pragma once
#include <lib/base.h>

struct task;

struct cpu {
	struct task *task;   /* [c] the running one, NULL in kernel threads; syscall.asm knows the offset */
	uint64_t kernel_rsp; /* [c] where SYSCALL finds the task's kernel stack; the same */
	uint64_t user_rsp;   /* [c] the program's RSP, for the first two instructions of a call; the same */
};

extern struct cpu cpu_boot;

static inline struct cpu *
this_cpu(void)
{
	return &cpu_boot;
}
