/*
 * pci.c - finding what is on the PCI buses.
 *
 * Starts at bus 0 and follows each bridge to the bus behind it, instead of asking all 8192 places
 * one by one; then looks at place 0 of the buses that remain, for further root buses.  A map of
 * visited buses keeps a wrongly numbered bridge from leading in a circle.
 * Spec: PCI Local Bus 3.0, "Configuration Space Access Mechanism #1" and "Configuration Space
 * Decoding"; PCI-to-PCI Bridge 1.2, "Secondary Bus Number Register".
 */
#include <dev/pci.h>
#include <kern/spinlock.h>
#include <lib/bitmap.h>
#include <x86/io.h>

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define CONFIG_ENABLE  0x80000000U

#define SLOTS	      32
#define FUNCTIONS     8
#define HEADER_TYPE   0x7f
#define HEADER_MULTI  0x80
#define HEADER_BRIDGE 1
#define BUSES	      256

static struct spinlock lock = SPINLOCK_INIT("pci"); /* the address register and its data */
static struct pci_device devices[PCI_MAX_DEVICES];  /* [I] after pci_init() */
static size_t nr_devices;			    /* [I] */
static size_t nr_dropped;			    /* [I] */

static uint32_t
config_read(unsigned bus, unsigned slot, unsigned function, unsigned reg)
{
	const uint64_t flags = spin_lock(&lock);
	uint32_t v;

	outl(CONFIG_ADDRESS, CONFIG_ENABLE | bus << 16 | slot << 11 | function << 8 | (reg & 0xfc));
	v = inl(CONFIG_DATA);
	spin_unlock(&lock, flags);
	return v;
}

uint32_t
pci_read32(const struct pci_device *d, uint8_t reg)
{
	return config_read(d->bus, d->slot, d->function, reg);
}

uint16_t
pci_read16(const struct pci_device *d, uint8_t reg)
{
	return (uint16_t)(pci_read32(d, reg) >> (reg & 2) * 8);
}

uint8_t
pci_read8(const struct pci_device *d, uint8_t reg)
{
	return (uint8_t)(pci_read32(d, reg) >> (reg & 3) * 8);
}

void
pci_write32(const struct pci_device *d, uint8_t reg, uint32_t v)
{
	const uint64_t flags = spin_lock(&lock);

	outl(CONFIG_ADDRESS, CONFIG_ENABLE | (uint32_t)d->bus << 16 | (uint32_t)d->slot << 11 |
				     (uint32_t)d->function << 8 | (reg & 0xfcU));
	outl(CONFIG_DATA, v);
	spin_unlock(&lock, flags);
}

void
pci_config_write8(unsigned bus, unsigned slot, unsigned function, uint8_t reg, uint8_t v)
{
	const uint64_t flags = spin_lock(&lock);

	outl(CONFIG_ADDRESS,
	     CONFIG_ENABLE | bus << 16 | slot << 11 | function << 8 | (reg & 0xfcU));
	outb(CONFIG_DATA + (reg & 3), v);
	spin_unlock(&lock, flags);
}

/* The address register reads back what was written, and only a full 32-bit access reaches it. */
static bool
mechanism_1_present(void)
{
	const uint32_t old = inl(CONFIG_ADDRESS);
	bool found;

	outl(CONFIG_ADDRESS, CONFIG_ENABLE);
	found = inl(CONFIG_ADDRESS) == CONFIG_ENABLE;
	outl(CONFIG_ADDRESS, old);
	return found;
}

/* Append the function; returns its header type byte. */
static uint8_t
add(unsigned bus, unsigned slot, unsigned function, uint32_t id)
{
	const uint32_t class = config_read(bus, slot, function, PCI_CLASS);
	const uint32_t irq = config_read(bus, slot, function, PCI_INTERRUPT);
	const uint8_t header = (uint8_t)(config_read(bus, slot, function, PCI_HEADER) >> 16);
	struct pci_device *d;

	if (nr_devices == PCI_MAX_DEVICES) {
		nr_dropped++;
		return header;
	}
	d = &devices[nr_devices++];
	*d = (struct pci_device){
		.bus = (uint8_t)bus,
		.slot = (uint8_t)slot,
		.function = (uint8_t)function,
		.header = header & HEADER_TYPE,
		.vendor = (uint16_t)id,
		.device = (uint16_t)(id >> 16),
		.class = (uint8_t)(class >> 24),
		.subclass = (uint8_t)(class >> 16),
		.prog_if = (uint8_t)(class >> 8),
		.revision = (uint8_t) class,
		.irq_line = (uint8_t)irq,
		.irq_pin = (uint8_t)(irq >> 8),
	};
	if (d->header == 0) {
		const uint32_t subsystem = pci_read32(d, PCI_SUBSYSTEM);

		d->subsystem_vendor = (uint16_t)subsystem;
		d->subsystem = (uint16_t)(subsystem >> 16);
	} else if (d->header == HEADER_BRIDGE) {
		d->secondary_bus = (uint8_t)(pci_read32(d, PCI_SECONDARY_BUS) >> 8);
	}
	return header;
}

