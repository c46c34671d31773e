/*
 * ioapic.h - the I/O APICs: each pin has an entry that says to which CPU, as which vector.
 *
 * Implementation: kernel/x86/ioapic.c.  A GSI numbers the pins of all of them together.
 */
#pragma once
#include <kern/base.h>

struct irq_chip;
extern const struct irq_chip ioapic_chip;

#define IOAPICS_MAX 8

/* How a line comes in. */
struct ioapic_line {
	uint32_t gsi;
	bool low;   /* active low */
	bool level; /* level-triggered */
};

/*
 * Map the one at @address, whose first pin is GSI @gsi_base.  Nothing is changed yet.  0, -ENOMEM,
 * -ENODEV (nothing there), -EEXIST (its pins overlap another's) or -ENOSPC.  Context: thread.
 */
int ioapic_add(paddr_t address, uint32_t gsi_base);
/* Is there a pin with this GSI? */
bool ioapic_has(uint32_t gsi);
/* Mask every pin, and have all interrupts sent to the CPU with this APIC id.  Interrupts off. */
void ioapic_take(uint32_t apic_id);
/* Line @irq comes in so; it stays masked.  0, -ENODEV (no such pin) or -EBUSY (another line's). */
int ioapic_route(unsigned irq, const struct ioapic_line *line);

/* For `ioapic`.  False past the end. */
struct ioapic_info {
	paddr_t address;
	uint32_t gsi_base;
	unsigned pins;
	uint8_t id, version;
};
bool ioapic_info(unsigned i, struct ioapic_info *out);
/* The redirection entry of a pin, as it is in the chip. */
uint64_t ioapic_entry(unsigned i, unsigned pin);

/* Spec: Intel 82093AA, "IOREDTBL[23:0] - I/O Redirection Table Registers". */
#define IOAPIC_VECTOR	  0xffU
#define IOAPIC_MODE	  0x700U
#define IOAPIC_MODE_SMI	  0x200U
#define IOAPIC_LOGICAL	  0x800U
#define IOAPIC_PENDING	  0x1000U
#define IOAPIC_LOW	  0x2000U
#define IOAPIC_REMOTE_IRR 0x4000U
#define IOAPIC_LEVEL	  0x8000U
#define IOAPIC_MASKED	  0x10000U
#define IOAPIC_DEST_SHIFT 56 /* of the whole entry */
