/*
 * kstack.h - what is a kernel stack: the boot stack, the exception stacks, and the threads'.
 *
 * Implementation: mm/kstack.c.  kstack_alloc(), kstack_free() and kstack_is_guard() are in
 * mm/vmm.h.  Context: any.
 */
#pragma once
#include <kern/base.h>

/* Is @va in a kernel stack (its guard not included)?  Mapped or not is another question. */
bool kstack_contains(vaddr_t va);
/* The stack that holds @va as [*lo, *hi); false when none does. */
bool kstack_bounds(vaddr_t va, vaddr_t *lo, vaddr_t *hi);
/* Unmap the guard pages of the boot and exception stacks.  Called by vmm_init(). */
void kstack_init(void);
/* Thread stacks in use. */
size_t kstack_count(void);
