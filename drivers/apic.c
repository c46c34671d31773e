/*
 * apic.c - from the 8259A to the APICs, or why not.
 *
 * First everything is looked at: the MADT, the local APIC, the I/O APICs, a pin for each line that
 * the firmware tells of.  Up to there nothing has been changed, and any doubt leaves the interrupts
 * with the 8259A.  Then, with interrupts off, the lines move, and that cannot fail.
 * Theory and drawing: docs/traps.md.
 */
#include <dev/apic.h>
#include <dev/acpi.h>
#include <dev/madt.h>
#include <dev/mp.h>
#include <kern/clock.h>
#include <kern/cmdline.h>
#include <kern/irq.h>
#include <x86/cpu.h>
#include <x86/ioapic.h>
#include <x86/lapic.h>
#include <x86/pic.h>

#define TIMER_LINE	 0 /* the 8254's */
#define TICK_PATIENCE_MS 100

static struct madt madt;		      /* [I] */
static bool have_madt;			      /* [I] */
static const char *why_not = "not tried yet"; /* [I] */

const char *
apic_why_not(void)
{
	return why_not;
}

const struct madt *
apic_madt(void)
{
	return have_madt ? &madt : NULL;
}

/* --- looking ---------------------------------------------------------------------------------- */

static const char *
read_madt(void)
{
	uint32_t length;
	const void *table;

	if (acpi_find_tables() != 0)
		return "no ACPI tables";
	table = acpi_map_table("APIC", &length);
	if (table == NULL)
		return "ACPI has no MADT";
	have_madt = madt_parse(table, length, &madt) == 0;
	acpi_unmap_table(table, length);
	if (!have_madt)
		return madt.problem;
	if (madt.nr_dropped != 0)
		log_warn("apic: no room for %u entries of the MADT", madt.nr_dropped);
	return madt.nr_ioapics != 0 ? NULL : "the MADT names no I/O APIC";
}

static const char *
find_ioapics(void)
{
	for (unsigned i = 0; i < madt.nr_ioapics; i++) {
		const int result = ioapic_add(madt.ioapics[i].address, madt.ioapics[i].gsi_base);

		if (result == -EEXIST)
			return "the pins of two I/O APICs overlap";
		if (result != 0)
			return "an I/O APIC of the MADT does not answer";
	}
	return NULL;
}

/* Every line that the firmware put elsewhere must be somewhere. */
static const char *
check_lines(void)
{
	for (unsigned i = 0; i < IRQ_ISA_LINES; i++) {
		if (madt.isa[i].overridden && !ioapic_has(madt.isa[i].gsi))
			return "the MADT puts an ISA line at a pin that is not there";
	}
	return NULL;
}

static const char *
look(void)
{
	const char *why;

	if (cmdline_has("noapic"))
		return "noapic on the command line";
	why = lapic_probe();
	if (why != NULL)
		return why;
	why = read_madt();
	if (why == NULL)
		why = find_ioapics();
	return why != NULL ? why : check_lines();
}

/* --- moving ----------------------------------------------------------------------------------- */

/* Where NMIs reach this CPU.  Processors are named by uid there, by APIC id in hardware. */
static void
find_lints(struct lapic_lint lint[2])
{
	for (unsigned i = 0; i < madt.nr_nmis; i++) {
		const struct madt_nmi *nmi = &madt.nmis[i];
		bool ours = nmi->all_cpus;

		for (unsigned c = 0; c < madt.nr_cpus; c++)
			ours = ours ||
			       (madt.cpus[c].apic_id == lapic_id() && madt.cpus[c].uid == nmi->uid);
		if (nmi->local && ours)
			lint[nmi->pin] = (struct lapic_lint){.nmi = true, .low = nmi->low};
	}
}

/*
 * A pin for each line.  Those that are not ISA's are PCI's: level-triggered, active low.
 * Spec: PCI Local Bus 3.0, "Interrupt Pins".
 */
