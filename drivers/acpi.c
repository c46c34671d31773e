/*
 * acpi.c - finding the ACPI tables, and using them to turn off and reset.
 *
 * Everything is read once, at start: later, when the machine is to stop, memory may not be ours to
 * map any more.  AML methods (_PTS) are not run; the fixed hardware suffices for S5 and reset.
 * Spec: ACPI 6.4, "Finding the RSDP on IA-PC Systems", "PM1 Control Grouping", "Reset Register".
 */
#include <dev/acpi.h>
#include <dev/pci.h>
#include <kern/boot_trace.h>
#include <lib/string.h>
#include <mm/vmm.h>
#include <x86/cpu.h>
#include <x86/io.h>

#define MAX_TABLES 32

#define BDA_EBDA_SEGMENT 0x40e
#define EBDA_SEARCH	 1024
#define BIOS_START	 0xe0000
#define BIOS_SIZE	 0x20000
#define RSDP_ALIGN	 16

#define PM1_SCI_EN		BIT(0)
#define PM1_SLP_TYP_SHIFT	10
#define PM1_SLP_EN		BIT(13)
#define SLEEP_CONTROL_TYP_SHIFT 2
#define SLEEP_CONTROL_EN	0x20

/* A port read takes about a microsecond. */
#define POLLS_ENABLE 300000U
#define POLLS_OFF    1000000U

/* A register of the FADT, reachable. */
struct reg {
	struct acpi_gas gas;
	volatile void *mapped; /* for memory space */
};

static bool searched;				    /* [I] */
static int search_result;			    /* [I] */
static struct acpi_info info;			    /* [I] after acpi_init() */
static struct acpi_table_info tables[MAX_TABLES];   /* [I] */
static struct reg pm1a, pm1b, reset, sleep_control; /* [I] */

/* --- tables ----------------------------------------------------------------------------------- */

/* Map the whole table at @pa.  NULL if its header is nonsense.  @*length for unmapping. */
static const void *
map_table(uint64_t pa, uint32_t *length)
{
	void *header = vmm_map_firmware(pa, ACPI_HEADER_SIZE);

	if (!header)
		return NULL;
	*length = acpi_table_length(header);
	vmm_unmap_mmio(header, ACPI_HEADER_SIZE);
	return *length != 0 ? vmm_map_firmware(pa, *length) : NULL;
}

void
acpi_unmap_table(const void *table, uint32_t length)
{
	vmm_unmap_mmio((void *)(uintptr_t)table, length);
}

static void
note_table(uint64_t pa)
{
	struct acpi_table_info *t;
	uint32_t length;
	const void *table;

	if (pa == 0 || info.nr_tables == MAX_TABLES)
		return;
	table = map_table(pa, &length);
	if (!table)
		return;
	t = &tables[info.nr_tables++];
	t->address = pa;
	t->length = acpi_sum(table, length) == 0 ? length : 0;
	memcpy(t->signature, table, 4);
	memcpy(t->oem, (const char *)table + 10, 6);
	acpi_unmap_table(table, length);
}

/* The list of tables: entries of 8 (XSDT) or 4 bytes (RSDT). */
static int
read_root(uint64_t pa, const char *signature, size_t entry_size)
{
	uint32_t length;
	const uint8_t *root = map_table(pa, &length);
	int result = -EINVAL;

	if (!root)
		return -EINVAL;
	if (acpi_table_valid(root, length, signature)) {
		for (size_t at = ACPI_HEADER_SIZE; at + entry_size <= length; at += entry_size) {
			uint64_t entry = 0;

			memcpy(&entry, root + at, entry_size);
			note_table(entry);
		}
		result = 0;
	}
	acpi_unmap_table(root, length);
	return result;
}

static int
try_rsdp(uint64_t pa)
{
	struct acpi_rsdp rsdp;
	void *p = vmm_map_firmware(pa, ACPI_RSDP_V2_SIZE);
	int result;

	if (!p)
		return -ENOMEM;
	result = acpi_parse_rsdp(p, ACPI_RSDP_V2_SIZE, &rsdp);
	vmm_unmap_mmio(p, ACPI_RSDP_V2_SIZE);
	if (result != 0)
		return result;
	if (rsdp.xsdt == 0 || read_root(rsdp.xsdt, "XSDT", 8) != 0)
		result = read_root(rsdp.rsdt, "RSDT", 4);
	if (result != 0)
		return result;
	info.present = true;
	info.rsdp = pa;
	info.revision = rsdp.revision;
	return 0;
}

