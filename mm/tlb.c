/*
 * tlb.c - INVLPG and its like, here and nowhere else.  With more CPUs this is where the shootdown
 * goes.
 *
 * INVLPG drops the translations of one page, global ones too, and every cached entry of the upper
 * levels.  A load of CR3 spares global pages; a change of CR4.PGE spares nothing.  No PCID:
 * docs/caveats.md.  Spec: Intel SDM vol. 3A, "Operations that Invalidate TLBs and
 * Paging-Structure Caches".
 */
#include <mm/tlb.h>
#include <x86/cpu.h>

void
tlb_flush_page(vaddr_t va)
{
	invlpg(va);
}

void
tlb_flush_all(void)
{
	const uint64_t cr4 = read_cr4();

	if (cr4 & CR4_PGE) {
		write_cr4(cr4 & ~CR4_PGE);
		write_cr4(cr4);
	} else {
		write_cr3(read_cr3());
	}
}
