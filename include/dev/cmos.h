/*
 * cmos.h - the PC's battery-backed RAM, where the RTC lives too.
 *
 * Implementation: drivers/cmos.c.  Context: any.
 */
#pragma once
#include <kern/base.h>

/* @reg: 0-127.  An absent chip reads FFh. */
uint8_t cmos_read(uint8_t reg);
void cmos_write(uint8_t reg, uint8_t value);
