/*
 * serial.h - COM1: a 16550 at 3F8h, 115200 8N1.
 *
 * Output goes through a ring.  Until serial_start_irq() it is sent as far as the UART takes it at
 * once; afterwards by interrupts.  Nothing here waits without a bound: an absent line costs
 * nothing, one that stops taking bytes (its reader stopped) loses what does not fit.
 */
#pragma once
#include <kern/base.h>

/* Detect and set up, without interrupts.  0 or -ENODEV.  Works before memory management. */
int serial_init(void);
/* From here on by interrupts: driver table.  0, -ENODEV or irq_register()'s error. */
int serial_start_irq(void);
bool serial_present(void);

/* Wait until @n bytes fit into the ring, if this context may sleep.  Returns at once in others. */
void serial_wait_room(size_t n);
/* Queue bytes as they are.  Context: any. */
void serial_put(const char *s, size_t n);
/* Send all that is queued, polling, bounded to a few seconds.  Context: any. */
void serial_flush(void);
/* From now on ignore locks and send at once. */
void serial_panic(void);
/* A received byte, or -1; by polling, for a panic. */
int serial_poll(void);
/* Room in the input queue again after it was full. */
void serial_input_resume(void);

struct serial_info {
	bool present, irq_driven, stuck;
	unsigned fifo; /* bytes the transmitter takes at once: 16, or 1 on an 8250/16450 */
	uint64_t rx, tx;
	uint64_t rx_overruns;	 /* bytes the UART lost because nobody fetched them in time */
	uint64_t rx_line_errors; /* framing and parity errors, breaks */
	uint64_t tx_dropped;	 /* bytes that the line did not take */
	uint64_t irqs;
};
void serial_info(struct serial_info *out);
