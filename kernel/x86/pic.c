/*
 * pic.c - two 8259A interrupt controllers in cascade: 16 lines on vectors 20h-2Fh.
 *
 * At power-on the master sits on vectors 08h-0Fh, where the CPU has its exceptions: the vectors
 * are moved first of all.  The line masks are kept in memory, so that changing one costs one port
 * access.  Spec: Intel 8259A data sheet, "Initialization Command Words", "Operation Command Words".
 */
#include <x86/pic.h>
#include <kern/irq.h>
#include <kern/spinlock.h>
#include <lib/printf.h>
#include <x86/io.h>
#include <x86/lapic.h>

#define MASTER_CMD  0x20
#define MASTER_DATA 0x21
#define SLAVE_CMD   0xa0
#define SLAVE_DATA  0xa1
#define CASCADE_IRQ 2

#define ICW1_INIT	  0x11 /* edge-triggered, cascaded, ICW4 follows */
#define ICW4_8086	  0x01 /* 8086 mode, normal EOI */
#define OCW2_SPECIFIC_EOI 0x60 /* | line of that chip */
#define OCW3_READ_IRR	  0x0a
#define OCW3_READ_ISR	  0x0b

static struct spinlock pic_lock = SPINLOCK_INIT("pic");
static uint16_t pic_mask = 0xffff; /* [pic_lock] as in the chips */
static bool present;		   /* [I] a mask can be read back */

/* Old chips need about a microsecond between two command words. */
static void
command(uint16_t port, uint8_t v)
{
	outb(port, v);
	io_wait();
}

static void
write_mask(unsigned irq)
{
	if (irq < 8)
		outb(MASTER_DATA, (uint8_t)pic_mask);
	else
		outb(SLAVE_DATA, (uint8_t)(pic_mask >> 8));
}

static void
pic_mask_irq(unsigned irq)
{
	const uint64_t flags = spin_lock(&pic_lock);

	pic_mask |= (uint16_t)BIT(irq);
	write_mask(irq);
	spin_unlock(&pic_lock, flags);
}

static void
pic_unmask_irq(unsigned irq)
{
	const uint64_t flags = spin_lock(&pic_lock);

	pic_mask &= (uint16_t)~BIT(irq);
	write_mask(irq);
	spin_unlock(&pic_lock, flags);
}

/* Interrupts are off in handlers, so the two accesses of one EOI are not torn apart. */
static void
pic_eoi(unsigned irq)
{
	if (irq >= 8) {
		outb(SLAVE_CMD, OCW2_SPECIFIC_EOI | (uint8_t)(irq - 8));
		irq = CASCADE_IRQ;
	}
	outb(MASTER_CMD, OCW2_SPECIFIC_EOI | (uint8_t)irq);
}

static uint8_t
read_register(uint16_t port, uint8_t which)
{
	outb(port, which);
	return inb(port);
}

/*
 * A line that drops before the CPU asks for the vector is answered with the chip's line 7, and no
 * ISR bit: such an interrupt must get no EOI from that chip.  A spurious 15 did pass through the
 * master, whose cascade line is in service and wants its EOI.
 * Spec: Intel 8259A data sheet, "Interrupt Sequence".
 */
static bool
pic_is_spurious(unsigned irq)
{
	if (likely(irq != 7 && irq != 15))
		return false;
	if (irq == 7)
		return (read_register(MASTER_CMD, OCW3_READ_ISR) & 0x80) == 0;
	if (read_register(SLAVE_CMD, OCW3_READ_ISR) & 0x80)
		return false;
	outb(MASTER_CMD, OCW2_SPECIFIC_EOI | CASCADE_IRQ);
	return true;
}

static bool
pic_masked(unsigned irq)
{
	return (pic_mask >> irq & 1) != 0;
}

static void
pic_describe(unsigned irq, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%s %u", irq < 8 ? "master" : "slave", irq & 7);
}

const struct irq_chip pic_chip = {
	.name = "8259A",
	.mask = pic_mask_irq,
	.unmask = pic_unmask_irq,
	.masked = pic_masked,
	.is_spurious = pic_is_spurious,
	.eoi = pic_eoi,
	.describe = pic_describe,
};

int
pic_init(void)
{
	const uint64_t flags = spin_lock(&pic_lock);

	command(MASTER_CMD, ICW1_INIT);
	command(SLAVE_CMD, ICW1_INIT);
	command(MASTER_DATA, IRQ_VECTOR_BASE);
	command(SLAVE_DATA, IRQ_VECTOR_BASE + 8);
	command(MASTER_DATA, 1 << CASCADE_IRQ);
	command(SLAVE_DATA, CASCADE_IRQ);
	command(MASTER_DATA, ICW4_8086);
	command(SLAVE_DATA, ICW4_8086);
	pic_mask = (uint16_t)~BIT(CASCADE_IRQ);
	write_mask(0);
	write_mask(8);
	present = pic_imr() == pic_mask;
	spin_unlock(&pic_lock, flags);
	if (!present)
		log_warn("pic: no 8259A answers");
	irq_set_chip(&pic_chip, 0, IRQ_ISA_LINES);
	if (lapic_virtual_wire())
		log_info("pic: the local APIC let nothing through from the 8259A: opened");
	lapic_timer_measure();
	return 0;
}

static void
set_masks(uint16_t mask)
{
	const uint64_t flags = spin_lock(&pic_lock);

	pic_mask = mask;
	write_mask(0);
	write_mask(8);
	spin_unlock(&pic_lock, flags);
}

void
pic_silence(void)
{
	set_masks(0xffff);
}

void
pic_resume(void)
{
	set_masks((uint16_t)~BIT(CASCADE_IRQ));
}

/* IRR or ISR of both chips.  The lock keeps select and read together. */
static uint16_t
read_both(uint8_t which)
{
	uint64_t flags;
	uint16_t v;

	if (!present)
		return 0;
	flags = spin_lock(&pic_lock);
	v = (uint16_t)(read_register(MASTER_CMD, which) | read_register(SLAVE_CMD, which) << 8);
	spin_unlock(&pic_lock, flags);
	return v;
}

uint16_t
pic_irr(void)
{
	return read_both(OCW3_READ_IRR);
}

uint16_t
pic_isr(void)
{
	return read_both(OCW3_READ_ISR);
}

uint16_t
pic_imr(void)
{
	return (uint16_t)(inb(MASTER_DATA) | inb(SLAVE_DATA) << 8);
}