static int
search_rsdp(uint64_t start, size_t size)
{
	const uint8_t *p = vmm_map_firmware(start, size);
	int result = -ENODEV;

	if (!p)
		return -ENOMEM;
	for (size_t at = 0; at + ACPI_RSDP_V2_SIZE <= size && result != 0; at += RSDP_ALIGN)
		if (p[at] == 'R' && memcmp(p + at, "RSD PTR ", 8) == 0)
			result = try_rsdp(start + at);
	acpi_unmap_table(p, (uint32_t)size);
	return result;
}

static int
find_tables(void)
{
	const uint16_t *segment;
	uint64_t ebda = 0;

	if (boot_info()->rsdp != 0 && try_rsdp(boot_info()->rsdp) == 0)
		return 0;
	segment = vmm_map_firmware(BDA_EBDA_SEGMENT, sizeof(*segment));
	if (segment) {
		ebda = (uint64_t)*segment << 4;
		acpi_unmap_table(segment, sizeof(*segment));
	}
	if (ebda >= 0x80000 && ebda < 0xa0000 && search_rsdp(ebda, EBDA_SEARCH) == 0)
		return 0;
	return search_rsdp(BIOS_START, BIOS_SIZE);
}

int
acpi_find_tables(void)
{
	if (!searched)
		search_result = find_tables();
	searched = true;
	return search_result;
}

/* --- what they say ---------------------------------------------------------------------------- */

static const struct acpi_table_info *
find(const char *signature)
{
	for (unsigned i = 0; i < info.nr_tables; i++)
		if (tables[i].length != 0 && memcmp(tables[i].signature, signature, 4) == 0)
			return &tables[i];
	return NULL;
}

const void *
acpi_map_table(const char *signature, uint32_t *length)
{
	const struct acpi_table_info *t = find(signature);
	const void *table = t != NULL ? map_table(t->address, length) : NULL;

	if (table != NULL && !acpi_table_valid(table, *length, signature)) {
		acpi_unmap_table(table, *length); /* not what it was a moment ago */
		table = NULL;
	}
	return table;
}

static bool
read_s5(uint64_t pa)
{
	uint32_t length;
	const void *table = map_table(pa, &length);
	bool found;

	if (!table)
		return false;
	found = acpi_sum(table, length) == 0 && acpi_parse_s5(table, length, &info.s5) == 0;
	acpi_unmap_table(table, length);
	return found;
}

static void
make_reg(struct reg *r, const struct acpi_gas *gas)
{
	if (r->mapped)
		vmm_unmap_mmio((void *)(uintptr_t)r->mapped, sizeof(uint32_t));
	*r = (struct reg){.gas = *gas};
	if (gas->address != 0 && gas->space == ACPI_SPACE_MEMORY)
		r->mapped = vmm_map_mmio(gas->address, sizeof(uint32_t));
}

static int
read_fadt(void)
{
	uint32_t length;
	const void *table = acpi_map_table("FACP", &length);
	int result;

	if (!table)
		return -EINVAL;
	result = acpi_parse_fadt(table, length, &info.fadt);
	acpi_unmap_table(table, length);
	if (result != 0)
		return result;
	make_reg(&pm1a, &info.fadt.pm1a_cnt);
	make_reg(&pm1b, &info.fadt.pm1b_cnt);
	make_reg(&sleep_control, &info.fadt.sleep_control);
	if (info.fadt.has_reset)
		make_reg(&reset, &info.fadt.reset);
	return 0;
}

