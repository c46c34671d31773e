/*
 * fault.c - the machine's state in words: what an exception says, registers, page walk, code bytes.
 *
 * Runs when things have gone wrong: it believes nothing, looks before it reads (vmm_probe_read)
 * and keeps to lines of 80 columns, so that a report fits a text screen.
 */
#include <x86/fault.h>
#include <kern/base.h>
#include <kern/init.h>
#include <kern/ksym.h>
#include <lib/printf.h>
#include <mm/kstack.h>
#include <mm/vmm.h>
#include <x86/cpu.h>
#include <x86/mca.h>
#include <x86/trap.h>

#define CODE_BEFORE 8
#define CODE_AFTER  14 /* with the faulting byte; an instruction has at most 15 */

static bool
from_user(const struct trapframe *tf)
{
	return (tf->cs & 3) == 3;
}

void
fault_cr_read(struct fault_cr *out)
{
	*out = (struct fault_cr){read_cr0(), read_cr2(), read_cr3(), read_cr4()};
}

/* What stands in the way of the access that @error describes, by what the page tables say now. */
static const char *
pf_reason(uint64_t error, uint64_t va, uint64_t cr3)
{
	struct vmm_walk w;

	if (error & PF_RSVD)
		return "reserved bit set";
	if (kstack_is_guard(va))
		return "guard page of a kernel stack";
	vmm_walk_from(cr3 & PTE_ADDR, va, &w);
	if ((error & PF_PRESENT) == 0)
		return va < PAGE_SIZE ? "null pointer" : "not mapped";
	if (w.present && (w.user == false) && (error & PF_USER))
		return "kernel page";
	if (w.present && w.user && (error & PF_USER) == 0)
		return error & PF_FETCH ? "user page, SMEP" : "user page, SMAP";
	if (error & PF_FETCH)
		return "no-execute page";
	return "read-only page";
}

static void
describe_page_fault(const struct trapframe *tf, const struct fault_cr *cr, char *buf, size_t size)
{
	const uint64_t va = cr->cr2;
	const char *access = tf->error & PF_FETCH   ? "executing"
			     : tf->error & PF_WRITE ? "writing"
						    : "reading";
	char freed[80];
	const char *reason = pf_reason(tf->error, va, cr->cr3);

	if (init_describe(va, freed, sizeof(freed)))
		reason = freed;
	snprintf(buf, size, "page fault: %s %s %#lx (%s%s)", from_user(tf) ? "user" : "kernel",
		 access, va, reason == freed && tf->error & PF_FETCH ? "call into " : "", reason);
}

static void
describe_double_fault(const struct trapframe *tf, uint64_t cr2, char *buf, size_t size)
{
	/* The CPU could not push the frame of a page fault: the stack had run into its guard. */
	if (kstack_is_guard(cr2) || kstack_is_guard(tf->rsp - 8))
		snprintf(buf, size, "kernel stack overflow (double fault, rsp %#lx)", tf->rsp);
	else
		snprintf(buf, size, "double fault (rsp %#lx)", tf->rsp);
}

void
fault_describe(const struct trapframe *tf, const struct fault_cr *cr, char *buf, size_t size)
{
	const unsigned vector = (unsigned)tf->vector;

	if (vector == TRAP_PF)
		describe_page_fault(tf, cr, buf, size);
	else if (vector == TRAP_DF)
		describe_double_fault(tf, cr->cr2, buf, size);
	else if (vector == TRAP_NMI)
		snprintf(buf, size, "non-maskable interrupt (%s)", nmi_reason());
	else if (vector < TRAP_EXCEPTIONS)
		snprintf(buf, size, "%s%s", trap_name(vector), from_user(tf) ? " in ring 3" : "");
	else
		snprintf(buf, size, "interrupt %#x", vector);
}

static void
decode_pf_error(uint64_t e, char *buf, size_t size)
{
	snprintf(buf, size, "error %#lx: %s %s %s%s%s%s", e,
		 e & PF_PRESENT ? "rights-violation" : "not-present",
		 e & PF_WRITE ? "write" : "read", e & PF_USER ? "user" : "supervisor",
		 e & PF_RSVD ? " reserved-bit" : "", e & PF_FETCH ? " instruction-fetch" : "",
		 e & BIT(5) ? " protection-key" : "");
}

