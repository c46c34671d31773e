/*
 * cmd_regs.c - `regs`: the CPU's system registers, in one screen or one of them bit by bit.
 *
 * Spec: Intel SDM vol. 3A, "Control Registers", "System Flags and Fields in the EFLAGS Register",
 * "Extended Feature Enable Register"; vol. 4, "Model-Specific Registers"; AMD APM vol. 2, "SYSCALL
 * and SYSRET MSRs".
 */
#include <lib/string.h>
#include <x86/cpu.h>
#include <x86/inspect.h>
#include <x86/trap.h>
#include "cmds.h"

static const struct bit_name cr0_bits[] = {
	{0, 1, "PE", "protected mode"},
	{1, 1, "MP", "WAIT looks at TS"},
	{2, 1, "EM", "no FPU: its instructions trap"},
	{3, 1, "TS", "task switched: the next FPU instruction traps"},
	{4, 1, "ET", "387 present (always 1)"},
	{5, 1, "NE", "FPU errors are reported as exception 16"},
	{16, 1, "WP", "read-only pages are so for the kernel too"},
	{18, 1, "AM", "alignment is checked in user mode if RFLAGS.AC"},
	{29, 1, "NW", "not write-through"},
	{30, 1, "CD", "caches off"},
	{31, 1, "PG", "paging"},
};
static const struct bit_name cr3_bits[] = {
	{3, 1, "PWT", "the top table is cached write-through"},
	{4, 1, "PCD", "the top table is not cached"},
	{12, 40, "PML4", "frame number of the top page table"},
};
static const struct bit_name cr4_bits[] = {
	{0, 1, "VME", "virtual-8086 extensions"},
	{1, 1, "PVI", "virtual interrupts in protected mode"},
	{2, 1, "TSD", "RDTSC for the kernel only"},
	{3, 1, "DE", "I/O breakpoints"},
	{4, 1, "PSE", "4 MiB pages (32-bit paging)"},
	{5, 1, "PAE", "64-bit page table entries: long mode needs it"},
	{6, 1, "MCE", "machine checks are reported"},
	{7, 1, "PGE", "global pages stay in the TLB when CR3 changes"},
	{8, 1, "PCE", "RDPMC for user code"},
	{9, 1, "OSFXSR", "SSE and FXSAVE allowed"},
	{10, 1, "OSXMMEXC", "SSE errors are reported as exception 19"},
	{11, 1, "UMIP", "SGDT, SIDT, SLDT, SMSW, STR for the kernel only"},
	{12, 1, "LA57", "five levels of page tables"},
	{13, 1, "VMXE", "Intel virtualization in use"},
	{14, 1, "SMXE", "safer mode extensions"},
	{16, 1, "FSGSBASE", "RDFSBASE and kin for user code"},
	{17, 1, "PCIDE", "TLB entries carry an address space number"},
	{18, 1, "OSXSAVE", "XSAVE and XGETBV allowed"},
	{20, 1, "SMEP", "the kernel cannot execute user pages"},
	{21, 1, "SMAP", "the kernel cannot touch user pages unless RFLAGS.AC"},
	{22, 1, "PKE", "protection keys for user pages"},
	{23, 1, "CET", "shadow stacks and branch tracking"},
};
static const struct bit_name cr8_bits[] = {
	{0, 4, "TPR", "interrupts of this class and below wait"}};
static const struct bit_name efer_bits[] = {
	{0, 1, "SCE", "SYSCALL and SYSRET allowed"},
	{8, 1, "LME", "long mode wanted: starts with paging"},
	{10, 1, "LMA", "long mode active"},
	{11, 1, "NXE", "page table entries may forbid execution"},
	{12, 1, "SVME", "AMD virtualization in use"},
	{14, 1, "FFXSR", "fast FXSAVE"},
};
static const struct bit_name rflags_bits[] = {
	{0, 1, "CF", "carry"},
	{2, 1, "PF", "parity: even number of 1 bits in the low byte"},
	{4, 1, "AF", "carry out of bit 3"},
	{6, 1, "ZF", "zero"},
	{7, 1, "SF", "negative"},
	{8, 1, "TF", "single-step: trap after each instruction"},
	{9, 1, "IF", "interrupts on"},
	{10, 1, "DF", "string instructions go down"},
	{11, 1, "OF", "signed overflow"},
	{12, 2, "IOPL", "ring that may use ports"},
	{14, 1, "NT", "nested task"},
	{16, 1, "RF", "resume: skips a breakpoint once"},
	{17, 1, "VM", "virtual-8086 mode"},
	{18, 1, "AC", "alignment check; with SMAP: user pages open"},
	{19, 1, "VIF", "virtual interrupt flag"},
	{20, 1, "VIP", "virtual interrupt pending"},
	{21, 1, "ID", "CPUID exists if it can be changed"},
};
static const struct bit_name star_bits[] = {
	{0, 32, "EIP", "target of a 32-bit SYSCALL, not used in long mode"},
	{32, 16, "SYSCALL", "kernel CS; SS is this + 8"},
	{48, 16, "SYSRET", "user CS is this + 16, SS this + 8, with RPL 3"},
};
static const struct bit_name sfmask_bits[] = {
	{8, 1, "TF", "SYSCALL clears it"},  {9, 1, "IF", "SYSCALL clears it"},
	{10, 1, "DF", "SYSCALL clears it"}, {12, 2, "IOPL", "SYSCALL clears it"},
	{14, 1, "NT", "SYSCALL clears it"}, {18, 1, "AC", "SYSCALL clears it"},
};

