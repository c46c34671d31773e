/*
 * pte.h - page table entries.  Spec: Intel SDM vol. 3A, "4-Level Paging".
 */
#pragma once
#include <lib/base.h>

typedef uint64_t pte_t;

#define PTE_P	      BIT(0)
#define PTE_W	      BIT(1)
#define PTE_U	      BIT(2)
#define PTE_PWT	      BIT(3)
#define PTE_PCD	      BIT(4)
#define PTE_A	      BIT(5)
#define PTE_D	      BIT(6)
#define PTE_PS	      BIT(7) /* in a PDPT or PD entry: a 1 GiB or 2 MiB page */
#define PTE_G	      BIT(8)
#define PTE_PAT4K     BIT(7)  /* in a PT entry */
#define PTE_PAT_LARGE BIT(12) /* in the entry of a 1 GiB or 2 MiB page */
#define PTE_NX	      BIT(63)
#define PTE_ADDR      0x000ffffffffff000ULL

/* Index into the table of @level (4 = PML4 ... 1 = PT). */
static inline unsigned
pte_index(uint64_t va, unsigned level)
{
	return (va >> (12 + 9 * (level - 1))) & 511;
}

static inline bool
va_canonical(uint64_t va)
{
	return (uint64_t)((int64_t)(va << 16) >> 16) == va;
}
