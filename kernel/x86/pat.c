/*
 * pat.c - the page attribute table: which memory type each index in a page table entry means.
 *
 * Spec: Intel SDM vol. 3A, "IA32_PAT MSR" (the encodings), "Selecting a Memory Type from the PAT",
 * "Programming the PAT".
 */
#include <x86/pat.h>
#include <x86/cpu.h>

/* Encodings of the types in the MSR. */
#define TYPE_UC	      0ULL
#define TYPE_WC	      1ULL
#define TYPE_WT	      4ULL
#define TYPE_WB	      6ULL
#define TYPE_UC_MINUS 7ULL

#define ENTRY(i, type) ((type) << (8 * (i)))

/* As at reset, but for entry 4. */
#define PAT_VALUE                                                                              \
	(ENTRY(0, TYPE_WB) | ENTRY(1, TYPE_WT) | ENTRY(2, TYPE_UC_MINUS) | ENTRY(3, TYPE_UC) | \
	 ENTRY(4, TYPE_WC) | ENTRY(5, TYPE_WT) | ENTRY(6, TYPE_UC_MINUS) | ENTRY(7, TYPE_UC))

void
pat_init(void)
{
	if (cpu_features.pat)
		wrmsr(MSR_PAT, PAT_VALUE);
}

pte_t
pat_bits(enum pat_type type)
{
	if (type == PAT_WC && !cpu_features.pat)
		type = PAT_UC_MINUS;
	return (type & 1 ? PTE_PWT : 0) | (type & 2 ? PTE_PCD : 0) | (type & 4 ? PTE_PAT4K : 0);
}

unsigned
pat_index(pte_t e, bool large)
{
	return (e & PTE_PWT ? 1 : 0) | (e & PTE_PCD ? 2 : 0) |
	       (e & (large ? PTE_PAT_LARGE : PTE_PAT4K) ? 4 : 0);
}

const char *
pat_name(unsigned index)
{
	static const char *const names[8] = {"UC", "WC", "?", "?", "WT", "WP", "WB", "UC-"};
	/* Without the MSR the two bits mean what entries 0 to 3 mean at reset. */
	const uint64_t msr = cpu_features.pat ? rdmsr(MSR_PAT) : PAT_VALUE;

	return names[(msr >> (8 * (index & 7))) & 7];
}
