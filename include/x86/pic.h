/*
 * pic.h - the two cascaded 8259A interrupt controllers.
 *
 * Implementation: kernel/x86/pic.c.  Bits: IRQ 0-7 master, 8-15 slave.  Context: any.
 */
#pragma once
#include <lib/base.h>

struct irq_chip;
extern const struct irq_chip pic_chip;

/* Move the vectors to 20h-2Fh, mask every line but the cascade, and become the irq_chip.  0. */
int pic_init(void);

/* Mask every line, the cascade too: another controller delivers them from now on. */
void pic_silence(void);
/* The cascade is open again, each line still masked. */
void pic_resume(void);

/* Requested, in service, masked: one bit for each of the 16 lines.  Without chips: none, none, all. */
uint16_t pic_irr(void);
uint16_t pic_isr(void);
uint16_t pic_imr(void);
