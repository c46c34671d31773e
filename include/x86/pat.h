/*
 * pat.h - memory types: what the caches do with a page.
 *
 * A page table entry carries a number of three bits (PAT, PCD, PWT), the index of an entry of
 * MSR_PAT, which names the type.  Implementation: kernel/x86/pat.c.  Theory: docs/memory.md, "Cache
 * types".  Spec: Intel SDM vol. 3A, "Page Attribute Table (PAT)".
 */
#pragma once
#include <x86/pte.h>

/* Index of each type in MSR_PAT as pat_init() leaves it.  0 to 3 mean the same at reset. */
enum pat_type { PAT_WB = 0, PAT_WT = 1, PAT_UC_MINUS = 2, PAT_UC = 3, PAT_WC = 4, PAT_TYPES };

/*
 * Write MSR_PAT; without PAT, nothing.  Only entry 4 changes, which no page uses yet, so that no
 * cache or TLB has to be flushed.  Context: start, before vmm_init() maps anything.
 */
void pat_init(void) INIT;
/*
 * The bits that give a 4 KiB page @type.  Without PAT, write-combining becomes UC-, which is the
 * nearest that is never wrong.
 */
pte_t pat_bits(enum pat_type type);
/* Index in MSR_PAT that leaf entry @e uses; @large: it maps 2 MiB or 1 GiB.  0-7. */
unsigned pat_index(pte_t e, bool large);
/* Short name of the type at @index (0-7), as the MSR has it now: "WB", "WT", "UC-", "UC", "WC", "WP". */
const char *pat_name(unsigned index);
