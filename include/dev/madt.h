/*
 * madt.h - the ACPI table that names processors and interrupt controllers ("APIC").
 *
 * Implementation: drivers/acpi_madt.c, pure: bytes in, values or a reason out.
 * A GSI (global system interrupt) numbers the pins of all I/O APICs together; an ISA line is on the
 * GSI of its own number unless an override says otherwise.
 * Spec: ACPI 6.4, "Multiple APIC Description Table (MADT)".
 */
#pragma once
#include <lib/base.h>

#define MADT_CPUS_MAX	 64
#define MADT_IOAPICS_MAX 8
#define MADT_NMIS_MAX	 8
#define MADT_ISA_LINES	 16
#define MADT_NO_GSI	 UINT32_MAX /* of an ISA line whose own pin another line has */

struct madt_cpu {
	uint32_t apic_id;
	uint32_t uid;	     /* the processor's name in the ACPI namespace */
	bool enabled;	     /* ready for use */
	bool online_capable; /* not now, but it can be plugged in */
	bool x2apic;	     /* from an x2APIC entry */
};

struct madt_ioapic {
	uint8_t id;
	uint32_t address; /* physical */
	uint32_t gsi_base;
};

struct madt_line {
	uint32_t gsi;	 /* or MADT_NO_GSI */
	bool low;	 /* active low */
	bool level;	 /* level-triggered */
	bool overridden; /* by an Interrupt Source Override */
};

/* An interrupt that must be delivered as NMI: at a GSI, or at a pin of local APICs. */
struct madt_nmi {
	bool local;    /* at LINT @pin of the CPU with this @uid; else at GSI @pin */
	bool all_cpus; /* @local: of every CPU */
	uint32_t uid;
	uint32_t pin;
	bool low, level;
};

struct madt {
	uint64_t lapic_address; /* physical, of every CPU's local APIC */
	bool pcat_compat;	/* there are two 8259A, too */
	unsigned nr_cpus, nr_ioapics, nr_nmis;
	unsigned nr_dropped; /* entries for which there was no room above */
	unsigned nr_unknown; /* entries of types that do not concern us */
	struct madt_cpu cpus[MADT_CPUS_MAX];
	struct madt_ioapic ioapics[MADT_IOAPICS_MAX];
	struct madt_nmi nmis[MADT_NMIS_MAX];
	struct madt_line isa[MADT_ISA_LINES];
	const char *problem; /* what is wrong, when it was refused */
};

/*
 * Read the table of @n bytes at @buf; header and checksum are looked at, too.  0, or -EINVAL with
 * @out->problem saying why.
 */
int madt_parse(const void *buf, size_t n, struct madt *out);
