/*
 * test_dev.c - the console's queue and answers, the text screen's memory, PCI, keyboard layouts.
 *
 * What needs somebody outside the machine (keys, a serial line that stops) is in tests/boot.
 */
#include "tests.h"
#include <dev/acpi.h>
#include <dev/console.h>
#include <dev/kbd.h>
#include <dev/pci.h>
#include <dev/serial.h>
#include <kern/clock.h>
#include <lib/string.h>
#include <mm/vmm.h>
#include <x86/cpu.h>

static void
say(const char *s)
{
	console_write(s, strlen(s));
}

void
test_console_input(void)
{
	char buf[32];
	const uint64_t start = clock_ns();

	console_input_flush();
	CHECK_EQ(console_read(buf, sizeof(buf), 0), -ETIMEDOUT);
	CHECK_EQ(console_read(buf, sizeof(buf), 30), -ETIMEDOUT);
	CHECK(clock_ns() - start >= 30 * NS_PER_MS);
	console_input("abc", 3);
	console_input("\033[A", 3);
	CHECK_EQ(console_read(buf, 2, 0), 2);
	CHECK_EQ(console_read(buf + 2, sizeof(buf) - 2, 0), 4);
	CHECK(memcmp(buf, "abc\033[A", 6) == 0);
	CHECK_EQ(console_read(buf, 0, 0), 0);
}

/* Empty the queue; returns how many bytes it held, the last two in @tail. */
static size_t
read_all(char tail[2])
{
	char buf[64];
	size_t n = 0;
	ssize_t got;

	while ((got = console_read(buf, sizeof(buf), 0)) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			tail[0] = tail[1];
			tail[1] = buf[i];
		}
		n += (size_t)got;
	}
	return n;
}

void
test_console_full(void)
{
	const uint64_t before = console_input_overruns();
	char tail[2] = {0};
	size_t size;

	console_input_flush();
	size = console_input_room();
	for (size_t i = 0; i < size - 2; i++)
		console_input("x", 1);
	CHECK_EQ(console_input_overruns(), before);
	console_input("\033[A", 3); /* a key that does not fit is dropped whole */
	CHECK_EQ(console_input_overruns(), before + 3);
	CHECK_EQ(console_input_room(), 2);
	console_input("yz", 2);
	CHECK_EQ(console_input_room(), 0);
	console_input("!", 1);
	CHECK_EQ(console_input_overruns(), before + 4);
	CHECK_EQ(read_all(tail), size);
	CHECK(tail[0] == 'y' && tail[1] == 'z');
}

static unsigned interrupts;

static bool
count_interrupt(void)
{
	interrupts++;
	return true;
}

/* Ctrl-C gets through although the queue is full. */
void
test_console_interrupt(void)
{
	const console_interrupt_fn old = console_set_interrupt_hook(count_interrupt);
	size_t room;

	interrupts = 0;
	console_input_flush();
	console_input("a\003b\003", 4);
	room = console_input_room();
	while (console_input_room() > 0)
		console_input("x", 1);
	console_input("\003", 1);
	(void)console_set_interrupt_hook(old);
	console_input_flush();
	CHECK_EQ(interrupts, 3);
	CHECK_EQ(console_input_room() - room, 2); /* a and b */
}

/* One answer to "where is the cursor?", however many devices show the question. */
void
test_console_report(void)
{
	char buf[32];
	ssize_t n;

	if (!console_uses_screen())
		return; /* the terminal on the serial line answers, if there is one */
	console_input_flush();
	say("\033[");
	say("6n");
	n = console_read(buf, sizeof(buf), 0);
	CHECK(n >= 6 && n < (ssize_t)sizeof(buf));
	CHECK(buf[0] == '\033' && buf[1] == '[' && buf[n - 1] == 'R');
	CHECK_EQ(console_read(buf, sizeof(buf), 100), -ETIMEDOUT);
}

