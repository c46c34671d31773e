/*
 * cpu.c - what CPU this is, and the protections that are turned on where it has them.
 *
 * Spec: Intel SDM vol. 2A, "CPUID"; vol. 3A, "Control Registers".
 */
#include <x86/cpu.h>
#include <kern/base.h>
#include <lib/string.h>
#include <mm/sections.h>
#include <x86/mca.h>
#include <x86/trap.h>

struct cpu_features cpu_features;
uint64_t irq_off_site;

static void
read_names(struct cpu_features *f)
{
	struct cpuid_regs r = cpuid(0, 0);

	f->max_leaf = r.eax;
	memcpy(f->vendor, &r.ebx, 4);
	memcpy(f->vendor + 4, &r.edx, 4);
	memcpy(f->vendor + 8, &r.ecx, 4);
	f->max_ext_leaf = cpuid(0x80000000, 0).eax;
	for (uint32_t i = 0; i < 3 && f->max_ext_leaf >= 0x80000004; i++) {
		r = cpuid(0x80000002 + i, 0);
		memcpy(f->brand + 16 * i, &r, 16);
	}
}

/* Spec: Intel SDM vol. 2A, "CPUID", leaf 1 (version information) and its feature bits. */
static void
read_leaf1(struct cpu_features *f)
{
	const struct cpuid_regs r = cpuid(1, 0);
	const uint32_t base_family = (r.eax >> 8) & 15, base_model = (r.eax >> 4) & 15;

	f->stepping = r.eax & 15;
	f->family = base_family + (base_family == 15 ? (r.eax >> 20) & 255 : 0);
	f->model = base_model;
	if (base_family == 6 || base_family == 15)
		f->model |= ((r.eax >> 16) & 15) << 4;
	f->tsc = (r.edx & BIT(4)) != 0;
	f->mce = (r.edx & BIT(7)) != 0;
	f->apic = (r.edx & BIT(9)) != 0;
	f->pge = (r.edx & BIT(13)) != 0;
	f->mca = (r.edx & BIT(14)) != 0;
	f->pat = (r.edx & BIT(16)) != 0;
	f->x2apic = (r.ecx & BIT(21)) != 0;
	f->xsave = (r.ecx & BIT(26)) != 0;
	f->rdrand = (r.ecx & BIT(30)) != 0;
	f->hypervisor = (r.ecx & BIT(31)) != 0;
}

static void
read_higher_leaves(struct cpu_features *f)
{
	if (f->max_leaf >= 7) {
		const struct cpuid_regs r = cpuid(7, 0);

		f->fsgsbase = (r.ebx & BIT(0)) != 0;
		f->smep = (r.ebx & BIT(7)) != 0;
		f->rdseed = (r.ebx & BIT(18)) != 0;
		f->smap = (r.ebx & BIT(20)) != 0;
		f->umip = (r.ecx & BIT(2)) != 0;
	}
	if (f->max_ext_leaf >= 0x80000001) {
		const struct cpuid_regs r = cpuid(0x80000001, 0);

		f->nx = (r.edx & BIT(20)) != 0;
		f->page1g = (r.edx & BIT(26)) != 0;
	}
	if (f->max_ext_leaf >= 0x80000007)
		f->invariant_tsc = (cpuid(0x80000007, 0).edx & BIT(8)) != 0;
	f->phys_bits = 36;
	f->virt_bits = 48;
	if (f->max_ext_leaf >= 0x80000008) {
		const uint32_t sizes = cpuid(0x80000008, 0).eax;

		f->phys_bits = sizes & 255;
		f->virt_bits = (sizes >> 8) & 255;
	}
}

/*
 * Ring 3 can set EFLAGS.AC, which would hold SMAP's door open for the kernel it traps into, and an
 * interrupt may come while the kernel itself has opened it: the entry code closes it.  Done here once, while the loader's tables still let us write to text.
 */
static void
arm_smap(void)
{
	static const uint8_t clac_bytes[3] = {0x0f, 0x01, 0xca}, stac_bytes[3] = {0x0f, 0x01, 0xcb};
	const uint64_t *site = (const uint64_t *)(uintptr_t)kernel_smap_sites_start;
	const uint64_t *end = (const uint64_t *)(uintptr_t)kernel_smap_sites_end;

	memcpy(trap_clac, clac_bytes, sizeof(clac_bytes));
	/* Bit 63, set in every kernel address, is inverted where the window opens (usercopy.asm). */
	for (; site < end; site++)
		memcpy((void *)(*site | BIT(63)), *site & BIT(63) ? clac_bytes : stac_bytes, 3);
	write_cr4(read_cr4() | CR4_SMAP);
	clac();
}

int
cpu_init(void)
{
	struct cpu_features *f = &cpu_features;
	uint64_t cr4 = read_cr4();

	read_names(f);
	read_leaf1(f);
	read_higher_leaves(f);
	if (f->nx)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	if (f->smap)
		arm_smap();
	cr4 = read_cr4() | (f->pge ? CR4_PGE : 0) | (f->mce ? CR4_MCE : 0) |
	      (f->smep ? CR4_SMEP : 0) | (f->umip ? CR4_UMIP : 0) |
	      (f->fsgsbase ? CR4_FSGSBASE : 0);
	write_cr4(cr4);
	mca_init();
	/* WP: the kernel obeys read-only pages too.  NE: x87 errors are exceptions, not IRQ 13. */
	write_cr0(read_cr0() | CR0_WP | CR0_NE);
	log_info("cpu: %s %s, family %u model %u stepping %u", f->vendor,
		 f->brand[0] != '\0' ? f->brand : "(no brand)", f->family, f->model, f->stepping);
	return 0;
}
