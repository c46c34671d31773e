/*
 * switch.h - the context switch (kernel/x86/switch.asm).
 */
#pragma once
#include <lib/base.h>

/* Save the callee-saved registers on the stack and RSP in *@save, then continue at @next_rsp. */
void context_switch(uint64_t *save, uint64_t next_rsp);
/* Where a new thread starts: calls thread_begin() with interrupts off. */
void thread_trampoline(void);
/* Lay out the stack (ending at @top) of a new thread so that context_switch() enters thread_trampoline().  Returns its RSP. */
uint64_t thread_stack_init(void *top);