struct reg {
	const char *name;
	uint64_t (*read)(void); /* NULL: an MSR */
	uint32_t msr;
	const struct bit_name *bits; /* NULL: the register is an address */
	uint8_t nr_bits;
	bool list_bits; /* in the overview: the names of the set bits instead of @note */
	const char *note;
};

#define BITS(table) table, ARRAY_SIZE(table)
static const struct reg regs[] = {
	{"CR0", read_cr0, 0, BITS(cr0_bits), true, ""},
	{"CR2", read_cr2, 0, NULL, 0, false, "address of the last page fault"},
	{"CR3", read_cr3, 0, BITS(cr3_bits), false,
	 "physical address of the top page table (PML4)"},
	{"CR4", read_cr4, 0, BITS(cr4_bits), true, ""},
	{"CR8", read_cr8, 0, BITS(cr8_bits), false, "interrupt priority that is held back"},
	{"RFLAGS", read_rflags, 0, BITS(rflags_bits), true, ""},
	{"RSP", read_rsp, 0, NULL, 0, false, "stack pointer of this command"},
	{"EFER", NULL, MSR_EFER, BITS(efer_bits), true, ""},
	{"STAR", NULL, MSR_STAR, BITS(star_bits), false, "segments that SYSCALL and SYSRET load"},
	{"LSTAR", NULL, MSR_LSTAR, NULL, 0, false, "where SYSCALL goes"},
	{"CSTAR", NULL, MSR_CSTAR, NULL, 0, false, "where SYSCALL goes from 32-bit code"},
	{"SFMASK", NULL, MSR_SFMASK, BITS(sfmask_bits), false, "RFLAGS bits that SYSCALL clears"},
	{"FSBASE", NULL, MSR_FS_BASE, NULL, 0, false, "address added to FS: thread-local data"},
	{"GSBASE", NULL, MSR_GS_BASE, NULL, 0, false, "address added to GS: this CPU's data"},
	{"KGSBASE", NULL, MSR_KERNEL_GS_BASE, NULL, 0, false,
	 "what SWAPGS exchanges GS's base with"},
};

static uint64_t
read_reg(const struct reg *r)
{
	return r->read != NULL ? r->read() : rdmsr(r->msr);
}

static void
print_overview(void)
{
	const struct desc_ptr gdtr = read_gdtr(), idtr = read_idtr();

	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		const struct reg *r = &regs[i];
		const uint64_t value = read_reg(r);

		sh_printf("%-8s %016lx  ", r->name, value);
		if (r->list_bits)
			print_set_bits(r->bits, r->nr_bits, value, 27);
		else
			sh_printf("%s\n", r->note);
	}
	sh_printf("GDTR     %016lx  limit %04x\nIDTR     %016lx  limit %04x\n", gdtr.base,
		  gdtr.limit, idtr.base, idtr.limit);
	sh_printf("CS %04x  SS %04x  DS %04x  ES %04x  FS %04x  GS %04x  TR %04x  (see gdt)\n",
		  read_cs(), read_ss(), read_ds(), read_es(), read_fs(), read_gs(), read_tr());
	sh_printf("regs NAME shows one bit by bit, for example: regs cr4; regs all does so with "
		  "all\n");
}

static void
print_one(const struct reg *r)
{
	const uint64_t value = read_reg(r);

	sh_printf("%s = %016lx", r->name, value);
	if (r->read == NULL)
		sh_printf(" (MSR %08x)", r->msr);
	sh_printf("%s%s\n", r->note[0] ? ": " : "", r->note);
	if (r->bits == NULL) {
		if (sym_text(value).s[0] != '\0')
			sh_printf("That is %s.\n", sym_text(value).s);
		return;
	}
	sh_printf("    BIT  VAL  NAME     MEANING\n");
	print_bits(r->bits, r->nr_bits, value);
}

const char *
complete_regs(unsigned arg, unsigned i)
{
	if (arg != 1 || i > ARRAY_SIZE(regs))
		return NULL;
	return i < ARRAY_SIZE(regs) ? regs[i].name : "all";
}

int
cmd_regs(int argc, char **argv)
{
	bool any = false;

	if (argc > 2)
		return -EINVAL;
	if (argc == 1) {
		print_overview();
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(regs) && !sh_interrupted(); i++) {
		if (strcmp(argv[1], "all") != 0 && strcasecmp(regs[i].name, argv[1]) != 0)
			continue;
		print_one(&regs[i]);
		any = true;
	}
	if (any)
		return 0;
	sh_printf("regs shows no register '%s'; Tab lists those it does\n", argv[1]);
	return -EINVAL;
}
