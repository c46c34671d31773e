/*
 * apic.h - which interrupt controllers are used: I/O APICs and the local APIC, or the 8259A.
 *
 * Implementation: drivers/apic.c.
 */
#pragma once
#include <lib/base.h>

struct madt;

/*
 * Take the interrupt lines over from the 8259A if the machine has APICs, and offer the local APIC's
 * timer.  If anything is wrong, or `noapic` is on the command line, all stays as it is, and the log
 * says why.  After pic_init() and the tick; interrupts on; thread context.  0.
 */
int apic_init(void);
/*
 * Give the ISA lines back to the 8259A, and take them again; what is registered moves along.  The local
 * APIC's own interrupts stay.  Only where apic_init() took over.  Thread context, interrupts on.
 */
void apic_give_back(void);
void apic_take_again(void);
/* NULL: they are used.  Else why not. */
const char *apic_why_not(void);
/* What the firmware says of processors and controllers; NULL if it says nothing usable. */
const struct madt *apic_madt(void);
