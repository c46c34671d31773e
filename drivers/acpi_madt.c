/*
 * acpi_madt.c - reading the MADT.  Pure: bytes in, values or a reason to refuse it out.
 *
 * The table is a header of 44 bytes and entries that begin with their type and length.  An entry
 * that ends behind the table, or is shorter than its type demands, makes all that follows a guess:
 * the whole table is refused, and interrupts stay with the 8259A.  Longer ones are read as far as
 * they are known, since later versions of the specification make them grow.
 */
#include <dev/madt.h>
#include <dev/acpi.h>
#include <lib/errno.h>
#include <lib/string.h>

/* Spec: ACPI 6.4, "Multiple APIC Description Table (MADT) Format", "Multiple APIC Flags". */
#define LAPIC_ADDRESS 36
#define FLAGS	      40
#define ENTRIES	      44
#define PCAT_COMPAT   BIT(0)

/* Spec: ACPI 6.4, "Interrupt Controller Structure Types". */
enum {
	TYPE_LAPIC = 0,
	TYPE_IOAPIC = 1,
	TYPE_OVERRIDE = 2,
	TYPE_NMI = 3,
	TYPE_LAPIC_NMI = 4,
	TYPE_LAPIC_ADDRESS = 5,
	TYPE_X2APIC = 9,
	TYPE_X2APIC_NMI = 10,
};

/* Spec: ACPI 6.4, "Local APIC Flags". */
#define CPU_ENABLED	   BIT(0)
#define CPU_ONLINE_CAPABLE BIT(1)

/* Spec: ACPI 6.4, "MPS INTI Flags". */
#define INTI_POLARITY(f)  ((f)&3)
#define INTI_TRIGGER(f)	  ((f) >> 2 & 3)
#define INTI_BY_BUS	  0
#define INTI_HIGH_OR_EDGE 1
#define INTI_RESERVED	  2
#define INTI_LOW_OR_LEVEL 3
#define UID_ALL_CPUS	  0xff
#define UID_ALL_CPUS_LONG UINT32_MAX
#define BUS_ISA		  0
#define LINTS		  2

static uint8_t
get8(const uint8_t *p, size_t at)
{
	return p[at];
}

static uint16_t
get16(const uint8_t *p, size_t at)
{
	return (uint16_t)(p[at] | p[at + 1] << 8);
}

static uint32_t
get32(const uint8_t *p, size_t at)
{
	return get16(p, at) | (uint32_t)get16(p, at + 2) << 16;
}

static int
refuse(struct madt *m, const char *problem)
{
	m->problem = problem;
	return -EINVAL;
}

static int
add_cpu(struct madt *m, const struct madt_cpu *cpu)
{
	for (unsigned i = 0; i < m->nr_cpus; i++) {
		/* Firmware lists sockets that are empty with any id, often the same one. */
		if (m->cpus[i].apic_id == cpu->apic_id && m->cpus[i].enabled && cpu->enabled)
			return refuse(m, "two processors with the same APIC id");
	}
	if (m->nr_cpus == MADT_CPUS_MAX)
		m->nr_dropped++;
	else
		m->cpus[m->nr_cpus++] = *cpu;
	return 0;
}

/* Spec: ACPI 6.4, "Processor Local APIC Structure", "Processor Local x2APIC Structure". */
static int
parse_cpu(struct madt *m, const uint8_t *p, bool x2apic)
{
	const uint32_t flags = get32(p, x2apic ? 8 : 4);
	const struct madt_cpu cpu = {
		.apic_id = x2apic ? get32(p, 4) : get8(p, 3),
		.uid = x2apic ? get32(p, 12) : get8(p, 2),
		.enabled = flags & CPU_ENABLED,
		.online_capable = flags & CPU_ONLINE_CAPABLE,
		.x2apic = x2apic,
	};

	return add_cpu(m, &cpu);
}

/* Spec: ACPI 6.4, "I/O APIC Structure". */
static int
parse_ioapic(struct madt *m, const uint8_t *p)
{
	const struct madt_ioapic io = {
		.id = get8(p, 2), .address = get32(p, 4), .gsi_base = get32(p, 8)};

	if (io.address == 0)
		return refuse(m, "an I/O APIC at address 0");
	for (unsigned i = 0; i < m->nr_ioapics; i++) {
		if (m->ioapics[i].address == io.address || m->ioapics[i].gsi_base == io.gsi_base)
			return refuse(m, "two I/O APICs at one address or with one GSI base");
	}
	if (m->nr_ioapics == MADT_IOAPICS_MAX)
		m->nr_dropped++;
	else
		m->ioapics[m->nr_ioapics++] = io;
	return 0;
}

/* What the flags say of polarity and trigger; @low and @level hold what the bus does by itself. */
static int
parse_inti(struct madt *m, uint16_t flags, bool *low, bool *level)
{
	if (INTI_POLARITY(flags) == INTI_RESERVED || INTI_TRIGGER(flags) == INTI_RESERVED)
		return refuse(m, "a reserved polarity or trigger mode");
	if (INTI_POLARITY(flags) != INTI_BY_BUS)
		*low = INTI_POLARITY(flags) == INTI_LOW_OR_LEVEL;
	if (INTI_TRIGGER(flags) != INTI_BY_BUS)
		*level = INTI_TRIGGER(flags) == INTI_LOW_OR_LEVEL;
	return 0;
}

