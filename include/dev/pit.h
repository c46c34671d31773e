/*
 * pit.h - 8254 interval timer: channel 0 makes the tick, channel 2 is a ruler to measure with.
 *
 * Implementation: drivers/pit.c.  Context: any, unless said otherwise.
 */
#pragma once
#include <kern/base.h>

#define PIT_HZ 1193182ULL /* 14.31818 MHz / 12 */

/* Channel 0 interrupts CLOCK_HZ times a second and calls clock_tick().  0, -ENODEV (nothing counts there), -EBUSY. */
int pit_init(void);
/* Channel 0: counts down from pit_reload() once per tick.  -1 until pit_init(). */
int pit_read(void);
unsigned pit_reload(void);

/* Channel 2, loudspeaker off, counts down from 65536, round and round, at PIT_HZ. */
void pit_ruler_start(void);
uint16_t pit_ruler_read(void);
void pit_ruler_stop(void);
