/*
 * ioapic.c - the I/O APICs: from a pin to a vector at a CPU.
 *
 * Each pin has a redirection entry of 64 bits: vector, trigger mode, polarity, mask, destination.
 * An edge at a pin that is masked is forgotten, unlike at an 8259A.  So that none gets lost that
 * came before its line was unmasked, the 8259A is asked, which sees the ISA lines, too, and still
 * remembers: if it knows of an edge, the interrupt is sent by the local APIC to ourselves.  At worst
 * a handler finds nothing to do.
 * Level-triggered pins need nothing special: the entry's Remote IRR bit holds further ones back
 * until the EOI, which the local APIC passes on, and then the pin is looked at again.
 * Spec: Intel 82093AA I/O Advanced Programmable Interrupt Controller, "Register Description".
 */
#include <x86/ioapic.h>
#include <kern/irq.h>
#include <kern/spinlock.h>
#include <lib/printf.h>
#include <mm/vmm.h>
#include <x86/lapic.h>
#include <x86/pic.h>

/* Dwords from the base: which register, and its content. */
#define IOREGSEL  (0x00 / 4)
#define IOWIN	  (0x10 / 4)
#define REGS_SIZE 0x20

#define REG_ID	       0
#define REG_VERSION    1
#define REG_ENTRY(pin) (0x10 + 2 * (pin)) /* low half; the high one follows */

#define NOTHING_THERE 0xffffffffU
#define PINS_MAX      240 /* of any in the field; the register has room for 256 */

struct ioapic {
	volatile uint32_t *regs; /* [ioapic] the two are used as a pair */
	paddr_t address;	 /* [I] */
	uint32_t gsi_base;	 /* [I] */
	unsigned pins;		 /* [I] */
	uint8_t id, version;	 /* [I] */
};

struct route {
	struct ioapic *io; /* [ioapic] NULL = comes in nowhere */
	uint8_t pin;	   /* [ioapic] */
	uint32_t low;	   /* [ioapic] lower half of the entry but for vector and mask */
	bool masked;	   /* [ioapic] */
};

static struct spinlock lock = SPINLOCK_INIT("ioapic");
static struct ioapic ioapics[IOAPICS_MAX]; /* [I] but for regs */
static unsigned nr_ioapics;		   /* [I] */
static uint32_t destination;		   /* [I] APIC id */
static struct route routes[IRQ_GSI_LINES];

static uint32_t
read(const struct ioapic *io, unsigned reg)
{
	io->regs[IOREGSEL] = reg;
	return io->regs[IOWIN];
}

static void
write(const struct ioapic *io, unsigned reg, uint32_t value)
{
	io->regs[IOREGSEL] = reg;
	io->regs[IOWIN] = value;
}

/* --- finding them ----------------------------------------------------------------------------- */

static struct ioapic *
find_gsi(uint32_t gsi)
{
	for (unsigned i = 0; i < nr_ioapics; i++) {
		if (gsi - ioapics[i].gsi_base < ioapics[i].pins)
			return &ioapics[i];
	}
	return NULL;
}

bool
ioapic_has(uint32_t gsi)
{
	return find_gsi(gsi) != NULL;
}

static bool
overlaps(uint32_t gsi_base, unsigned pins)
{
	for (unsigned i = 0; i < nr_ioapics; i++) {
		const struct ioapic *io = &ioapics[i];

		if (gsi_base < (uint64_t)io->gsi_base + io->pins &&
		    io->gsi_base < (uint64_t)gsi_base + pins)
			return true;
	}
	return false;
}

/* Spec: Intel 82093AA, "IOAPICVER - IOAPIC Version Register". */
static int
identify(struct ioapic *io)
{
	const uint32_t version = read(io, REG_VERSION);

	io->version = (uint8_t)version;
	io->pins = (version >> 16 & 0xff) + 1;
	io->id = read(io, REG_ID) >> 24 & 0xf;
	if (version == NOTHING_THERE || version == 0 || io->pins > PINS_MAX)
		return -ENODEV;
	return overlaps(io->gsi_base, io->pins) ? -EEXIST : 0;
}

int
ioapic_add(paddr_t address, uint32_t gsi_base)
{
	struct ioapic *io = &ioapics[nr_ioapics];
	int result;

	if (nr_ioapics == IOAPICS_MAX)
		return -ENOSPC;
	*io = (struct ioapic){.address = address, .gsi_base = gsi_base};
	io->regs = vmm_map_mmio(address, REGS_SIZE);
	if (io->regs == NULL)
		return -ENOMEM;
	result = identify(io);
	if (result == 0)
		nr_ioapics++;
	else
		vmm_unmap_mmio((void *)(uintptr_t)io->regs, REGS_SIZE);
	return result;
}

/* --- setting up ------------------------------------------------------------------------------- */

/* Pins by which the firmware is called (SMI) are its own. */
static void
mask_all(const struct ioapic *io)
{
	for (unsigned pin = 0; pin < io->pins; pin++) {
		if ((read(io, REG_ENTRY(pin)) & IOAPIC_MODE) != IOAPIC_MODE_SMI)
			write(io, REG_ENTRY(pin), IOAPIC_MASKED);
	}
}

