/*
 * init.h - code and data for the start alone: given back once the kernel is up.
 *
 * Implementation: mm/init_mem.c; theory: docs/memory.md, ".init".  What is marked lies in sections of
 * its own (linker.ld).  tools/check-init.py refuses a build in which anything that stays refers to
 * it.  The marks are INIT, INIT_DATA, INIT_CONST and INIT_CALLER of lib/base.h, on a declaration or a
 * definition; files that serve the start as a whole are listed instead: INIT_FILES in
 * tools/mk/kernel.mk.
 */
#pragma once
#include <kern/base.h>

/*
 * Unmap what is marked and give its frames to the allocator.  Nothing of it runs or is used from here
 * on.  Context: start, the last thing before anybody waits for main_wait_started().
 */
void init_release(void);
/* Bytes given back so far. */
size_t init_released(void);
/*
 * Is @va in what was given back?  Then what it was, for people, is written to @buf: "freed .init
 * code: NAME".  Context: any, panics included.
 */
bool init_describe(vaddr_t va, char *buf, size_t size);
/* Was the page of @va, an address in the kernel's image, given back?  Context: any. */
bool init_is_gone(vaddr_t va);
