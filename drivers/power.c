/*
 * power.c - turning the machine off and restarting it: every way there is, best first.
 */
#include <dev/power.h>
#include <dev/acpi.h>
#include <dev/console.h>
#include <lib/string.h>
#include <x86/cpu.h>
#include <x86/io.h>

#define POLLS_100MS 100000U /* port accesses, about a microsecond each */

/* Spec: IBM PS/2 technical reference, "Keyboard Controller Commands": FEh pulses the reset line. */
#define KBC_STATUS  0x64
#define KBC_IN_FULL 0x02
#define KBC_RESET   0xfe

/* Of Intel's chipsets.  Spec: Intel ICH9 datasheet, "RST_CNT - Reset Control Register". */
#define RST_CNT	     0xcf9
#define RST_CNT_COLD 0x02
#define RST_CNT_GO   0x06

#define DEBUG_EXIT_PORT 0xf4
#define DEBUG_EXIT_PASS 0x10
#define DEBUG_EXIT_FAIL 0x11

static void
wait_a_little(void)
{
	for (unsigned i = 0; i < POLLS_100MS; i++)
		io_wait();
}

static void
say(const char *text)
{
	console_write(text, strlen(text));
	console_flush();
}

/* Where virtual machines have their PM1 control register when no table tells. */
static void
hypervisor_power_off(void)
{
	outw(0x604, 0x2000);  /* QEMU */
	outw(0xb004, 0x2000); /* Bochs, old QEMU */
	outw(0x4004, 0x3400); /* VirtualBox */
	wait_a_little();
}

NORETURN static void
halt_for_good(void)
{
	say("It is now safe to turn off the computer.\n");
	cpu_halt_forever();
}

void
power_off(void)
{
	struct acpi_info acpi;

	console_flush();
	irq_disable();
	(void)acpi_power_off(); /* it returned: it did not work */
	acpi_info(&acpi);
	/* On real machines something else may listen at these ports. */
	if (cpu_features.hypervisor || !acpi.present)
		hypervisor_power_off();
	halt_for_good();
}

static void
keyboard_controller_reset(void)
{
	for (unsigned i = 0; i < POLLS_100MS && (inb(KBC_STATUS) & KBC_IN_FULL) != 0; i++)
		cpu_relax();
	outb(KBC_STATUS, KBC_RESET);
	wait_a_little();
}

void
power_reboot(void)
{
	console_flush();
	irq_disable();
	(void)acpi_reset();
	outb(RST_CNT, RST_CNT_COLD);
	io_wait();
	outb(RST_CNT, RST_CNT_GO);
	wait_a_little();
	keyboard_controller_reset();
	cpu_triple_fault();
}

void
power_debug_exit(bool pass)
{
	console_flush();
	outb(DEBUG_EXIT_PORT, pass ? DEBUG_EXIT_PASS : DEBUG_EXIT_FAIL);
	power_off();
}
