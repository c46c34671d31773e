/*
 * cmd_irq.c - commands about interrupts: pic, irq.
 */
#include <kern/clock.h>
#include <kern/irq.h>
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
		for (unsigned i = 0; i < IRQ_MAX; i++)
			sh_printf("%s %c", i == 8 ? "  " : " ", bits >> i & 1 ? '1' : '.');
		sh_printf("   %s\n", notes[row]);
	}
	sh_printf("Line n raises vector %02xh + n; line 2 carries the slave.\n", IRQ_VECTOR_BASE);
	return 0;
}

int
cmd_irq(int argc, char **argv)
{
	const uint64_t seconds = clock_ns() / 1000000000;
	const uint16_t imr = pic_imr();

	if (argc > 1)
		return -EINVAL;
	sh_printf(" IRQ  VECTOR         COUNT   PER SEC  SPURIOUS  MASKED  HANDLER\n");
	for (unsigned i = 0; i < IRQ_MAX; i++) {
		struct irq_stat s;

		irq_stat(i, &s);
		if (s.name == NULL && s.count == 0 && s.spurious == 0)
			continue;
		sh_printf("%4u      %02x  %12lu %9lu %9lu  %-6s  %s\n", i, IRQ_VECTOR_BASE + i,
			  s.count, seconds > 0 ? s.count / seconds : s.count, s.spurious,
			  imr >> i & 1 ? "yes" : "no", s.name != NULL ? s.name : "none");
	}
	sh_printf("Lines that have no handler and never fired are left out.\n");
	if (trap_unexpected() != 0)
		sh_printf("%lu interrupts came on vectors that nobody handles.\n",
			  trap_unexpected());
	return 0;
}
