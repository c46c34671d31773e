/*
 * cmd_cpu.c - `cpu`: what CPUID says, in words.
 *
 * Spec: Intel SDM vol. 2A, "CPUID - CPU Identification"; AMD APM vol. 3, "Obtaining Processor
 * Information Via the CPUID Instruction".
 */
#include <kern/clock.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <x86/cpu.h>
#include "cmds.h"

enum { EAX, EBX, ECX, EDX };

struct leaf {
	uint32_t leaf;
	uint8_t subleaf, reg;
	const char *what;
	const char *names; /* of bits 0-31, separated by blanks */
};

/* A name for each bit from 0 on, "-" where there is none worth showing. */
static const struct leaf leaves[] = {
	{1, 0, EDX, "basic",
	 "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov "
	 "pat pse36 psn clfsh - ds acpi mmx fxsr sse sse2 ss htt tm - pbe"},
	{1, 0, ECX, "extended",
	 "sse3 pclmul dtes64 monitor ds-cpl vmx smx est tm2 ssse3 cnxt sdbg fma cx16 xtpr pdcm "
	 "- pcid dca sse4.1 sse4.2 x2apic movbe popcnt tsc-dl aes xsave osxsave avx f16c rdrand "
	 "hypervisor"},
	{7, 0, EBX, "newer",
	 "fsgsbase tsc-adj sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm pqm - mpx pqe "
	 "avx512f avx512dq rdseed adx smap avx512ifma - clflushopt clwb pt avx512pf avx512er "
	 "avx512cd sha avx512bw avx512vl"},
	{7, 0, ECX, "newer still",
	 "prefetchwt1 avx512vbmi umip pku ospke waitpkg - cet-ss gfni vaes vpclmul - - - - - "
	 "la57 - - - - - rdpid - - cldemote - movdiri movdir64b"},
	{0x80000001, 0, EDX, "64-bit",
	 "- - - - - - - - - - - syscall - - - - - - - - nx - mmxext - - fxsr-opt 1g-pages rdtscp "
	 "- long-mode 3dnowext 3dnow"},
	{0x80000001, 0, ECX, "AMD",
	 "lahf64 cmp-legacy svm extapic cr8 abm sse4a misalignsse prefetchw osvw ibs xop skinit "
	 "wdt - lwp fma4 - - - - tbm topoext"},
	{0x80000007, 0, EDX, "power", "- - - - - - - - invariant-tsc"},
};

static bool
has_leaf(uint32_t leaf)
{
	return leaf <= (leaf & 0x80000000 ? cpu_features.max_ext_leaf : cpu_features.max_leaf);
}

static uint32_t
leaf_register(const struct leaf *l)
{
	const struct cpuid_regs r = cpuid(l->leaf, l->subleaf);
	const uint32_t regs[] = {r.eax, r.ebx, r.ecx, r.edx};

	return regs[l->reg];
}

/* "  basic        fpu vme de ...", wrapped before column 80. */
static void
print_leaf(const struct leaf *l)
{
	const char *name = l->names;
	unsigned col = 15;

	if (leaf_register(l) == 0)
		return;
	sh_printf("  %-12s", l->what);
	for (uint32_t bits = leaf_register(l); *name != '\0'; bits >>= 1) {
		const char *end = strchr(name, ' ');
		const int len = (int)(end != NULL ? (size_t)(end - name) : strlen(name));

		if ((bits & 1) != 0 && *name != '-') {
			if (col + (unsigned)len + 1 > 79)
				col = (unsigned)sh_printf("\n%14s", "");
			col += (unsigned)sh_printf(" %.*s", len, name);
		}
		name += len + (end != NULL);
	}
	sh_printf("\n");
}

static void
print_identity(void)
{
	const struct cpu_features *f = &cpu_features;

	sh_printf("vendor      %s\n", f->vendor);
	if (f->brand[0] != '\0')
		sh_printf("brand       %s\n", f->brand);
	sh_printf("model       family %u, model %u, stepping %u\n", f->family, f->model,
		  f->stepping);
	sh_printf("addresses   %u bits physical (%s), %u bits virtual\n", f->phys_bits,
		  size_text(BIT(MIN(f->phys_bits, 63u))).s, f->virt_bits);
	sh_printf("CPUID       leaves 0-%x and 80000000-%08x\n", f->max_leaf, f->max_ext_leaf);
	if (clock_tsc_hz() != 0)
		sh_printf("TSC         %s Hz, %s\n", num_text(clock_tsc_hz()).s,
			  f->invariant_tsc ? "invariant" : "not said to be invariant");
	if (f->hypervisor) {
		const struct cpuid_regs r = cpuid(0x40000000, 0);
		char name[13] = "";

		memcpy(name, &r.ebx, 4);
		memcpy(name + 4, &r.ecx, 4);
		memcpy(name + 8, &r.edx, 4);
		sh_printf("hypervisor  %s\n", name);
	}
}

/* Caches by the deterministic leaf @leaf: Intel's 4, or AMD's 8000001Dh with the same layout. */
static bool
print_caches(uint32_t leaf)
{
	static const char *const types[] = {"", "data", "code", "code and data"};
	bool any = false;

	for (uint32_t i = 0; i < 8 && has_leaf(leaf); i++) {
		const struct cpuid_regs r = cpuid(leaf, i);
		const uint32_t ways = (r.ebx >> 22) + 1, parts = (r.ebx >> 12 & 0x3ff) + 1;
		const uint32_t line = (r.ebx & 0xfff) + 1;
		const uint32_t type = r.eax & 31;

		if (type == 0 || type > 3)
			break;
		sh_printf("  L%u %-14s %-8s %2u-way, lines of %u bytes\n", r.eax >> 5 & 7,
			  types[type], size_text((uint64_t)ways * parts * line * (r.ecx + 1)).s,
			  ways, line);
		any = true;
	}
	return any;
}

/* Caches by AMD's older leaves, which give KiB and line sizes. */
static bool
print_caches_old(void)
{
	struct cpuid_regs r;

	if (!has_leaf(0x80000006))
		return false;
	r = cpuid(0x80000005, 0);
	if (r.ecx >> 24 != 0)
		sh_printf("  L1 data           %u KiB, lines of %u bytes\n", r.ecx >> 24,
			  r.ecx & 0xff);
	if (r.edx >> 24 != 0)
		sh_printf("  L1 code           %u KiB, lines of %u bytes\n", r.edx >> 24,
			  r.edx & 0xff);
	r = cpuid(0x80000006, 0);
	if (r.ecx >> 16 != 0)
		sh_printf("  L2 code and data  %u KiB, lines of %u bytes\n", r.ecx >> 16,
			  r.ecx & 0xff);
	return r.ecx >> 16 != 0;
}

int
cmd_cpu(int argc, char **argv)
{
	if (argc > 1)
		return -EINVAL;
	print_identity();
	sh_printf("caches\n");
	if (!print_caches(4) && !print_caches(0x8000001d) && !print_caches_old())
		sh_printf("  not described by CPUID\n");
	sh_printf("features\n");
	for (size_t i = 0; i < ARRAY_SIZE(leaves) && !sh_interrupted(); i++)
		if (has_leaf(leaves[i].leaf))
			print_leaf(&leaves[i]);
	return 0;
}
