/*
 * panic_ground.c - what a panic stands on when nothing can be trusted: a stack and a PML4 of its own.
 *
 * The stack is the fourth of the exception stacks (x86/trap.h): part of the kernel image, with a
 * guard page.  The PML4 is a copy, made while all was well, of the entries of the kernel half; a
 * wrong entry in the one in use - the direct map's, say - is thereby repaired, and the tables below
 * can be read through it.  Should these be what is broken, reads through safe_read64() fail, and the
 * report says so.
 * Spec: Intel SDM vol. 3A, "4-Level Paging".
 */
#include <x86/fault.h>
#include <mm/pmm.h>
#include <x86/cpu.h>
#include <x86/pte.h>
#include <x86/trap.h>

#define ENTRIES	    512
#define KERNEL_HALF 256 /* entries from here on are the kernel's */

/* Physical address: its own minus KERNEL_VMA. */
static pte_t pml4[ENTRIES] __attribute__((aligned(4096))); /* [I] after boot; user half: panic */
static bool saved;

void
panic_stack_enter(void (*fn)(void))
{
	uint8_t *const top = ist_area[IST_PANIC - 1] + sizeof(ist_area[0]);

	/* No frame pointer: backtraces end here. */
	__asm__ volatile("mov %0, %%rsp\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "cld\n\t"
			 "call *%1\n\t"
			 "ud2"
			 :
			 : "r"(top), "r"(fn)
			 : "memory");
	__builtin_unreachable();
}

static bool
read_pml4(uint64_t cr3, unsigned i, pte_t *out)
{
	return safe_read64((uint64_t)phys_to_virt(cr3 & PTE_ADDR) + i * sizeof(pte_t), out);
}

void
panic_tables_save(void)
{
	for (unsigned i = KERNEL_HALF; i < ENTRIES; i++)
		(void)read_pml4(read_cr3(), i, &pml4[i]);
	saved = true;
}

void
panic_tables_use(void)
{
	const uint64_t before = read_cr3();
	const paddr_t ours = (uint64_t)pml4 - KERNEL_VMA;

	if (!saved || (before & PTE_ADDR) == ours)
		return;
	write_cr3(ours); /* the direct map is there again, to read the other one through */
	for (unsigned i = 0; i < KERNEL_HALF; i++)
		if (!read_pml4(before, i, &pml4[i]))
			pml4[i] = 0;
	write_cr3(ours);
}
