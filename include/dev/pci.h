/*
 * pci.h - the PCI bus: what is plugged in.
 *
 * Configuration mechanism 1 (ports CF8h/CFCh).  Implementation: drivers/pci.c, names:
 * drivers/pci_names.c.  The list is made once, by pci_init(), and never changes.
 */
#pragma once
#include <kern/base.h>

#define PCI_MAX_DEVICES 128

struct pci_device {
	uint8_t bus, slot, function;
	uint8_t header; /* type: 0 device, 1 PCI bridge, 2 CardBus bridge */
	uint16_t vendor, device;
	uint8_t class, subclass, prog_if, revision;
	uint16_t subsystem_vendor, subsystem; /* 0 for bridges */
	uint8_t irq_line;		      /* as the firmware routed it; 0 or 255 = none */
	uint8_t irq_pin;		      /* 1-4 = INTA-INTD, 0 = uses none */
	uint8_t secondary_bus;		      /* bridges: the bus behind */
};

/* Configuration registers. */
enum {
	PCI_VENDOR = 0x00,
	PCI_COMMAND = 0x04,
	PCI_CLASS = 0x08,
	PCI_HEADER = 0x0c,
	PCI_BAR0 = 0x10,
	PCI_SUBSYSTEM = 0x2c,
	PCI_SECONDARY_BUS = 0x18,
	PCI_CAPABILITIES = 0x34,
	PCI_INTERRUPT = 0x3c,
};

enum { PCI_COMMAND_IO = 1 << 0, PCI_COMMAND_MEMORY = 1 << 1, PCI_COMMAND_MASTER = 1 << 2 };

/* Driver table: list all devices.  0, or -ENODEV when there is no PCI. */
int pci_init(void);

size_t pci_count(void);
/* Device number @i in order of bus, slot, function; NULL past the end. */
const struct pci_device *pci_get(size_t i);
/* First device from number @from on with this vendor and device, or this class; else NULL. */
const struct pci_device *pci_find(uint16_t vendor, uint16_t device, size_t from);
const struct pci_device *pci_find_class(uint8_t class, uint8_t subclass, size_t from);

/* Configuration space; @reg is rounded down to the width.  Context: any. */
uint32_t pci_read32(const struct pci_device *d, uint8_t reg);
uint16_t pci_read16(const struct pci_device *d, uint8_t reg);
uint8_t pci_read8(const struct pci_device *d, uint8_t reg);
void pci_write32(const struct pci_device *d, uint8_t reg, uint32_t v);
/* Without a device at hand (ACPI's reset register). */
void pci_config_write8(unsigned bus, unsigned slot, unsigned function, uint8_t reg, uint8_t v);

/* A base address register, decoded; sizes are not probed. */
struct pci_bar {
	uint64_t base;
	bool io, is64, prefetchable;
};
/* False when BAR @i does not exist or is empty. */
bool pci_bar(const struct pci_device *d, unsigned i, struct pci_bar *out);

/* Names for people; the vendor's and device's are NULL when unknown, the class's never is. */
const char *pci_vendor_name(uint16_t vendor);
const char *pci_device_name(uint16_t vendor, uint16_t device);
const char *pci_class_name(uint8_t class, uint8_t subclass, uint8_t prog_if);
