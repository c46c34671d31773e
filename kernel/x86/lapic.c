/*
 * lapic.c - the local APIC of this CPU.
 *
 * Two uses.  With the 8259A ("virtual wire mode") it only has to let through what comes in at
 * its pin LINT0: after reset that is masked, a BIOS opens it, but who starts a kernel without a
 * full BIOS (PVH monitors, QEMU's microvm) does not, and then no interrupt ever arrives.  With I/O
 * APICs it is the interrupt controller proper: it holds what is requested (IRR) and served
 * (ISR), one bit for each vector, and wants an EOI for each.
 * Spec: MultiProcessor Specification 1.4, "Virtual Wire Mode"; Intel SDM vol. 3A, "Advanced
 * Programmable Interrupt Controller (APIC)".
 */
#include <x86/lapic.h>
#include <kern/irq.h>
#include <lib/printf.h>
#include <mm/vmm.h>
#include <x86/cpu.h>
#include <x86/percpu.h>
#include <x86/trap.h>

/* Spec: Intel SDM vol. 3A, "Local APIC Status and Location". */
#define BASE_ENABLED BIT(11)
#define BASE_X2APIC  BIT(10) /* registers are MSRs then */
#define BASE_ADDRESS 0x000ffffffffff000ULL

#define ISR_BITS_MAX 256 /* EOIs that could be owed */
#define SEND_POLLS   100000U
#define ICR_BUSY     BIT(12)

volatile uint32_t *lapic_regs;
static bool in_use; /* [I] it is the interrupt controller, not just a wire */

paddr_t
lapic_address(void)
{
	return cpu_features.apic ? rdmsr(MSR_APIC_BASE) & BASE_ADDRESS : 0;
}

const char *
lapic_probe(void)
{
	uint64_t base;

	if (!cpu_features.apic)
		return "the CPU has no local APIC";
	base = rdmsr(MSR_APIC_BASE);
	if ((base & BASE_ENABLED) == 0)
		return "the local APIC is off";
	if ((base & BASE_X2APIC) != 0)
		return "the firmware has turned x2APIC mode on";
	if (lapic_regs == NULL)
		lapic_regs = vmm_map_mmio(base & BASE_ADDRESS, PAGE_SIZE);
	return lapic_regs != NULL ? NULL : "no memory to map the local APIC";
}

bool
lapic_virtual_wire(void)
{
	uint32_t lint0;

	if (lapic_probe() != NULL)
		return false;
	lint0 = lapic_regs[LAPIC_LVT_LINT0];
	if ((lint0 & (LVT_MASKED | LVT_MODE)) == LVT_EXTINT)
		return false;
	/* Off, it keeps all entries masked. */
	lapic_regs[LAPIC_SVR] = SVR_ENABLE | IRQ_VECTOR_SPURIOUS;
	lapic_regs[LAPIC_LVT_LINT0] = LVT_EXTINT;
	return true;
}

uint32_t
lapic_id(void)
{
	return lapic_regs != NULL ? lapic_regs[LAPIC_ID] >> LAPIC_ID_SHIFT : 0;
}

/* --- interrupts of its own ---------------------------------------------------------------------- */

/*
 * An interrupt was taken back (masked, or the priority raised) while the CPU asked for its vector.
 * It is not in service: no EOI.  Spec: Intel SDM vol. 3A, "Spurious Interrupt".
 */
static void
spurious(struct trapframe *tf)
{
	(void)tf;
	this_cpu()->apic_spurious++;
}

/* Writing the ESR makes it show what happened since the last write. */
static uint32_t
read_errors(void)
{
	lapic_regs[LAPIC_ESR] = 0;
	return lapic_regs[LAPIC_ESR];
}

static void
error(void *arg)
{
	struct cpu *cpu = this_cpu();
	const uint32_t bits = read_errors();

	(void)arg;
	if ((bits & ~cpu->apic_error_bits) != 0)
		log_warn("lapic: error, ESR %#x", bits);
	cpu->apic_error_bits |= bits;
	cpu->apic_errors++;
}

