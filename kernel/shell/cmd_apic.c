/*
 * cmd_apic.c - commands about the APICs: cpus, lapic, ioapic.
 */
#include <dev/apic.h>
#include <dev/madt.h>
#include <kern/irq.h>
#include <lib/printf.h>
#include <x86/ioapic.h>
#include <x86/lapic.h>
#include <x86/percpu.h>
#include "cmds.h"

/* --- cpus ------------------------------------------------------------------------------------- */

int
cmd_cpus(int argc, char **argv)
{
	const struct madt *m = apic_madt();

	if (argc > 1)
		return -EINVAL;
	if (m == NULL) {
		sh_printf("The firmware does not tell of processors; one runs.\n");
		return 0;
	}
	sh_printf("   #   APIC ID  ACPI UID  STATE\n");
	for (unsigned i = 0; i < m->nr_cpus && !sh_interrupted(); i++) {
		const struct madt_cpu *c = &m->cpus[i];
		const bool boot = lapic_regs != NULL && c->apic_id == lapic_id();

		sh_printf("%4u  %8x  %8u  %s%s\n", i, c->apic_id, c->uid,
			  boot		      ? "runs MinOS, takes all interrupts"
			  : c->enabled	      ? "waits where the firmware left it"
			  : c->online_capable ? "can be plugged in"
					      : "not there",
			  c->x2apic ? " (x2APIC)" : "");
	}
	return 0;
}

/* --- lapic ------------------------------------------------------------------------------------ */

static void
print_lvt(const char *name, unsigned reg)
{
	const uint32_t v = lapic_regs[reg], mode = v & LVT_MODE;
	const bool timer = reg == LAPIC_LVT_TIMER;

	sh_printf("%-9s %08x  ", name, v);
	if (timer)
		sh_printf("vector %02x, %s", v & LVT_VECTOR,
			  v & LVT_PERIODIC ? "periodic" : "one-shot");
	else if (mode == LVT_FIXED)
		sh_printf("vector %02x", v & LVT_VECTOR);
	else
		sh_printf("%s", mode == LVT_EXTINT ? "ExtINT, the 8259A's"
				: mode == LVT_NMI  ? "NMI"
				: mode == LVT_SMI  ? "SMI"
						   : "another mode");
	if (reg == LAPIC_LVT_LINT0 || reg == LAPIC_LVT_LINT1)
		sh_printf(", %s, active %s", v & LVT_LEVEL ? "level" : "edge",
			  v & LVT_LOW ? "low" : "high");
	sh_printf("%s%s\n", v & LVT_PENDING ? ", pending" : "", v & LVT_MASKED ? ", masked" : "");
}

/* Vectors whose bit is set in the 8 registers from @bank on. */
static void
print_vectors(const char *name, unsigned bank)
{
	unsigned n = 0;

	sh_printf("%-9s", name);
	for (unsigned v = 0; v < 256; v++) {
		if (lapic_regs[bank + v / 32 * 4] >> v % 32 & 1) {
			sh_printf(" %02x", v);
			n++;
		}
	}
	sh_printf("%s\n", n == 0 ? " none" : "");
}

static void
print_errors(void)
{
	/* Spec: Intel SDM vol. 3A, "Error Status Register (ESR)". */
	static const char *const names[] = {"send checksum",	       "receive checksum",
					    "nobody accepted",	       "not accepted",
					    "redirectable IPI",	       "illegal vector sent",
					    "illegal vector received", "no such register"};

	sh_printf("errors    %lu", this_cpu()->apic_errors);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (this_cpu()->apic_error_bits >> i & 1)
			sh_printf(", %s", names[i]);
	}
	sh_printf("\n");
}

static void
print_timer(void)
{
	const uint64_t hz = lapic_timer_hz();

	sh_printf("timer     initial %u, current %u", lapic_regs[LAPIC_TIMER_INITIAL],
		  lapic_regs[LAPIC_TIMER_CURRENT]);
	if (hz != 0)
		sh_printf(", %lu.%03lu MHz", hz / 1000000, hz / 1000 % 1000);
	sh_printf("\n");
}

