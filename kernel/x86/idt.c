/*
 * idt.c - 256 interrupt gates, one for each stub in trap.asm.
 *
 * All are interrupt gates: the CPU turns interrupts off on entry, so no handler is interrupted
 * before it has said so.  Spec: Intel SDM vol. 3A, "64-Bit Mode IDT", "Interrupt Stack Table".
 */
#include <x86/trap.h>
#include <kern/base.h>
#include <x86/io.h>

#define GATE_PRESENT   0x80
#define GATE_DPL3      0x60
#define GATE_INTERRUPT 0x0e

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71
#define CMOS_REG_D 0x0d /* read-only status: harmless to select */

struct idt_gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_mid;
	uint32_t offset_high;
	uint32_t reserved;
};
_Static_assert(sizeof(struct idt_gate) == 16, "gate layout");

static struct idt_gate idt[TRAP_VECTORS] __attribute__((aligned(4096)));

static void
set_gate(unsigned vector, uint8_t ist, uint8_t type)
{
	const uint64_t stub = (uint64_t)trap_stubs + (uint64_t)vector * TRAP_STUB_SIZE;

	idt[vector] = (struct idt_gate){
		.offset_low = (uint16_t)stub,
		.selector = SEL_KERNEL_CODE,
		.ist = ist,
		.type = type,
		.offset_mid = (uint16_t)(stub >> 16),
		.offset_high = (uint32_t)(stub >> 32),
	};
}

/* These three can strike while RSP is worthless: each gets a stack that is always good. */
static uint8_t
ist_of(unsigned vector)
{
	switch (vector) {
	case TRAP_DF: return IST_DF;
	case TRAP_NMI: return IST_NMI;
	case TRAP_MC: return IST_MC;
	default: return 0;
	}
}

int
idt_init(void)
{
	const struct desc_ptr ptr = {sizeof(idt) - 1, (uint64_t)idt};

	for (unsigned v = 0; v < TRAP_VECTORS; v++)
		set_gate(v, ist_of(v), GATE_PRESENT | GATE_INTERRUPT);
	idt_allow_user(TRAP_BP, true);
	idt_allow_user(TRAP_OF, true);
	__asm__ volatile("lidt %0" ::"m"(ptr) : "memory");

	/* The loader masked NMIs (bit 7 of the CMOS index port) for want of an IDT. */
	outb(CMOS_INDEX, CMOS_REG_D);
	(void)inb(CMOS_DATA); /* the chip wants each index write followed by a data access */
	return 0;
}

void
idt_allow_user(unsigned vector, bool allow)
{
	assert(vector < TRAP_VECTORS);
	idt[vector].type = GATE_PRESENT | GATE_INTERRUPT | (allow ? GATE_DPL3 : 0);
}
