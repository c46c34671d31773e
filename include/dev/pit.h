/*
 * pit.h - 8254 interval timer: channel 0 interrupts, channel 2 is a ruler to measure with and a clock
 * where there is no better one.
 *
 * Implementation: drivers/pit.c.  Context: any, unless said otherwise.
 */
#pragma once
#include <kern/base.h>

#define PIT_HZ 1193182ULL /* 14.31818 MHz / 12 */

/* Channel 0 becomes the device that interrupts (kern/clock_event.h).  0, -ENODEV (nothing counts there), -EBUSY. */
int pit_init(void);
/* Channel 2 becomes a counter that can be the clock.  0 or -ENODEV.  Context: boot. */
int pit_clock_init(void);

/* Let channel 2, loudspeaker off, count down from 65536, round and round, at PIT_HZ, for ever. */
void pit_ruler_start(void);
uint16_t pit_ruler_read(void);
