/*
 * acpi_parse.c - reading ACPI tables.  Pure: bytes in, values or an error out.
 *
 * AML is not interpreted.  The one object of interest, \_S5_, is by rule a Package of constants,
 * and its encoding is recognised byte by byte: what looks different is refused.
 */
#include <dev/acpi.h>
#include <lib/errno.h>
#include <lib/string.h>

/* AML opcodes.  Spec: ACPI 6.4, "AML Byte Stream Byte Values". */
#define AML_ZERO    0x00
#define AML_ONE	    0x01
#define AML_NAME    0x08
#define AML_BYTE    0x0a
#define AML_WORD    0x0b
#define AML_DWORD   0x0c
#define AML_PACKAGE 0x12
#define AML_ROOT    '\\'

#define SLP_TYP_MAX 7 /* three bits */

/*
 * Eight bytes at a time, in four 16-bit lanes.  A lane gains at most 510 from each eight bytes, so
 * that it does not run over into its neighbour before 128 of them.
 */
uint8_t
acpi_sum(const void *buf, size_t n)
{
	const uint64_t low = 0x00ff00ff00ff00ffULL;
	size_t at = 0;
	uint64_t sum = 0;

	while (n - at >= 8) {
		uint64_t lanes = 0;

		for (unsigned i = 0; i < 128 && n - at >= 8; i++, at += 8) {
			const uint64_t v = acpi_get(buf, at, 8);

			lanes += (v & low) + (v >> 8 & low);
		}
		sum += lanes + (lanes >> 16) + (lanes >> 32) + (lanes >> 48);
	}
	for (; at < n; at++)
		sum += acpi_get(buf, at, 1);
	return (uint8_t)sum;
}

/* Spec: ACPI 6.4, "Root System Description Pointer (RSDP) Structure". */
int
acpi_parse_rsdp(const void *buf, size_t n, struct acpi_rsdp *out)
{
	if (n < ACPI_RSDP_V1_SIZE || memcmp(buf, "RSD PTR ", 8) != 0 ||
	    acpi_sum(buf, ACPI_RSDP_V1_SIZE) != 0)
		return -EINVAL;
	*out = (struct acpi_rsdp){.revision = (uint8_t)acpi_get(buf, 15, 1),
				  .rsdt = acpi_get(buf, 16, 4)};
	if (out->revision < 2)
		return 0;
	if (n < ACPI_RSDP_V2_SIZE || acpi_get(buf, 20, 4) < ACPI_RSDP_V2_SIZE ||
	    acpi_sum(buf, ACPI_RSDP_V2_SIZE) != 0) {
		/* The first part is whole: that is revision 1. */
		out->revision = 0;
		return 0;
	}
	out->xsdt = acpi_get(buf, 24, 8);
	return 0;
}

uint32_t
acpi_table_length(const void *buf)
{
	const uint32_t length = (uint32_t)acpi_get(buf, 4, 4);

	return length >= ACPI_HEADER_SIZE && length <= ACPI_TABLE_MAX_SIZE ? length : 0;
}

bool
acpi_table_valid(const void *buf, size_t n, const char *signature)
{
	return n >= ACPI_HEADER_SIZE && memcmp(buf, signature, 4) == 0 &&
	       acpi_table_length(buf) == n && acpi_sum(buf, n) == 0;
}

/* A PM1 control block: the 64-bit form if it is there and usable, else the old 32-bit port. */
static struct acpi_gas
pm1_control(const void *buf, size_t n, size_t port_at, size_t gas_at)
{
	struct acpi_gas gas = {.space = ACPI_SPACE_IO, .bits = 16};

	if (n >= gas_at + 12) {
		const struct acpi_gas extended = acpi_get_gas(buf, gas_at);

		if (extended.address != 0 && extended.space <= ACPI_SPACE_IO &&
		    (extended.space == ACPI_SPACE_MEMORY || extended.address <= UINT16_MAX))
			return extended;
	}
	gas.address = acpi_get(buf, port_at, 4);
	if (gas.address > UINT16_MAX)
		gas.address = 0;
	return gas;
}