int
cmd_lapic(int argc, char **argv)
{
	const char *why = lapic_probe();
	uint32_t version;

	if (argc > 1)
		return -EINVAL;
	if (why != NULL) {
		sh_printf("%s\n", why);
		return -ENODEV;
	}
	version = lapic_regs[LAPIC_VERSION];
	sh_printf("used as   %s\n", apic_why_not() == NULL ? "interrupt controller"
							   : "a wire from the 8259A to the CPU");
	sh_printf("address   %#lx, id %x, version %x, %u LVT entries\n", lapic_address(),
		  lapic_id(), LAPIC_VERSION_NUMBER(version), LAPIC_VERSION_MAX_LVT(version) + 1);
	sh_printf("SVR       %08x  spurious vector %02x, %s\n", lapic_regs[LAPIC_SVR],
		  lapic_regs[LAPIC_SVR] & LVT_VECTOR,
		  lapic_regs[LAPIC_SVR] & SVR_ENABLE ? "on" : "off");
	sh_printf("TPR, PPR  %02x, %02x\n", lapic_regs[LAPIC_TPR], lapic_regs[LAPIC_PPR]);
	print_lvt("timer LVT", LAPIC_LVT_TIMER);
	print_lvt("LINT0", LAPIC_LVT_LINT0);
	print_lvt("LINT1", LAPIC_LVT_LINT1);
	print_lvt("error LVT", LAPIC_LVT_ERROR);
	print_timer();
	print_vectors("requested", LAPIC_IRR);
	print_vectors("in serv.", LAPIC_ISR);
	print_vectors("level", LAPIC_TMR);
	sh_printf("spurious  %lu\n", this_cpu()->apic_spurious);
	print_errors();
	return 0;
}

/* --- ioapic ----------------------------------------------------------------------------------- */

/* Which line has this pin's vector: only those that are open can be told apart. */
static const char *
handler_name(uint64_t entry)
{
	const unsigned irq = irq_of_vector(entry & IOAPIC_VECTOR);
	struct irq_stat s;

	if (irq == IRQ_NONE || (entry & IOAPIC_MASKED) != 0)
		return "";
	irq_stat(irq, &s);
	return s.name != NULL ? s.name : "";
}

static void
print_pin(const struct ioapic_info *io, unsigned pin, uint64_t entry)
{
	sh_printf("%4u  %4u  %016lx  %02x      %-5s  %-4s  %-6s  %-4lx  %s%s\n", pin,
		  io->gsi_base + pin, entry, (unsigned)(entry & IOAPIC_VECTOR),
		  entry & IOAPIC_LEVEL ? "level" : "edge", entry & IOAPIC_LOW ? "low" : "high",
		  entry & IOAPIC_MASKED ? "yes" : "no", entry >> IOAPIC_DEST_SHIFT,
		  handler_name(entry), entry & IOAPIC_REMOTE_IRR ? " (waits for EOI)" : "");
}

int
cmd_ioapic(int argc, char **argv)
{
	struct ioapic_info io;
	unsigned hidden = 0;

	if (argc > 1)
		return -EINVAL;
	if (apic_why_not() != NULL) {
		sh_printf("The I/O APICs are not used: %s.\n", apic_why_not());
		return -ENODEV;
	}
	for (unsigned i = 0; ioapic_info(i, &io) && !sh_interrupted(); i++) {
		sh_printf("I/O APIC %u at %#lx, id %x, version %x, pins 0-%u\n"
			  " PIN   GSI  ENTRY             VECTOR  MODE   POL.  MASKED  CPU   "
			  "HANDLER\n",
			  i, io.address, io.id, io.version, io.pins - 1);
		for (unsigned pin = 0; pin < io.pins; pin++) {
			const uint64_t entry = ioapic_entry(i, pin);

			if (entry == IOAPIC_MASKED)
				hidden++;
			else
				print_pin(&io, pin, entry);
		}
	}
	sh_printf("%u pins that were never used are left out.\n", hidden);
	return 0;
}
