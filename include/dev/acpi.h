/*
 * acpi.h - what MinOS takes from the ACPI tables: how to turn the machine off and reset it, and which
 * timers it has.
 *
 * Firmware tables lie.  Every length and checksum is checked before a byte is used, and nonsense
 * gives an error.  drivers/acpi.c finds and maps the tables; drivers/acpi_parse.c and
 * acpi_timers.c are pure.
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

/* What the FADT says of power and time. */
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
	struct acpi_gas pm_timer;      /* address 0 = none */
	unsigned pm_timer_bits;	       /* 24 or 32 */
};

/* What the HPET table says. */
struct acpi_hpet {
	uint64_t address; /* physical, of its registers */
	unsigned number;
	unsigned comparators;
	bool is_64_bits;
	bool can_replace;   /* the PIT's and the RTC's interrupt ("legacy replacement") */
	unsigned min_ticks; /* between interrupts of a periodic comparator */
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
/*
 * The FADT's power management timer: into @out->pm_timer and pm_timer_bits.  One that is not there or cannot be
 * leaves address 0.  @out->reduced must be set already.
 */
void acpi_parse_pm_timer(const void *buf, size_t n, struct acpi_fadt *out);
/* 0 or -EINVAL.  The checksum is the caller's to check. */
int acpi_parse_hpet(const void *buf, size_t n, struct acpi_hpet *out);
/* Find Name (\_S5_, Package () {a, b, ...}) in the AML of a DSDT or SSDT.  0, or -ENOENT. */
int acpi_parse_s5(const void *buf, size_t n, struct acpi_sleep *out);

/* Little-endian number of 1, 2, 4 or 8 bytes at @at, unaligned; with a constant size a single load. */
static inline uint64_t
acpi_get(const void *buf, size_t at, unsigned bytes)
{
	uint64_t v = 0;

	__builtin_memcpy(&v, (const uint8_t *)buf + at, bytes);
	return v;
}

static inline struct acpi_gas
acpi_get_gas(const void *buf, size_t at)
{
	return (struct acpi_gas){
		.space = (uint8_t)acpi_get(buf, at, 1),
		.bits = (uint8_t)acpi_get(buf, at + 1, 1),
		.offset = (uint8_t)acpi_get(buf, at + 2, 1),
		.access = (uint8_t)acpi_get(buf, at + 3, 1),
		.address = acpi_get(buf, at + 4, 8),
	};
}

/* --- the machine's (drivers/acpi.c) ----------------------------------------------------------- */

/* Find the tables, once; others may need them before acpi_init().  0, -ENODEV or -EINVAL. */
int acpi_find_tables(void);
/*
 * Map the first whole table with this signature (4 letters), its checksum right; NULL if there is
 * none.  The caller gives it back with acpi_unmap_table() and *@length.  Context: thread, after
 * acpi_find_tables().
 */
const void *acpi_map_table(const char *signature, uint32_t *length);
void acpi_unmap_table(const void *table, uint32_t length);

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