/* Spec: ACPI 6.4, "Fixed ACPI Description Table (FADT)". */
int
acpi_parse_fadt(const void *buf, size_t n, struct acpi_fadt *out)
{
	/* clang-format off */
	enum {
		DSDT = 40, SMI_CMD = 48, ACPI_ENABLE = 52, PM1A_CNT = 64, PM1B_CNT = 68,
		FLAGS = 112, RESET_REG = 116, RESET_VALUE = 128, X_DSDT = 140,
		X_PM1A_CNT = 172, X_PM1B_CNT = 184, SLEEP_CONTROL = 244,
		FLAG_RESET = 1 << 10, FLAG_REDUCED = 1 << 20,
	};
	/* clang-format on */
	uint32_t flags;

	memset(out, 0, sizeof(*out));
	if (n < FLAGS + 4)
		return -EINVAL;
	flags = (uint32_t)acpi_get(buf, FLAGS, 4);
	out->dsdt = acpi_get(buf, DSDT, 4);
	if (n >= X_DSDT + 8 && acpi_get(buf, X_DSDT, 8) != 0)
		out->dsdt = acpi_get(buf, X_DSDT, 8);
	if (out->dsdt == 0)
		return -EINVAL;
	if (acpi_get(buf, SMI_CMD, 4) <= UINT16_MAX)
		out->smi_cmd = (uint16_t)acpi_get(buf, SMI_CMD, 4);
	out->enable_value = (uint8_t)acpi_get(buf, ACPI_ENABLE, 1);
	out->reduced = flags & FLAG_REDUCED;
	if (!out->reduced) {
		out->pm1a_cnt = pm1_control(buf, n, PM1A_CNT, X_PM1A_CNT);
		out->pm1b_cnt = pm1_control(buf, n, PM1B_CNT, X_PM1B_CNT);
	} else if (n >= SLEEP_CONTROL + 12) {
		out->sleep_control = acpi_get_gas(buf, SLEEP_CONTROL);
	}
	acpi_parse_pm_timer(buf, n, out);
	if ((flags & FLAG_RESET) && n > RESET_VALUE) {
		out->reset = acpi_get_gas(buf, RESET_REG);
		out->reset_value = (uint8_t)acpi_get(buf, RESET_VALUE, 1);
		out->has_reset =
			out->reset.address != 0 && out->reset.space <= ACPI_SPACE_PCI &&
			(out->reset.space != ACPI_SPACE_IO || out->reset.address <= UINT16_MAX);
	}
	return 0;
}

/* Part of an AML stream that is being read. */
struct aml {
	const uint8_t *p, *end;
};

/* PkgLength, the size of what follows.  Spec: ACPI 6.4, "Package Length Encoding". */
static bool
aml_package(struct aml *a)
{
	unsigned extra;
	size_t length;

	if (a->p >= a->end)
		return false;
	extra = *a->p >> 6;
	if ((size_t)(a->end - a->p) < extra + 1)
		return false;
	length = extra == 0 ? *a->p & 0x3f : *a->p & 0x0f;
	for (unsigned i = 1; i <= extra; i++)
		length |= (size_t)a->p[i] << (8 * i - 4);
	/* The length counts its own bytes. */
	if (length < extra + 1 || length > (size_t)(a->end - a->p))
		return false;
	a->end = a->p + length;
	a->p += extra + 1;
	return true;
}

/* A constant that can be a SLP_TYP. */
static bool
aml_constant(struct aml *a, uint8_t *out)
{
	size_t bytes;
	uint64_t v;

	if (a->p >= a->end)
		return false;
	switch (*a->p++) {
	case AML_ZERO: *out = 0; return true;
	case AML_ONE: *out = 1; return true;
	case AML_BYTE: bytes = 1; break;
	case AML_WORD: bytes = 2; break;
	case AML_DWORD: bytes = 4; break;
	default: return false;
	}
	if ((size_t)(a->end - a->p) < bytes)
		return false;
	v = acpi_get(a->p, 0, (unsigned)bytes);
	a->p += bytes;
	*out = (uint8_t)v;
	return v <= SLP_TYP_MAX;
}

/* What follows the name _S5_. */
static bool
parse_sleep_package(struct aml a, struct acpi_sleep *out)
{
	unsigned elements;

	if (a.p >= a.end || *a.p++ != AML_PACKAGE || !aml_package(&a) || a.p >= a.end)
		return false;
	elements = *a.p++;
	if (elements < 1 || !aml_constant(&a, &out->a))
		return false;
	/* Some firmware gives a single element for both. */
	if (elements < 2)
		out->b = out->a;
	else if (!aml_constant(&a, &out->b))
		return false;
	return true;
}

/* Is the name at @at being defined: behind a NameOp, perhaps with the root's backslash? */
static bool
is_definition(const uint8_t *aml, size_t at)
{
	if (aml[at - 1] == AML_NAME)
		return true;
	return aml[at - 1] == AML_ROOT && at >= ACPI_HEADER_SIZE + 2 && aml[at - 2] == AML_NAME;
}

int
acpi_parse_s5(const void *buf, size_t n, struct acpi_sleep *out)
{
	const uint8_t *aml = buf;
	/* The name stands after the header and at least its NameOp. */
	size_t i = ACPI_HEADER_SIZE + 1;

	while (i + 4 <= n) {
		const uint8_t last = aml[i + 3];
		struct acpi_sleep found;

		/* A byte that is not in the name cannot be in any of the four places around it. */
		if (last != '_' && last != 'S' && last != '5') {
			i += 4;
			continue;
		}
		if (memcmp(aml + i, "_S5_", 4) == 0 && is_definition(aml, i) &&
		    parse_sleep_package((struct aml){aml + i + 4, aml + n}, &found)) {
			*out = found;
			return 0;
		}
		i++;
	}
	return -ENOENT;
}
