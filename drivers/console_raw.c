/*
 * console_raw.c - the console's last way out: bytes to COM1 and to text memory, nothing else.
 *
 * For a panic whose report failed on the usual way.  The only state is a cursor of its own; escape
 * sequences are skipped.  The screen is cleared first and begins at the top.
 * Spec: National Semiconductor PC16550D, "Line Status Register"; IBM VGA technical reference,
 * "Alphanumeric modes".
 */
#include <dev/console_raw.h>
#include <x86/io.h>

#define COLS	  80
#define ROWS	  25
#define ATTRIBUTE 0x1f00 /* white on blue: not the usual screen */

#define COM1_DATA   0x3f8
#define COM1_IER    0x3f9
#define COM1_MCR    0x3fc
#define COM1_LSR    0x3fd
#define LSR_THRE    0x20
#define MCR_DTR_RTS 0x03
#define POLLS	    1000000U /* about a second: a virtual machine's line may pause */
#define ESC	    0x1b
#define FINAL_FIRST 0x40 /* of a control sequence.  Spec: ECMA-48, "Control sequences" */
#define FINAL_LAST  0x7e

enum escape { TEXT, AFTER_ESC, IN_CSI };

static unsigned row, col;
static enum escape escape;
static bool line_dead; /* COM1 took nothing for long */

static volatile uint16_t *
cell(unsigned r, unsigned c)
{
	return (volatile uint16_t *)VGA_TEXT_VA + r * COLS + c;
}

static void
clear_row(unsigned r)
{
	for (unsigned c = 0; c < COLS; c++)
		*cell(r, c) = ATTRIBUTE | ' ';
}

void
console_raw_init(void)
{
	row = col = 0;
	escape = TEXT;
	line_dead = false;
	outb(COM1_IER, 0);
	outb(COM1_MCR, MCR_DTR_RTS);
	for (unsigned r = 0; r < ROWS; r++)
		clear_row(r);
}

static void
put_serial(char c)
{
	unsigned polls = line_dead ? 1 : POLLS;

	while ((inb(COM1_LSR) & LSR_THRE) == 0)
		if (--polls == 0) {
			line_dead = true;
			return;
		}
	outb(COM1_DATA, (uint8_t)c);
}

static void
scroll(void)
{
	for (unsigned r = 0; r + 1 < ROWS; r++)
		for (unsigned c = 0; c < COLS; c++)
			*cell(r, c) = *cell(r + 1, c);
	clear_row(ROWS - 1);
}

/* The screen moves up only when there is something for the new line. */
static void
put_screen(char c)
{
	if (c == '\r') {
		col = 0;
		return;
	}
	if (c == '\n' || col == COLS) {
		row++;
		col = 0;
	}
	if (c == '\n')
		return;
	if (c == '\b') {
		col -= col > 0;
		return;
	}
	if (row >= ROWS) {
		scroll();
		row = ROWS - 1;
	}
	*cell(row, col++) = (uint16_t)(ATTRIBUTE | (uint8_t)c);
}

/* Is @c part of an escape sequence? */
static bool
skipped(char c)
{
	if (escape == TEXT && c != ESC)
		return false;
	if (escape == TEXT)
		escape = AFTER_ESC;
	else if (escape == AFTER_ESC)
		escape = c == '[' ? IN_CSI : TEXT;
	else if (c >= FINAL_FIRST && c <= FINAL_LAST)
		escape = TEXT;
	return true;
}

void
console_raw_write(const char *s, size_t n, bool screen, bool serial)
{
	for (; n > 0; n--, s++) {
		if (skipped(*s))
			continue;
		if (serial && *s == '\n')
			put_serial('\r');
		if (serial)
			put_serial(*s);
		if (screen)
			put_screen(*s);
	}
}
