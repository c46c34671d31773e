/*
 * cmd_dev.c - commands about devices: lspci, kbd, serial.
 */
#include <dev/kbd.h>
#include <dev/pci.h>
#include <dev/serial.h>
#include <lib/string.h>
#include "cmds.h"

/* --- lspci --------------------------------------------------------------------------------------- */

static void
print_device(const struct pci_device *d)
{
	const char *vendor = pci_vendor_name(d->vendor),
		   *device = pci_device_name(d->vendor, d->device);

	sh_printf("%02x:%02x.%x %04x:%04x  %s: %s%s%s\n", d->bus, d->slot, d->function, d->vendor,
		  d->device, pci_class_name(d->class, d->subclass, d->prog_if),
		  vendor != NULL ? vendor : "unknown vendor", device != NULL ? " " : "",
		  device != NULL ? device : "");
}

static void
print_device_details(const struct pci_device *d)
{
	struct pci_bar bar;

	sh_printf("        class %02x.%02x.%02x, revision %02x", d->class, d->subclass, d->prog_if,
		  d->revision);
	if (d->subsystem_vendor != 0)
		sh_printf(", subsystem %04x:%04x", d->subsystem_vendor, d->subsystem);
	if (d->irq_pin >= 1 && d->irq_pin <= 4)
		sh_printf(", INT%c on IRQ %u", 'A' + d->irq_pin - 1, d->irq_line);
	if (d->header == 1)
		sh_printf(", bus %02x behind it", d->secondary_bus);
	sh_printf("\n");
	for (unsigned i = 0; i < 6; i++) {
		if (!pci_bar(d, i, &bar))
			continue;
		sh_printf("        BAR%u %s %#lx%s%s\n", i, bar.io ? "ports from" : "memory at",
			  bar.base, bar.is64 ? ", 64-bit" : "",
			  bar.prefetchable ? ", prefetchable" : "");
		i += bar.is64; /* the upper half of the address stands in the next one */
	}
}

int
cmd_lspci(int argc, char **argv)
{
	const bool details = argc == 2 && strcmp(argv[1], "-v") == 0;
	const struct pci_device *d;

	if (argc > 2 || (argc == 2 && !details))
		return -EINVAL;
	if (pci_count() == 0) {
		sh_printf("this machine has no PCI bus\n");
		return -ENODEV;
	}
	sh_printf("BUS:DEV.FN  ID         CLASS: NAME\n");
	for (size_t i = 0; (d = pci_get(i)) != NULL && !sh_interrupted(); i++) {
		print_device(d);
		if (details)
			print_device_details(d);
	}
	return 0;
}

/* --- kbd ----------------------------------------------------------------------------------------- */

const char *
complete_kbd(unsigned arg, unsigned i)
{
	const struct kbd_layout *l = arg == 1 ? kbd_layout_at(i) : NULL;

	return l != NULL ? l->name : NULL;
}

static void
print_layouts(void)
{
	const struct kbd_layout *l;

	sh_printf("layouts    ");
	for (size_t i = 0; (l = kbd_layout_at(i)) != NULL; i++)
		sh_printf("%s%s %s%s", i > 0 ? ", " : "", l->name, l->what,
			  strcmp(l->name, kbd_layout()) == 0 ? " (in use)" : "");
	sh_printf("\n");
}

static void
print_held(uint8_t held, uint8_t locks)
{
	static const char *const keys[] = {"Shift", "right Shift", "Ctrl", "right Ctrl",
					   "Alt",   "right Alt",   "GUI",  "right GUI"};
	static const char *const lock_names[] = {"Scroll", "Num", "Caps"};

	sh_printf("held       ");
	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
		if (held >> i & 1)
			sh_printf("%s ", keys[i]);
	sh_printf("%s\nlocks      ", held == 0 ? "no modifier key" : "");
	for (unsigned i = 0; i < ARRAY_SIZE(lock_names); i++)
		sh_printf("%s %s%s", lock_names[i], locks >> i & 1 ? "on" : "off",
			  i + 1 < ARRAY_SIZE(lock_names) ? ", " : "\n");
}

static void
print_kbd(void)
{
	struct kbd_info k;

	kbd_info(&k);
	sh_printf("controller %s\nkeyboard   %s\n", k.controller ? "8042, answers" : "none found",
		  k.keyboard ? "set up" : "none found");
	print_layouts();
	print_held(k.held, k.locks);
	sh_printf("received   %lu bytes, %lu errors, %lu LED commands refused\n", k.bytes, k.errors,
		  k.led_failures);
}

int
cmd_kbd(int argc, char **argv)
{
	if (argc > 2)
		return -EINVAL;
	if (argc == 1) {
		print_kbd();
		return 0;
	}
	if (kbd_set_layout(argv[1]) != 0) {
		sh_printf("there is no layout '%s'\n", argv[1]);
		print_layouts();
		return -EINVAL;
	}
	sh_printf("keyboard layout: %s\n", kbd_layout());
	return 0;
}

/* --- serial -------------------------------------------------------------------------------------- */

int
cmd_serial(int argc, char **argv)
{
	struct serial_info s;

	if (argc > 1)
		return -EINVAL;
	serial_info(&s);
	if (!s.present) {
		sh_printf("COM1 is not there\n");
		return -ENODEV;
	}
	sh_printf("COM1       at port 3f8h, 115200 baud, 8 bits, no parity, %s, %s\n",
		  s.irq_driven ? "by interrupts" : "polled",
		  s.stuck ? "does not take output" : "works");
	sh_printf("FIFO       %u byte%s\n", s.fifo, s.fifo == 1 ? "" : "s");
	sh_printf("received   %lu bytes, %lu lost, %lu with line errors\n", s.rx, s.rx_overruns,
		  s.rx_line_errors);
	sh_printf("sent       %lu bytes, %lu dropped\ninterrupts %lu\n", s.tx, s.tx_dropped,
		  s.irqs);
	return 0;
}