/* Spec: ACPI 6.4, "Interrupt Source Override Structure". */
static int
parse_override(struct madt *m, const uint8_t *p)
{
	const unsigned irq = get8(p, 3);
	struct madt_line line = {.gsi = get32(p, 4), .overridden = true};

	if (get8(p, 2) != BUS_ISA)
		return refuse(m, "an override for a bus that is not ISA");
	if (irq >= MADT_ISA_LINES)
		return refuse(m, "an override for an ISA line above 15");
	if (line.gsi == MADT_NO_GSI)
		return refuse(m, "an override to an impossible GSI");
	if (m->isa[irq].overridden)
		return refuse(m, "two overrides for one ISA line");
	if (parse_inti(m, get16(p, 8), &line.low, &line.level) != 0)
		return -EINVAL;
	m->isa[irq] = line;
	return 0;
}

static int
add_nmi(struct madt *m, struct madt_nmi *nmi, uint16_t flags)
{
	if (nmi->local && nmi->pin >= LINTS)
		return refuse(m, "an NMI at a LINT above 1");
	if (parse_inti(m, flags, &nmi->low, &nmi->level) != 0)
		return -EINVAL;
	if (m->nr_nmis == MADT_NMIS_MAX)
		m->nr_dropped++;
	else
		m->nmis[m->nr_nmis++] = *nmi;
	return 0;
}

/*
 * Spec: ACPI 6.4, "Non-Maskable Interrupt (NMI) Source Structure", "Local APIC NMI Structure",
 * "Local x2APIC NMI Structure".
 */
static int
parse_nmi(struct madt *m, const uint8_t *p)
{
	struct madt_nmi nmi = {.local = get8(p, 0) != TYPE_NMI};
	uint16_t flags = get16(p, 2);

	switch (get8(p, 0)) {
	case TYPE_NMI: nmi.pin = get32(p, 4); break;
	case TYPE_LAPIC_NMI:
		nmi.uid = get8(p, 2);
		nmi.all_cpus = nmi.uid == UID_ALL_CPUS;
		nmi.pin = get8(p, 5);
		flags = get16(p, 3);
		break;
	default:
		nmi.uid = get32(p, 4);
		nmi.all_cpus = nmi.uid == UID_ALL_CPUS_LONG;
		nmi.pin = get8(p, 8);
		break;
	}
	return add_nmi(m, &nmi, flags);
}

/* Spec: ACPI 6.4, "Local APIC Address Override Structure". */
static int
parse_lapic_address(struct madt *m, const uint8_t *p)
{
	const uint64_t address = get32(p, 4) | (uint64_t)get32(p, 8) << 32;

	if (address == 0 || address % 4096 != 0)
		return refuse(m, "an override to an impossible local APIC address");
	m->lapic_address = address;
	return 0;
}

/* The least that an entry of @type must have; 0 = the type does not concern us. */
static size_t
entry_size(uint8_t type)
{
	switch (type) {
	case TYPE_LAPIC:
	case TYPE_NMI: return 8;
	case TYPE_IOAPIC:
	case TYPE_LAPIC_ADDRESS:
	case TYPE_X2APIC_NMI: return 12;
	case TYPE_OVERRIDE: return 10;
	case TYPE_LAPIC_NMI: return 6;
	case TYPE_X2APIC: return 16;
	default: return 0;
	}
}

static int
parse_entry(struct madt *m, const uint8_t *p, size_t length)
{
	const uint8_t type = get8(p, 0);

	if (length < entry_size(type))
		return refuse(m, "an entry is too short for its type");
	switch (type) {
	case TYPE_LAPIC: return parse_cpu(m, p, false);
	case TYPE_X2APIC: return parse_cpu(m, p, true);
	case TYPE_IOAPIC: return parse_ioapic(m, p);
	case TYPE_OVERRIDE: return parse_override(m, p);
	case TYPE_NMI:
	case TYPE_LAPIC_NMI:
	case TYPE_X2APIC_NMI: return parse_nmi(m, p);
	case TYPE_LAPIC_ADDRESS: return parse_lapic_address(m, p);
	default: m->nr_unknown++; return 0;
	}
}

/* One GSI serves one line: who was moved there goes before who is there by its number alone. */
static int
settle_lines(struct madt *m)
{
	for (unsigned i = 0; i < MADT_ISA_LINES; i++) {
		for (unsigned j = 0; j < MADT_ISA_LINES; j++) {
			if (i == j || !m->isa[i].overridden || m->isa[i].gsi != m->isa[j].gsi)
				continue;
			if (m->isa[j].overridden)
				return refuse(m, "two ISA lines at one GSI");
			m->isa[j].gsi = MADT_NO_GSI;
		}
	}
	return 0;
}

int
madt_parse(const void *buf, size_t n, struct madt *out)
{
	const uint8_t *p = buf;
	size_t at = ENTRIES;

	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < MADT_ISA_LINES; i++)
		out->isa[i].gsi = i; /* ISA: active high, edge-triggered */
	if (n < ENTRIES || !acpi_table_valid(buf, n, "APIC"))
		return refuse(out, "its signature, length or checksum is wrong");
	out->lapic_address = get32(p, LAPIC_ADDRESS);
	out->pcat_compat = get32(p, FLAGS) & PCAT_COMPAT;
	while (at < n) {
		const size_t length = n - at >= 2 ? get8(p, at + 1) : 0;

		if (length < 2 || length > n - at)
			return refuse(out, "an entry reaches beyond the table");
		if (parse_entry(out, p + at, length) != 0)
			return -EINVAL;
		at += length;
	}
	return settle_lines(out);
}
