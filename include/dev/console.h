/*
 * console.h - one terminal of 80x25 on two devices: screen + PS/2 keyboard, and serial line.
 *
 * Everything written appears on both (as the command line's console= says); what is typed at either
 * comes out of one input queue.  Text is UTF-8; the VGA side shows what code page 437 has.  Escape
 * sequences: VT100/ANSI (dev/ansi.h).
 */
#pragma once
#include <kern/base.h>

/*
 * Find out what exists: VGA text screen and COM1, polled.  Works before memory management is up,
 * and the first console_write() does it if nobody did.  0, or -ENODEV when there is neither.
 */
int console_init(void);
/*
 * Apply console= once the command line is known.  A device that is not there cannot be chosen: if
 * nothing would remain, both stay.  What is not chosen shows nothing and is not listened to.
 */
void console_select(bool screen, bool serial);
bool console_uses_screen(void);
/* Is the PS/2 keyboard listened to?  Also without a screen, unless console=ttyS0 took it away. */
bool console_uses_keyboard(void);
bool console_uses_serial(void);

/* Driver table: timers work, so the screen need not follow each write.  0, or -ENODEV. */
int console_start_timer(void);

/* Write UTF-8 bytes; \n becomes \r\n on the serial line.  Context: any. */
void console_write(const char *s, size_t n);
/* From now on output is polled and ignores locks: a panic is being printed. */
void console_panic(void);
/* Output failed even so: from now on it goes the way of dev/console_raw.h. */
void console_raw(void);
/*
 * A byte typed at either console, by polling, or -1.  Shift-PgUp and Ctrl-Alt-Del do what they
 * always do.  Context: interrupts off, after console_panic().
 */
int console_poll(void);
/* Wait until all output has left the machine (bounded). */
void console_flush(void);

/*
 * Take up to @n typed bytes: waits up to @timeout_ms (WAIT_FOREVER) for the first.  Special keys
 * come as the ANSI sequences of an xterm (ESC [ A, ESC [ 3 ~, ESC [ Z ...).  Returns the count,
 * -ETIMEDOUT, or -EINTR.  Context: thread.
 */
ssize_t console_read(char *buf, size_t n, uint64_t timeout_ms);
/*
 * Input from a driver.  Context: any.  A key's bytes go in together or, when they do not fit, not
 * at all: they are counted and dropped.
 */
void console_input(const char *bytes, size_t n);
/*
 * @fn is offered all input first; if it returns true, it has taken it.  Context: as console_input().
 */
typedef bool (*console_input_fn)(const char *bytes, size_t n);
void console_set_input_hook(console_input_fn fn);
/* Bytes that console_input() would take now. */
size_t console_input_room(void);
/* Forget what was typed and not read yet. */
void console_input_flush(void);
/* Look back through the screen's history: @lines up, negative down.  Context: any. */
void console_scroll_view(int lines);
/*
 * @fn is called, from interrupt context, when Ctrl-C is typed; if it returns true the byte is
 * swallowed.  Returns the one before.
 */
typedef bool (*console_interrupt_fn)(void);
console_interrupt_fn console_set_interrupt_hook(console_interrupt_fn fn);
uint64_t console_input_overruns(void);

/* Terminal size in cells. */
void console_size(unsigned *cols, unsigned *rows);
