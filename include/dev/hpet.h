/*
 * hpet.h - the high precision event timer: a counter at 10 MHz and more, and a comparator that interrupts.
 *
 * Implementation: drivers/hpet.c.
 */
#pragma once
#include <kern/base.h>

/*
 * Driver table, after acpi: its counter can be the clock from now on, and its first comparator interrupts
 * instead of the PIT, if it can.  0, -ENODEV (none), -EIO (registers that cannot be) or -ENOMEM.
 */
int hpet_init(void);