void
ioapic_take(uint32_t apic_id)
{
	const uint64_t flags = spin_lock(&lock);

	destination = apic_id;
	for (unsigned i = 0; i < nr_ioapics; i++)
		mask_all(&ioapics[i]);
	for (unsigned i = 0; i < IRQ_GSI_LINES; i++)
		routes[i].masked = true;
	spin_unlock(&lock, flags);
}

static bool
pin_taken_locked(const struct ioapic *io, unsigned pin)
{
	for (unsigned i = 0; i < IRQ_GSI_LINES; i++) {
		if (routes[i].io == io && routes[i].pin == pin)
			return true;
	}
	return false;
}

static int
route_locked(struct route *r, struct ioapic *io, const struct ioapic_line *line)
{
	const unsigned pin = line->gsi - io->gsi_base;

	if (pin_taken_locked(io, pin))
		return -EBUSY;
	r->io = io;
	r->pin = (uint8_t)pin;
	r->low = (line->low ? IOAPIC_LOW : 0) | (line->level ? IOAPIC_LEVEL : 0);
	r->masked = true;
	return 0;
}

int
ioapic_route(unsigned irq, const struct ioapic_line *line)
{
	struct ioapic *io = find_gsi(line->gsi);
	uint64_t flags;
	int result;

	assert(irq < IRQ_GSI_LINES);
	if (io == NULL)
		return -ENODEV;
	flags = spin_lock(&lock);
	result = route_locked(&routes[irq], io, line);
	spin_unlock(&lock, flags);
	return result;
}

/* --- the irq_chip ----------------------------------------------------------------------------- */

static void
ioapic_mask(unsigned irq)
{
	const uint64_t flags = spin_lock(&lock);
	struct route *r = &routes[irq];

	r->masked = true;
	if (r->io != NULL)
		write(r->io, REG_ENTRY(r->pin), r->low | irq_vector(irq) | IOAPIC_MASKED);
	spin_unlock(&lock, flags);
}

/* Destination first: the lower half holds the mask. */
static void
open_locked(struct route *r, unsigned vector)
{
	write(r->io, REG_ENTRY(r->pin) + 1, destination << (IOAPIC_DEST_SHIFT - 32));
	write(r->io, REG_ENTRY(r->pin), r->low | vector);
	r->masked = false;
}

static void
ioapic_unmask(unsigned irq)
{
	const uint64_t flags = spin_lock(&lock);
	struct route *r = &routes[irq];
	const bool present = r->io != NULL, level = (r->low & IOAPIC_LEVEL) != 0;

	if (present)
		open_locked(r, irq_vector(irq));
	spin_unlock(&lock, flags);
	if (present && irq < IRQ_ISA_LINES && !level && (pic_irr() >> irq & 1) != 0)
		lapic_self_ipi(irq_vector(irq));
}

static bool
ioapic_masked(unsigned irq)
{
	return routes[irq].masked || routes[irq].io == NULL;
}

/*
 * Vectors 27h and 2Fh are also those by which an 8259A reports an interrupt that it takes back.
 * Such a one did not come by the local APIC, and is not in service there: no EOI.
 */
static bool
ioapic_is_spurious(unsigned irq)
{
	return !lapic_in_service(irq_vector(irq));
}

static void
ioapic_eoi(unsigned irq)
{
	(void)irq;
	lapic_eoi();
}

static void
ioapic_describe(unsigned irq, char *buf, size_t size)
{
	const struct route *r = &routes[irq];

	if (r->io == NULL) {
		(void)snprintf(buf, size, "no pin");
		return;
	}
	(void)snprintf(buf, size, "%zu pin %u %s %s", (size_t)(r->io - ioapics), r->pin,
		       r->low & IOAPIC_LEVEL ? "level" : "edge",
		       r->low & IOAPIC_LOW ? "low" : "high");
}

const struct irq_chip ioapic_chip = {
	.name = "I/O APIC",
	.mask = ioapic_mask,
	.unmask = ioapic_unmask,
	.masked = ioapic_masked,
	.is_spurious = ioapic_is_spurious,
	.eoi = ioapic_eoi,
	.describe = ioapic_describe,
};

/* --- for the shell ---------------------------------------------------------------------------- */

bool
ioapic_info(unsigned i, struct ioapic_info *out)
{
	if (i >= nr_ioapics)
		return false;
	*out = (struct ioapic_info){.address = ioapics[i].address,
				    .gsi_base = ioapics[i].gsi_base,
				    .pins = ioapics[i].pins,
				    .id = ioapics[i].id,
				    .version = ioapics[i].version};
	return true;
}

uint64_t
ioapic_entry(unsigned i, unsigned pin)
{
	const uint64_t flags = spin_lock(&lock);
	uint64_t entry;

	assert(i < nr_ioapics && pin < ioapics[i].pins);
	entry = read(&ioapics[i], REG_ENTRY(pin));
	entry |= (uint64_t)read(&ioapics[i], REG_ENTRY(pin) + 1) << 32;
	spin_unlock(&lock, flags);
	return entry;
}
