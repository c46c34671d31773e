/*
 * tty_internal.h - between tty.c (the line discipline) and tty_file.c (what programs do with it).
 */
#pragma once
#include <kern/spinlock.h>
#include <kern/sync.h>
#include <kern/tty.h>

#define TTY_RAW	 1024 /* bytes that were not treated yet */
#define TTY_RING 8192 /* treated, not read */
#define TTY_ENDS 512  /* lines among those */

/* Legend: [tty] lock; [raw] raw_lock. */
struct tty {
	struct mutex lock;
	struct k_termios termios; /* [tty] */
	struct k_winsize size;	  /* [tty] 0 = what the console has */
	int session, foreground;  /* [tty] session it controls; group in the foreground */
	volatile bool taken;	  /* [a] what is typed comes here */
	struct wait_queue readers;

	struct spinlock raw_lock;
	uint8_t raw[TTY_RAW];
	size_t raw_in, raw_out; /* [raw] */

	uint8_t line[TTY_LINE_MAX]; /* [tty] being edited */
	size_t line_len;
	bool literal; /* [tty] the next byte stands for itself (^V) */

	uint8_t ring[TTY_RING];
	volatile size_t in, out; /* [tty] */
	size_t ends[TTY_ENDS];	 /* [tty] value of in behind each line that can be read */
	unsigned first_end;
	volatile unsigned nr_ends;
	uint64_t overruns; /* bytes that there was no room for */
};

extern struct tty tty_console;
extern const struct k_termios tty_default_termios;

void tty_put(struct tty *t, const char *s, size_t n);
void tty_flush_input(struct tty *t);
void tty_register_devices(void);
