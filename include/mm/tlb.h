/*
 * tlb.h - forgetting translations: the only place where TLBs are invalidated.
 *
 * Implementation: mm/tlb.c.  The caller has changed the entry already and holds the lock of the
 * page tables; when a function returns, no translation of before is used any more, global or not,
 * of whatever page size.  An entry that was not present is cached by no TLB, so making one present
 * needs none of these.  Context: any.
 */
#pragma once
#include <kern/base.h>

#define TLB_PAGES_MAX 32 /* pages forgotten one by one; with more, everything is */

/* The page that holds @va, and all that is cached of the tables above it. */
void tlb_flush_page(vaddr_t va);
/* Everything, global pages included. */
void tlb_flush_all(void);
