/*
 * mp.h - the one thing that MinOS takes from the MultiProcessor tables: is there an IMCR?
 *
 * Implementation: drivers/mp.c.
 */
#pragma once
#include <lib/base.h>

#define MP_POINTER_SIZE 16

/* Pure: is this an MP Floating Pointer Structure, and what does it say?  0, or -EINVAL. */
int mp_parse_pointer(const void *buf, size_t n, bool *has_imcr);
/* Do the MP tables tell of an Interrupt Mode Configuration Register?  Thread context. */
bool mp_has_imcr(void);
/* Connect the CPU to the local APIC rather than to the 8259A.  Only where there is that register. */
void mp_imcr_to_apic(void);