static void
route_lines(void)
{
	for (unsigned i = 0; i < IRQ_ISA_LINES; i++) {
		const struct madt_line *l = &madt.isa[i];

		if (l->gsi != MADT_NO_GSI) /* no such pin: a line that cannot be used */
			(void)ioapic_route(i, &(struct ioapic_line){l->gsi, l->low, l->level});
	}
	for (unsigned gsi = IRQ_ISA_LINES; gsi < IRQ_GSI_LINES; gsi++) {
		if (ioapic_route(gsi, &(struct ioapic_line){gsi, true, true}) == 0)
			irq_set_chip(&ioapic_chip, gsi, 1);
	}
}

/*
 * An edge that comes meanwhile is seen by the 8259A, by the I/O APIC once its pin is open, or by
 * both: ioapic.c looks into the 8259A after opening a pin, so that it must not be silenced before.
 */
static void
move_lines(void)
{
	const uint64_t flags = irq_save();

	ioapic_take(lapic_id());
	irq_set_chip(&ioapic_chip, 0, IRQ_ISA_LINES);
	pic_silence();
	irq_restore(flags);
}

static void
take_over(void)
{
	const bool imcr = mp_has_imcr();
	struct lapic_lint lint[2] = {{0}};
	uint64_t flags;

	find_lints(lint);
	route_lines();
	flags = irq_save();
	if (imcr)
		mp_imcr_to_apic();
	lapic_enable(lint);
	move_lines();
	irq_restore(flags);
}

/*
 * What has reached the local APIC already must be served while the lines are still its own, or its EOI
 * would go to the wrong chip.  Edges that come afterwards wait in the 8259A.
 */
void
apic_give_back(void)
{
	uint64_t flags;

	assert(why_not == NULL && irqs_on());
	flags = irq_save();
	ioapic_take(lapic_id());
	irq_restore(flags);
	cpu_relax(); /* what waits comes in here */
	flags = irq_save();
	lapic_open_lint0(true);
	pic_resume();
	irq_set_chip(&pic_chip, 0, IRQ_ISA_LINES);
	why_not = "given back";
	irq_restore(flags);
}

void
apic_take_again(void)
{
	uint64_t flags;

	assert(why_not != NULL && lapic_in_use());
	flags = irq_save();
	move_lines();
	lapic_open_lint0(false);
	why_not = NULL;
	irq_restore(flags);
}

/* Without a tick nothing goes on: if it does not come on the new way, the old one is better. */
static void
check_tick(void)
{
	struct irq_stat before, now;

	irq_stat(TIMER_LINE, &before);
	now = before;
	for (unsigned ms = 0; ms < TICK_PATIENCE_MS && now.count == before.count; ms++) {
		clock_delay_us(1000);
		irq_stat(TIMER_LINE, &now);
	}
	if (before.name == NULL || now.count != before.count)
		return;
	apic_give_back();
	why_not = "the timer's interrupts do not come through the I/O APIC";
	log_warn("apic: interrupts go back to the 8259A: %s", why_not);
}

int
apic_init(void)
{
	int result;

	why_not = look();
	if (why_not != NULL) {
		log_info("apic: interrupts stay with the 8259A: %s", why_not);
		return 0;
	}
	take_over();
	if (madt.lapic_address != lapic_address())
		log_warn("apic: the MADT has the local APIC at %#lx, the CPU at %#lx",
			 madt.lapic_address, lapic_address());
	result = cmdline_has("nolapictimer") ? -ENODEV : lapic_timer_init();
	if (result != 0) {
		log_warn("apic: the local APIC's timer is not used, error %d", -result);
		check_tick();
	}
	if (why_not != NULL)
		return 0;
	log_info("apic: CPU %u of %u, %u I/O APIC%s, timer at %lu.%03lu MHz; the 8259A is masked",
		 lapic_id(), madt.nr_cpus, madt.nr_ioapics, madt.nr_ioapics == 1 ? "" : "s",
		 lapic_timer_hz() / 1000000, lapic_timer_hz() / 1000 % 1000);
	return 0;
}