int
acpi_init(void)
{
	int result;

	info = (struct acpi_info){0};
	searched = false; /* a second call looks again */
	result = acpi_find_tables();
	if (result != 0)
		return result;
	result = read_fadt();
	if (result != 0) {
		log_warn("acpi: no usable FADT");
		return result;
	}
	info.has_s5 = read_s5(info.fadt.dsdt);
	for (unsigned i = 0; i < info.nr_tables && !info.has_s5; i++)
		if (memcmp(tables[i].signature, "SSDT", 4) == 0)
			info.has_s5 = read_s5(tables[i].address);
	if (!info.has_s5)
		log_warn("acpi: no \\_S5_ that can be understood: power off by other means");
	log_info("acpi: revision %u, %u tables, S5 = %u/%u, PM1a control %#lx", info.revision,
		 info.nr_tables, info.s5.a, info.s5.b, info.fadt.pm1a_cnt.address);
	return 0;
}

/* --- registers -------------------------------------------------------------------------------- */

static bool
reg_usable(const struct reg *r)
{
	return r->gas.address != 0 && (r->gas.space == ACPI_SPACE_IO || r->mapped);
}

static uint16_t
pm1_read(const struct reg *r)
{
	return r->mapped ? *(volatile uint16_t *)r->mapped : inw((uint16_t)r->gas.address);
}

static void
pm1_write(const struct reg *r, uint16_t v)
{
	if (r->mapped)
		*(volatile uint16_t *)r->mapped = v;
	else
		outw((uint16_t)r->gas.address, v);
}

static void
write8(const struct reg *r, uint8_t v)
{
	if (r->gas.space == ACPI_SPACE_PCI) /* on bus 0: slot, function, offset in 16 bits each */
		pci_config_write8(0, (r->gas.address >> 32) & 31, (r->gas.address >> 16) & 7,
				  (uint8_t)r->gas.address, v);
	else if (r->mapped)
		*(volatile uint8_t *)r->mapped = v;
	else
		outb((uint16_t)r->gas.address, v);
}

/*
 * The firmware owns the power hardware until it is asked for it.
 * Spec: ACPI 6.4, "Legacy/ACPI Select and the SCI Interrupt".
 */
static void
take_hardware(void)
{
	if ((pm1_read(&pm1a) & PM1_SCI_EN) || info.fadt.smi_cmd == 0 || info.fadt.enable_value == 0)
		return;
	outb(info.fadt.smi_cmd, info.fadt.enable_value);
	for (unsigned i = 0; i < POLLS_ENABLE && (pm1_read(&pm1a) & PM1_SCI_EN) == 0; i++)
		cpu_relax();
}

static void
pm1_sleep(const struct reg *r, uint8_t type, bool go)
{
	const uint16_t keep = pm1_read(r) & (uint16_t) ~(7U << PM1_SLP_TYP_SHIFT | PM1_SLP_EN);

	pm1_write(r, keep | (uint16_t)(type << PM1_SLP_TYP_SHIFT) | (go ? PM1_SLP_EN : 0));
}

int
acpi_power_off(void)
{
	const bool two = reg_usable(&pm1b);

	if (!info.has_s5)
		return -ENODEV;
	if (reg_usable(&sleep_control)) {
		write8(&sleep_control,
		       (uint8_t)(info.s5.a << SLEEP_CONTROL_TYP_SHIFT | SLEEP_CONTROL_EN));
	} else if (reg_usable(&pm1a)) {
		take_hardware();
		/* The type first, then once more with the bit that acts. */
		pm1_sleep(&pm1a, info.s5.a, false);
		if (two)
			pm1_sleep(&pm1b, info.s5.b, false);
		pm1_sleep(&pm1a, info.s5.a, true);
		if (two)
			pm1_sleep(&pm1b, info.s5.b, true);
	} else {
		return -ENODEV;
	}
	for (unsigned i = 0; i < POLLS_OFF; i++)
		io_wait();
	return -EIO;
}

int
acpi_reset(void)
{
	if (!info.fadt.has_reset || (info.fadt.reset.space == ACPI_SPACE_MEMORY && !reset.mapped))
		return -ENODEV;
	write8(&reset, info.fadt.reset_value);
	for (unsigned i = 0; i < POLLS_ENABLE; i++)
		io_wait();
	return -EIO;
}

void
acpi_info(struct acpi_info *out)
{
	*out = info;
}

bool
acpi_table_info(size_t i, struct acpi_table_info *out)
{
	if (i >= info.nr_tables)
		return false;
	*out = tables[i];
	return true;
}