static bool
exists(uint32_t id)
{
	return (id & 0xffff) != 0xffff && (id & 0xffff) != 0;
}

static void
scan_slot(unsigned bus, unsigned slot)
{
	unsigned functions = 1;

	for (unsigned function = 0; function < functions; function++) {
		const uint32_t id = config_read(bus, slot, function, PCI_VENDOR);

		if (!exists(id)) {
			if (function == 0)
				return;
			continue;
		}
		if ((add(bus, slot, function, id) & HEADER_MULTI) && function == 0)
			functions = FUNCTIONS;
	}
}

static void
scan_bus(unsigned bus, uint64_t *visited, uint64_t *wanted)
{
	const size_t first = nr_devices;

	bitmap_set(visited, bus);
	for (unsigned slot = 0; slot < SLOTS; slot++)
		scan_slot(bus, slot);
	for (size_t i = first; i < nr_devices; i++)
		if (devices[i].header == HEADER_BRIDGE && devices[i].secondary_bus != 0)
			bitmap_set(wanted, devices[i].secondary_bus);
}

/* Scan @bus and all that can be reached from it through bridges. */
static void
scan_tree(unsigned bus, uint64_t *visited)
{
	uint64_t wanted[BITMAP_WORDS(BUSES)] = {0};

	bitmap_set(wanted, bus);
	for (unsigned next = bus; next < BUSES; next++) {
		if (!bitmap_test(wanted, next) || bitmap_test(visited, next))
			continue;
		scan_bus(next, visited, wanted);
		next = 0; /* a bridge may lead to a lower number; bus 0 is visited by now */
	}
}

int
pci_init(void)
{
	uint64_t visited[BITMAP_WORDS(BUSES)] = {0};

	if (!mechanism_1_present())
		return -ENODEV;
	scan_tree(0, visited);
	/* Larger machines have more root buses, which no bridge leads to. */
	for (unsigned bus = 1; bus < BUSES; bus++)
		if (!bitmap_test(visited, bus) && exists(config_read(bus, 0, 0, PCI_VENDOR)))
			scan_tree(bus, visited);
	if (nr_dropped > 0)
		log_warn("pci: %zu devices more than the table holds (%d)", nr_dropped,
			 PCI_MAX_DEVICES);
	log_info("pci: %zu devices", nr_devices);
	return 0;
}

size_t
pci_count(void)
{
	return nr_devices;
}

const struct pci_device *
pci_get(size_t i)
{
	return i < nr_devices ? &devices[i] : NULL;
}

const struct pci_device *
pci_find(uint16_t vendor, uint16_t device, size_t from)
{
	for (size_t i = from; i < nr_devices; i++)
		if (devices[i].vendor == vendor && devices[i].device == device)
			return &devices[i];
	return NULL;
}

const struct pci_device *
pci_find_class(uint8_t class, uint8_t subclass, size_t from)
{
	for (size_t i = from; i < nr_devices; i++)
		if (devices[i].class == class && devices[i].subclass == subclass)
			return &devices[i];
	return NULL;
}

/* Spec: PCI Local Bus 3.0, "Base Addresses". */
bool
pci_bar(const struct pci_device *d, unsigned i, struct pci_bar *out)
{
	const unsigned count = d->header == 0 ? 6 : d->header == HEADER_BRIDGE ? 2 : 0;
	uint32_t low, high = 0;

	if (i >= count)
		return false;
	low = pci_read32(d, (uint8_t)(PCI_BAR0 + 4 * i));
	out->io = low & 1;
	out->is64 = !out->io && (low >> 1 & 3) == 2;
	out->prefetchable = !out->io && (low & 8);
	if (out->is64 && i + 1 < count)
		high = pci_read32(d, (uint8_t)(PCI_BAR0 + 4 * i + 4));
	out->base = (uint64_t)high << 32 | (low & (out->io ? ~3U : ~15U));
	return out->base != 0;
}
