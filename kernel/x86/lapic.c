/*
 * lapic.c - lets the 8259A's interrupts through the local APIC ("virtual wire mode").
 *
 * After reset the CPU's LINT0 pin, where the 8259A is connected, is masked in the local APIC.  A
 * BIOS opens it.  Who starts a kernel without a full BIOS (PVH monitors, QEMU's microvm) does not,
 * and then no interrupt ever arrives.
 * Spec: MultiProcessor Specification 1.4, "Virtual Wire Mode"; Intel SDM vol. 3A, "Local Vector
 * Table", "Spurious-Interrupt Vector Register", "Local APIC Status and Location".
 */
#include <x86/lapic.h>
#include <mm/vmm.h>
#include <x86/cpu.h>

#define CPUID_FEATURES 1
#define CPUID_EDX_APIC BIT(9)
#define BASE_ENABLED   BIT(11) /* of MSR_APIC_BASE */
#define BASE_X2APIC    BIT(10) /* registers are MSRs then */
#define BASE_ADDRESS   0x000ffffffffff000ULL

/* Offsets of registers, as indexes of dwords. */
#define REG_SVR	  (0xf0 / 4)
#define REG_LINT0 (0x350 / 4)

#define SVR_ENABLE    0x100
#define SVR_VECTOR    0xff /* spurious interrupts: nothing is sent there */
#define LVT_MASKED    BIT(16)
#define LVT_MODE_MASK 0x700U
#define LVT_EXTINT    0x700 /* the vector comes from the 8259A */

bool
lapic_virtual_wire(void)
{
	volatile uint32_t *regs;
	uint64_t base;
	bool closed;

	if ((cpuid(CPUID_FEATURES, 0).edx & CPUID_EDX_APIC) == 0)
		return false;
	base = rdmsr(MSR_APIC_BASE);
	if ((base & BASE_ENABLED) == 0 || (base & BASE_X2APIC) != 0)
		return false;
	regs = vmm_map_mmio(base & BASE_ADDRESS, PAGE_SIZE);
	if (regs == NULL)
		return false;
	closed = (regs[REG_LINT0] & LVT_MASKED) != 0 ||
		 (regs[REG_LINT0] & LVT_MODE_MASK) != LVT_EXTINT;
	if (closed) {
		regs[REG_SVR] = SVR_ENABLE | SVR_VECTOR; /* off, it keeps all entries masked */
		regs[REG_LINT0] = LVT_EXTINT;
	}
	vmm_unmap_mmio((void *)(uintptr_t)regs, PAGE_SIZE);
	return closed;
}