/* Where the LVT entry of @irq is. */
static unsigned
lvt(unsigned irq)
{
	return irq == IRQ_LAPIC_TIMER ? LAPIC_LVT_TIMER : LAPIC_LVT_ERROR;
}

static void
lapic_mask(unsigned irq)
{
	lapic_regs[lvt(irq)] |= LVT_MASKED;
}

static void
lapic_unmask(unsigned irq)
{
	lapic_regs[lvt(irq)] =
		(lapic_regs[lvt(irq)] & ~(LVT_MASKED | LVT_VECTOR)) | irq_vector(irq);
}

static bool
lapic_masked(unsigned irq)
{
	return (lapic_regs[lvt(irq)] & LVT_MASKED) != 0;
}

static bool
lapic_never_spurious(unsigned irq)
{
	(void)irq;
	return false;
}

static void
lapic_end(unsigned irq)
{
	(void)irq;
	lapic_eoi();
}

static void
lapic_describe(unsigned irq, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%s", irq == IRQ_LAPIC_TIMER ? "timer" : "error");
}

static const struct irq_chip lapic_chip = {
	.name = "local APIC",
	.mask = lapic_mask,
	.unmask = lapic_unmask,
	.masked = lapic_masked,
	.is_spurious = lapic_never_spurious,
	.eoi = lapic_end,
	.describe = lapic_describe,
};

/* --- as the interrupt controller ---------------------------------------------------------------- */

/* 32 vectors in each register. */
static bool
vector_bit(unsigned bank, unsigned vector)
{
	return (lapic_regs[bank + vector / 32 * 4] >> vector % 32 & 1) != 0;
}

bool
lapic_in_service(unsigned vector)
{
	return in_use && vector_bit(LAPIC_ISR, vector);
}

/* Interrupts that the firmware left in service would hold back all of lower priority for ever. */
static void
end_leftovers(void)
{
	for (unsigned n = 0; n < ISR_BITS_MAX; n++) {
		bool any = false;

		for (unsigned i = 0; i < 8; i++)
			any = any || lapic_regs[LAPIC_ISR + i * 4] != 0;
		if (!any)
			return;
		lapic_eoi();
	}
}

static uint32_t
lint_entry(const struct lapic_lint *lint)
{
	return lint->nmi ? LVT_NMI | (lint->low ? LVT_LOW : 0) : LVT_MASKED | LVT_EXTINT;
}

void
lapic_enable(const struct lapic_lint lint[2])
{
	trap_set_handler(IRQ_VECTOR_SPURIOUS, spurious);
	lapic_regs[LAPIC_TPR] = 0; /* nothing is too unimportant */
	/* Off, it lets no entry be unmasked: so this comes first. */
	lapic_regs[LAPIC_SVR] = SVR_ENABLE | IRQ_VECTOR_SPURIOUS;
	lapic_regs[LAPIC_LVT_LINT0] = lint_entry(&lint[0]);
	lapic_regs[LAPIC_LVT_LINT1] = lint_entry(&lint[1]);
	lapic_regs[LAPIC_LVT_TIMER] = LVT_MASKED;
	lapic_regs[LAPIC_LVT_ERROR] = LVT_MASKED;
	end_leftovers();
	(void)read_errors();
	this_cpu()->apic_id = lapic_id();
	in_use = true;
	irq_set_chip(&lapic_chip, IRQ_LAPIC_TIMER, IRQ_MAX - IRQ_LAPIC_TIMER);
	(void)irq_register(IRQ_LAPIC_ERROR, "APIC errors", error, NULL); /* the line is free */
}

bool
lapic_in_use(void)
{
	return in_use;
}

void
lapic_open_lint0(bool open)
{
	lapic_regs[LAPIC_LVT_LINT0] = open ? LVT_EXTINT : LVT_EXTINT | LVT_MASKED;
}

void
lapic_self_ipi(unsigned vector)
{
	for (unsigned i = 0; i < SEND_POLLS && (lapic_regs[LAPIC_ICR_LOW] & ICR_BUSY) != 0; i++)
		cpu_relax();
	lapic_regs[LAPIC_ICR_LOW] = ICR_SELF | vector;
}
