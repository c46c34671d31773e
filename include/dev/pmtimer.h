/*
 * pmtimer.h - the ACPI power management timer: a counter of 24 or 32 bits at 3.579545 MHz.
 *
 * Implementation: drivers/pmtimer.c.
 */
#pragma once
#include <kern/base.h>

/* Driver table, after acpi: it can be the clock from now on.  0, -ENODEV (none, or it does not count), -ENOMEM. */
int pmtimer_init(void);