/* Output with interrupts off and from a handler's point of view: it returns. */
void
test_console_irqs_off(void)
{
	const uint64_t flags = irq_save();

	for (unsigned i = 0; i < 64; i++)
		say("\033[0m");
	irq_restore(flags);
	CHECK(irqs_on());
}

void
test_vga_memory(void)
{
	static const char expect[] = "screen: \x84\x94\x81\xe1";
	const volatile uint8_t *memory = (const volatile uint8_t *)VGA_TEXT_VA;
	unsigned found = 0;

	if (!console_uses_screen())
		return;
	say("screen: \xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\n");
	console_flush();
	for (unsigned row = 0; row < 25; row++) {
		unsigned same = 0;

		while (same < sizeof(expect) - 1 &&
		       memory[(row * 80 + same) * 2] == (uint8_t)expect[same])
			same++;
		found += same == sizeof(expect) - 1;
	}
	CHECK(found >= 1);
}

void
test_serial_state(void)
{
	struct serial_info before, after;

	serial_info(&before);
	if (!before.present)
		return;
	CHECK(before.irq_driven);
	say("\033[0m");
	serial_flush();
	serial_info(&after);
	CHECK(after.tx >= before.tx);
	CHECK(after.stuck || after.tx_dropped == before.tx_dropped);
}

void
test_kbd_layouts(void)
{
	char old[8];
	const struct kbd_layout *layout;

	strlcpy(old, kbd_layout(), sizeof(old));
	for (size_t i = 0; (layout = kbd_layout_at(i)) != NULL; i++) {
		CHECK_EQ(kbd_set_layout(layout->name), 0);
		CHECK(strcmp(kbd_layout(), layout->name) == 0);
	}
	CHECK_EQ(kbd_set_layout("xx"), -ENOENT);
	CHECK_EQ(kbd_set_layout(""), -ENOENT);
	CHECK_EQ(kbd_set_layout(old), 0);
}

void
test_pci_list(void)
{
	const struct pci_device *d, *last = NULL;

	for (size_t i = 0; (d = pci_get(i)) != NULL; i++) {
		const struct pci_device *same = pci_find(d->vendor, d->device, 0);

		CHECK_EQ(pci_read16(d, PCI_VENDOR), d->vendor);
		CHECK_EQ(pci_read16(d, PCI_VENDOR + 2), d->device);
		CHECK_EQ(pci_read8(d, PCI_CLASS + 3), d->class);
		CHECK(same != NULL && same <= d);
		CHECK(pci_class_name(d->class, d->subclass, d->prog_if) != NULL);
		CHECK(last == NULL || last->bus != d->bus || last->slot != d->slot ||
		      last->function < d->function);
		last = d;
	}
	CHECK(pci_get(pci_count()) == NULL);
}

/* Whole and unchanged since the start: nobody wrote to the firmware's memory. */
static void
check_table(uint64_t pa, uint32_t length)
{
	void *table = vmm_map_firmware(pa, length);

	CHECK(table != NULL);
	CHECK_EQ(acpi_table_length(table), length);
	CHECK_EQ(acpi_sum(table, length), 0);
	vmm_unmap_mmio(table, length);
}

void
test_acpi_checksums(void)
{
	struct acpi_info acpi;
	struct acpi_table_info table;
	size_t i = 0;

	acpi_info(&acpi);
	for (; acpi_table_info(i, &table); i++) {
		CHECK(table.length != 0);
		check_table(table.address, table.length);
	}
	CHECK(i > 0 || !acpi.present);
	if (acpi.present && acpi.fadt.dsdt != 0) {
		void *header = vmm_map_firmware(acpi.fadt.dsdt, ACPI_HEADER_SIZE);
		uint32_t length;

		CHECK(header != NULL);
		length = acpi_table_length(header);
		vmm_unmap_mmio(header, ACPI_HEADER_SIZE);
		CHECK(length != 0);
		check_table(acpi.fadt.dsdt, length);
	}
}
