/*
 * acpi.h - what MinOS takes from the ACPI tables: how to turn the machine off and reset it.
 *
 * Firmware tables lie.  Every length and checksum is checked before a byte is used, and nonsense
 * gives an error.  drivers/acpi.c finds and maps the tables; drivers/acpi_parse.c is pure.
 * Spec: ACPI 6.4, "ACPI Software Programming Model".
 */
#pragma once
#include <lib/base.h>

/* Generic Address Structure.  Spec: ACPI 6.4, "Generic Address Structure". */
enum { ACPI_SPACE_MEMORY = 0, ACPI_SPACE_IO = 1, ACPI_SPACE_PCI = 2 };
struct acpi_gas {
	uint8_t space, bits, offset, access;
	uint64_t address;
};

#define ACPI_RSDP_V1_SIZE   20
#define ACPI_RSDP_V2_SIZE   36
#define ACPI_HEADER_SIZE    36
#define ACPI_TABLE_MAX_SIZE MIB(1) /* a longer one is taken for damaged */

struct acpi_rsdp {
	uint8_t revision;
	uint64_t rsdt, xsdt; /* physical; xsdt 0 below revision 2 */
};

/* What the FADT says of power. */
struct acpi_fadt {
	uint64_t dsdt;			    /* physical */
	uint16_t smi_cmd;		    /* 0 = none */
	uint8_t enable_value;		    /* to smi_cmd: hand the hardware to the OS */
	struct acpi_gas pm1a_cnt, pm1b_cnt; /* address 0 = none */
	bool has_reset;
	struct acpi_gas reset;
	uint8_t reset_value;
	bool reduced;		       /* hardware-reduced: no PM1 registers */
	struct acpi_gas sleep_control; /* of the reduced model; address 0 = none */
};

/* SLP_TYP values of a sleep state. */
struct acpi_sleep {
	uint8_t a, b;
};

/* --- pure; @buf may hold anything ------------------------------------------------------------- */

uint8_t acpi_sum(const void *buf, size_t n);
/* @n bytes at an RSDP.  0, or -EINVAL: signature, checksum or length is wrong. */
int acpi_parse_rsdp(const void *buf, size_t n, struct acpi_rsdp *out);
/* Length from a table's header, or 0 when it cannot be.  @buf: ACPI_HEADER_SIZE bytes. */
uint32_t acpi_table_length(const void *buf);
/* Is this a whole table with this signature, of @n bytes, with a right checksum? */
bool acpi_table_valid(const void *buf, size_t n, const char *signature);
/* 0 or -EINVAL.  The checksum is the caller's to check. */
int acpi_parse_fadt(const void *buf, size_t n, struct acpi_fadt *out);
/* Find Name (\_S5_, Package () {a, b, ...}) in the AML of a DSDT or SSDT.  0, or -ENOENT. */
int acpi_parse_s5(const void *buf, size_t n, struct acpi_sleep *out);

/* --- the machine's (drivers/acpi.c) ----------------------------------------------------------- */

/* Driver table: find and read the tables.  0, -ENODEV (no ACPI) or -EINVAL (damaged). */
int acpi_init(void);
/* S5.  Returns only if it cannot: -ENODEV, or -EIO if the machine did not obey.  Interrupts off. */
int acpi_power_off(void);
/* The reset register.  The same. */
int acpi_reset(void);

struct acpi_info {
	bool present, has_s5;
	uint8_t revision;
	uint64_t rsdp;
	unsigned nr_tables;
	struct acpi_fadt fadt;
	struct acpi_sleep s5;
};
void acpi_info(struct acpi_info *out);
/* Signature and place of table number @i: false past the end. */
struct acpi_table_info {
	char signature[5];
	uint64_t address;
	uint32_t length; /* 0 = damaged */
	char oem[7];
};
bool acpi_table_info(size_t i, struct acpi_table_info *out);
