/*
 * probes.h - the assembly parts of the in-kernel tests (tests/kernel/probes.asm).
 */
#pragma once
#include <lib/base.h>

/* Raise vector 80h with every register known; a bit for each that came back changed. */
uint64_t probe_registers(void);
/* Vector F7h. */
void probe_int(void);
/* The vectors of IRQ 7 and 15, without any interrupt. */
void probe_spurious_7(void);
void probe_spurious_15(void);
/* The spurious vector of a local APIC. */
void probe_spurious_ff(void);
/* #GP when @selector is none. */
void probe_load_es(uint64_t selector);
/* Call address 0. */
void probe_call_null(void);
/* #UD in a function without a frame. */
void probe_leaf(void);
