/*
 * cmd_irq.c - commands about interrupts: pic, irq.
 */
#include <dev/apic.h>
#include <kern/clock.h>
#include <kern/irq.h>
#include <x86/percpu.h>
#include <x86/pic.h>
#include <x86/trap.h>
#include "cmds.h"

/*
 * The three registers of both chips, a column for each line.  Spec: Intel 8259A data sheet,
 * "Reading the 8259A Status".
 */
int
cmd_pic(int argc, char **argv)
{
	const uint16_t irr = pic_irr(), isr = pic_isr(), imr = pic_imr();

	if (argc > 1)
		return -EINVAL;
	sh_printf("           MASTER (20h)             SLAVE (A0h)\n"
		  "Line       0  1  2  3  4  5  6  7   8  9 10 11 12 13 14 15\n");
	for (unsigned row = 0; row < 3; row++) {
		static const char *const names[] = {"IRR", "ISR", "IMR"};
		static const char *const notes[] = {"requested", "in service", "masked: off"};
		const uint16_t bits = row == 0 ? irr : row == 1 ? isr : imr;

		sh_printf("%s %04x  ", names[row], bits);
		for (unsigned i = 0; i < IRQ_ISA_LINES; i++)
			sh_printf("%s %c", i == 8 ? "  " : " ", bits >> i & 1 ? '1' : '.');
		sh_printf("   %s\n", notes[row]);
	}
	if (apic_why_not() == NULL)
		sh_printf("All masked: the I/O APICs deliver the lines (see irq, ioapic).\n");
	sh_printf("Line n raises vector %02xh + n; line 2 carries the slave.\n", IRQ_VECTOR_BASE);
	return 0;
}

static void
print_line(unsigned irq, uint64_t seconds)
{
	struct irq_stat s;

	irq_stat(irq, &s);
	if (s.name == NULL && s.count == 0)
		return;
	sh_printf("%4u   %02x %10lu %8lu  %-6s  %-12s  %s %s\n", irq, s.vector, s.count,
		  seconds > 0 ? s.count / seconds : s.count, s.masked ? "yes" : "no",
		  s.name != NULL ? s.name : "none", s.chip != NULL ? s.chip : "-", s.where);
}

static void
print_spurious(void)
{
	for (unsigned i = 0; i < IRQ_MAX; i++) {
		struct irq_stat s;

		irq_stat(i, &s);
		if (s.spurious != 0)
			sh_printf("Line %u: %lu spurious interrupts of its chip.\n", i, s.spurious);
	}
	if (this_cpu()->apic_spurious != 0)
		sh_printf("%lu spurious interrupts of the local APIC.\n",
			  this_cpu()->apic_spurious);
}

int
cmd_irq(int argc, char **argv)
{
	const uint64_t seconds = clock_ns() / NS_PER_SEC;

	if (argc > 1)
		return -EINVAL;
	sh_printf(" IRQ  VEC      COUNT  PER SEC  MASKED  HANDLER       BY\n");
	for (unsigned i = 0; i < IRQ_MAX; i++)
		print_line(i, seconds);
	sh_printf("Lines that have no handler and never fired are left out.\n");
	if (apic_why_not() != NULL)
		sh_printf("The APICs are not used: %s.\n", apic_why_not());
	print_spurious();
	if (trap_unexpected() != 0)
		sh_printf("%lu interrupts came on vectors that nobody handles.\n",
			  trap_unexpected());
	return 0;
}
