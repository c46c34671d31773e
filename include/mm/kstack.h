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
/* Unmap the guard pages around the boot and exception stacks.  Called by vmm_init(). */
void kstack_init(void) INIT;
/* Thread stacks in use. */
size_t kstack_count(void);

/*
 * What an unused stack holds, so that one can tell later how deep it was used.  All ones: 64 bits
 * that code seldom writes, and one AND per word finds that nothing else was written.
 */
#define KSTACK_FILL	 UINT64_MAX
/*
 * The largest frame of any function (the build refuses larger ones, tools/mk/toolchain.mk).  Each
 * frame holds a return address: below a stretch of that size without a mark nobody has been.
 */
#define KSTACK_FRAME_MAX 1536

/* Fill all of the stack whose lowest byte is @stack. */
void kstack_fill(void *stack);
/* The same for a stack that was filled before and then used. */
void kstack_refill(void *stack);
/* How deep a stack was used since it was filled, in bytes: to the lowest word that is not KSTACK_FILL. */
uint64_t kstack_used(const void *stack);
