/*
 * lapic.h - the local APIC, as far as it stands between the 8259A and the CPU.
 *
 * Implementation: kernel/x86/lapic.c.
 */
#pragma once
#include <lib/base.h>

/*
 * Make sure that a local APIC that is on lets the 8259A's interrupts through.  Needs the kernel map;
 * thread context, interrupts off.  True if something had to be changed.
 */
bool lapic_virtual_wire(void);