/* Spec: Intel SDM vol. 3A, "Error Code". */
static void
decode_selector_error(uint64_t e, char *buf, size_t size)
{
	static const char *const tables[4] = {"GDT", "IDT", "LDT", "IDT"};

	if (e == 0)
		snprintf(buf, size, "error 0: no selector involved");
	else if (e & BIT(1))
		snprintf(buf, size, "error %#lx: IDT gate %#lx%s", e, (e >> 3) & 0x1fff,
			 e & 1 ? ", external event" : "");
	else
		snprintf(buf, size, "error %#lx: selector %#lx (%s entry %lu)%s", e, e & 0xfffc,
			 tables[(e >> 1) & 3], (e >> 3) & 0x1fff, e & 1 ? ", external event" : "");
}

/* Spec: Intel SDM vol. 3A, "Control Protection Exception Error Code". */
static void
decode_cp_error(uint64_t e, char *buf, size_t size)
{
	static const char *const kinds[] = {"?",	 "near-ret", "far-ret/iret",
					    "endbranch", "rstorssp", "setssbsy"};
	const uint64_t kind = e & 0x7fff;

	snprintf(buf, size, "error %#lx: %s", e, kind < ARRAY_SIZE(kinds) ? kinds[kind] : "?");
}

bool
fault_decode_error(const struct trapframe *tf, char *buf, size_t size)
{
	switch (tf->vector) {
	case TRAP_PF: decode_pf_error(tf->error, buf, size); return true;
	case TRAP_TS:
	case TRAP_NP:
	case TRAP_SS:
	case TRAP_GP: decode_selector_error(tf->error, buf, size); return true;
	case TRAP_CP: decode_cp_error(tf->error, buf, size); return true;
	case TRAP_DF:
	case TRAP_AC: snprintf(buf, size, "error %#lx", tf->error); return true;
	default: return false;
	}
}

void
fault_print_regs(const struct trapframe *tf, const struct fault_cr *cr)
{
	printf("rax %016lx rbx %016lx rcx %016lx\n", tf->rax, tf->rbx, tf->rcx);
	printf("rdx %016lx rsi %016lx rdi %016lx\n", tf->rdx, tf->rsi, tf->rdi);
	printf("rbp %016lx rsp %016lx r8  %016lx\n", tf->rbp, tf->rsp, tf->r8);
	printf("r9  %016lx r10 %016lx r11 %016lx\n", tf->r9, tf->r10, tf->r11);
	printf("r12 %016lx r13 %016lx r14 %016lx\n", tf->r12, tf->r13, tf->r14);
	printf("r15 %016lx rip %016lx cr2 %016lx\n", tf->r15, tf->rip, cr->cr2);
	printf("cr0 %08lx cr3 %012lx cr4 %06lx cs %04lx ss %04lx flags %06lx\n", cr->cr0, cr->cr3,
	       cr->cr4, tf->cs, tf->ss, tf->rflags);
}

void
fault_print_walk(uint64_t cr3, uint64_t va)
{
	static const char *const names[4] = {"pml4e", "pdpte", "pde", "pte"};
	struct vmm_walk w;

	if (!va_canonical(va)) {
		printf("walk: %#lx is not canonical\n", va);
		return;
	}
	vmm_walk_from(cr3 & PTE_ADDR, va, &w);
	if (w.levels == 0)
		printf("walk: no table can be read at cr3 %#lx", cr3);
	for (unsigned i = 0; i < w.levels; i++)
		printf("%s%s %lx%s", i == 0 ? "walk: " : (i == 2 ? "\n      " : "  "), names[i],
		       w.entry[i], w.entry[i] & PTE_P ? "" : " (not present)");
	if (w.present)
		printf(" -> %#lx", w.pa);
	printf("\n");
}

void
fault_print_place(uint64_t rip, bool ret)
{
	/* A return address may lie behind its function's last byte. */
	const uint64_t behind = ret ? 1 : 0;
	uint64_t off = 0;
	const char *name = ksym_is_code(rip) ? ksym_lookup(rip - behind, &off) : NULL;

	if (name != NULL)
		printf("at %s+%#lx", name, off + behind);
	else
		printf("at %#lx, which is no code", rip);
}

void
fault_print_code(uint64_t rip)
{
	uint8_t b;

	printf("code:");
	for (uint64_t a = rip - CODE_BEFORE; a != rip + CODE_AFTER; a++) {
		if (vmm_probe_read(&b, a, 1) != 0)
			printf(a == rip ? " <-->" : " --");
		else
			printf(a == rip ? " <%02x>" : " %02x", b);
	}
	printf("\n");
}
