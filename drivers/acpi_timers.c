/*
 * acpi_timers.c - what the ACPI tables say of timers.  Pure: bytes in, values or an error out.
 */
#include <dev/acpi.h>
#include <lib/errno.h>
#include <lib/string.h>

/* Spec: ACPI 6.4, "Fixed ACPI Description Table (FADT)", "Power Management Timer". */
void
acpi_parse_pm_timer(const void *buf, size_t n, struct acpi_fadt *out)
{
	enum { PM_TMR_BLK = 76, PM_TMR_LEN = 91, FLAGS = 112, X_PM_TMR_BLK = 208 };
	const uint32_t timer_is_32_bits = BIT(8); /* TMR_VAL_EXT */
	struct acpi_gas old = {.space = ACPI_SPACE_IO, .bits = 32}, extended = {0};

	out->pm_timer = (struct acpi_gas){0};
	if (n < FLAGS + 4 || out->reduced)
		return;
	if (acpi_get(buf, PM_TMR_LEN, 1) == 4)
		old.address = acpi_get(buf, PM_TMR_BLK, 4);
	if (n >= X_PM_TMR_BLK + 12)
		extended = acpi_get_gas(buf, X_PM_TMR_BLK);
	if (extended.address != 0 && extended.space <= ACPI_SPACE_IO)
		old = extended;
	/* A register of four bytes, at a multiple of four. */
	if ((old.address & 3) != 0 || old.address > UINT64_MAX - 4 ||
	    (old.space == ACPI_SPACE_IO && old.address > UINT16_MAX))
		return;
	out->pm_timer = old;
	out->pm_timer_bits = acpi_get(buf, FLAGS, 4) & timer_is_32_bits ? 32 : 24;
}

/* Spec: IA-PC HPET 1.0a, "The ACPI 2.0 HPET Description Table (HPET)". */
int
acpi_parse_hpet(const void *buf, size_t n, struct acpi_hpet *out)
{
	enum { BLOCK_ID = 36, BASE = 40, NUMBER = 52, MIN_TICK = 53, SIZE = 56 };
	uint32_t id;
	struct acpi_gas base;

	memset(out, 0, sizeof(*out));
	if (n < SIZE)
		return -EINVAL;
	id = (uint32_t)acpi_get(buf, BLOCK_ID, 4);
	base = acpi_get_gas(buf, BASE);
	/* Registers of eight bytes in 1 KiB of memory, somewhere. */
	if (base.space != ACPI_SPACE_MEMORY || base.address == 0 || (base.address & 7) != 0 ||
	    base.address > UINT64_MAX - 1024)
		return -EINVAL;
	out->address = base.address;
	out->number = (unsigned)acpi_get(buf, NUMBER, 1);
	out->comparators = (id >> 8 & 31) + 1;
	out->is_64_bits = id & BIT(13);
	out->can_replace = id & BIT(15);
	out->min_ticks = (unsigned)acpi_get(buf, MIN_TICK, 2);
	return 0;
}
