/*
 * power.h - turning the machine off and restarting it.
 */
#pragma once
#include <kern/base.h>

/* ACPI S5, then the hypervisors' ports, then a message and halt.  Flushes the consoles first. */
NORETURN void power_off(void);
/* ACPI reset register, then port CF9h, 8042, triple fault. */
NORETURN void power_reboot(void);
/* isa-debug-exit at port F4h: @pass writes 10h, else 11h; falls back to power_off(). */
NORETURN void power_debug_exit(bool pass);
