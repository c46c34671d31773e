/*
 * table.c - the driver table: which drivers there are, and in which order they start.
 *
 * The clock, the timer and the console are not here: the kernel cannot start without them, so
 * they are rows of kernel/main.c.  Better counters and timers that ACPI names join in here.
 */
#include <dev/driver.h>
#include <dev/acpi.h>
#include <dev/console.h>
#include <dev/hpet.h>
#include <dev/kbd.h>
#include <dev/pci.h>
#include <dev/pmtimer.h>
#include <dev/serial.h>
#include <x86/mca.h>

/* clang-format off */
const struct driver drivers[] = {
	{ "screen", "VGA text, 80x25",			console_start_timer },
	{ "serial", "COM1, from here on by interrupts",	serial_start_irq },
	{ "kbd",    "PS/2 keyboard",			kbd_init },
	{ "pci",    "PCI bus",				pci_init },
	{ "errors", "NMI and machine checks: a look each second", hwerr_init },
	{ "acpi",   "ACPI tables: power off, reset",	acpi_init },
	{ "pmtimer", "ACPI power management timer",	pmtimer_init },
	{ "hpet",   "high precision event timer",	hpet_init },
};
/* clang-format on */
const size_t nr_drivers = ARRAY_SIZE(drivers);

int
drivers_init(void)
{
	for (size_t i = 0; i < nr_drivers; i++) {
		const struct driver *d = &drivers[i];
		const int result = d->init();

		if (result == 0)
			log_info("driver %s: %s", d->name, d->what);
		else if (result == -ENODEV)
			log_info("driver %s: not present (%s)", d->name, d->what);
		else
			log_warn("driver %s: error %d (%s)", d->name, -result, d->what);
	}
	return 0;
}
