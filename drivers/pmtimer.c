/*
 * pmtimer.c - the ACPI power management timer as a clock.
 *
 * Spec: ACPI 6.4, "Power Management Timer".
 */
#include <dev/pmtimer.h>
#include <dev/acpi.h>
#include <kern/clock_source.h>
#include <mm/vmm.h>
#include <x86/io.h>

#define PM_TIMER_HZ   3579545
#define UNCHANGED_MAX 4096 /* readings, each longer than a count takes */
#define GLITCH_MAX    8
#define CLOSE	      1024 /* counts: two readings are far less apart */

static struct clock_source source = {
	.name = "pm",
	.rating = CLOCK_RATING_PM,
	.hz = PM_TIMER_HZ,
};
static uint16_t port;			/* [I] */
static const volatile uint32_t *mapped; /* [I] instead of the port, or NULL */
static uint32_t mask;			/* [I] */

static inline uint32_t
read_once(void)
{
	return mapped != NULL ? *mapped : inl(port);
}

/*
 * Intel's PIIX4 does not latch the counter: read while it changes, it can give a wrong value, in any bit.  Two readings
 * that follow closely upon each other are right.  (Intel 82371AB specification update, erratum "ACPI timer".)
 */
static uint64_t
counted(void)
{
	uint32_t first = read_once();

	for (unsigned i = 0; i < GLITCH_MAX; i++) {
		const uint32_t second = read_once();

		if (((second - first) & mask) < CLOSE)
			return second & mask;
		first = second;
	}
	return first & mask;
}

static bool
counts(void)
{
	const uint64_t first = counted();

	for (unsigned i = 0; i < UNCHANGED_MAX; i++) {
		if (counted() != first)
			return true;
	}
	return false;
}

int
pmtimer_init(void)
{
	struct acpi_info acpi;
	const struct acpi_gas *gas = &acpi.fadt.pm_timer;

	acpi_info(&acpi);
	if (!acpi.present || gas->address == 0)
		return -ENODEV;
	if (gas->space == ACPI_SPACE_MEMORY) {
		mapped = vmm_map_mmio(gas->address, sizeof(*mapped));
		if (mapped == NULL)
			return -ENOMEM;
	}
	port = (uint16_t)gas->address;
	mask = acpi.fadt.pm_timer_bits == 32 ? UINT32_MAX : 0xffffff;
	source.bits = acpi.fadt.pm_timer_bits;
	source.read = counted;
	if (!counts())
		return -ENODEV;
	return clock_source_register(&source);
}
