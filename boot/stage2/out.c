/*
 * out.c - what the loader says: on COM1 (115200 8N1) and on the text screen, without the BIOS.
 *
 * int 10h costs hundreds of instructions for a character; the screen's memory costs one.
 * Spec: PC16550D data sheet, "Registers"; IBM VGA Technical Reference, "CRT Controller".
 */
#include <stdarg.h>
#include <lib/printf.h>
#include <lib/string.h>
#include "bios.h"
#include "stage2.h"
#include "x86.h"

#define COM1	     0x3f8
#define UART_IER     (COM1 + 1)
#define UART_FCR     (COM1 + 2)
#define UART_LCR     (COM1 + 3)
#define UART_MCR     (COM1 + 4)
#define UART_LSR     (COM1 + 5)
#define LSR_DATA     0x01
#define LSR_THR_FREE 0x20
#define LCR_8N1	     0x03
#define LCR_DLAB     0x80
#define MCR_LOOP     0x1e
#define MCR_DTR_RTS  0x03
/* Polls of about 1 us.  A character takes 87 us, but an emulator's line waits for its reader. */
#define UART_TIMEOUT 2000000
#define LOOP_TIMEOUT 20000

#define COLUMNS	     80
#define ROWS	     25
#define ATTR_NORMAL  0x07
#define ATTR_INVERSE 0x70
#define ATTR_FAILURE 0x4f

static bool serial;
static uint16_t *screen; /* NULL: there is none */
static uint32_t column, row;
static bool line_begun; /* the last line said has no end yet */
static uint8_t attr = ATTR_NORMAL;

/* A UART in loop-back mode returns what it is sent; an empty port does not. */
static void
serial_init(void)
{
	uint32_t polls = LOOP_TIMEOUT;

	outb(UART_LCR, LCR_DLAB | LCR_8N1);
	outb(COM1, 1);
	outb(UART_IER, 0);
	outb(UART_LCR, LCR_8N1);
	outb(UART_IER, 0);
	outb(UART_FCR, 0x07); /* FIFOs on and empty */
	outb(UART_MCR, MCR_LOOP);
	outb(COM1, 0xae);
	while (polls > 0 && !(inb(UART_LSR) & LSR_DATA))
		polls--;
	serial = inb(COM1) == 0xae;
	outb(UART_MCR, MCR_DTR_RTS);
}

static bool
text_mode(void)
{
	const uint8_t mode = bios_data[BDA_VIDEO_MODE];

	return (mode == 2 || mode == 3 || mode == 7) && bda16(BDA_COLUMNS) == COLUMNS;
}

static void
screen_init(void)
{
	if (!text_mode()) {
		struct bios_regs r = {.eax = 0x0003};

		bios_int(0x10, &r);
	}
	if (!text_mode())
		return;
	screen = (uint16_t *)(bios_data[BDA_VIDEO_MODE] == 7 ? 0xb0000 : 0xb8000);
	row = MIN(bios_data[BDA_CURSOR + 1], ROWS - 1);
	column = bios_data[BDA_CURSOR] ? COLUMNS : 0; /* what the BIOS wrote stays on its line */
}

void
out_init(void)
{
	serial_init();
	screen_init();
}

uint32_t
out_display(void)
{
	return screen ? BOOT_DISPLAY_TEXT : BOOT_DISPLAY_NONE;
}

static void
serial_putc(char c)
{
	uint32_t polls = UART_TIMEOUT;

	while (!(inb(UART_LSR) & LSR_THR_FREE))
		if (--polls == 0) {
			serial = false; /* stuck: not once more for each character */
			return;
		}
	outb(COM1, (uint8_t)c);
}

static void
screen_newline(void)
{
	const uint32_t blank = (uint32_t)ATTR_NORMAL << 8 | ' ';

	column = 0;
	if (++row < ROWS)
		return;
	row = ROWS - 1;
	copy_dwords(screen, screen + COLUMNS, (ROWS - 1) * COLUMNS / 2);
	fill_dwords(screen + (ROWS - 1) * COLUMNS, blank << 16 | blank, COLUMNS / 2);
}

static void
screen_putc(char c)
{
	if (c == '\n') {
		screen_newline();
		return;
	}
	if (column == COLUMNS)
		screen_newline();
	screen[row * COLUMNS + column++] = (uint16_t)(attr << 8 | (uint8_t)c);
}

/* Leave the cursor where the text ends, for the BIOS, the kernel and the eye. */
static void
screen_cursor(void)
{
	const uint32_t col = MIN(column, COLUMNS - 1U);
	const uint32_t at = row * COLUMNS + col;
	const uint16_t port = bda16(BDA_CRTC_PORT);

	bios_data[BDA_CURSOR] = (uint8_t)col;
	bios_data[BDA_CURSOR + 1] = (uint8_t)row;
	outb(port, 0x0e);
	outb(port + 1, (uint8_t)(at >> 8));
	outb(port, 0x0f);
	outb(port + 1, (uint8_t)at);
}

static void
serial_puts(const char *s)
{
	for (; serial && *s; s++) {
		if (*s == '\n')
			serial_putc('\r');
		serial_putc(*s);
	}
}

/* A word that does not fit the line begins the next one: addresses stay whole. */
static void
screen_puts(const char *s)
{
	while (*s) {
		uint32_t word = 0;

		while (s[word] > ' ')
			word++;
		if (column + word > COLUMNS && word <= COLUMNS)
			screen_newline();
		for (; word > 0; word--)
			screen_putc(*s++);
		if (*s && (*s == '\n' || column < COLUMNS))
			screen_putc(*s);
		if (*s)
			s++;
	}
	screen_cursor();
}

static PRINTF(1, 0) void vsay(const char *fmt, va_list ap)
{
	static char text[512];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	if (text[0])
		line_begun = text[strlen(text) - 1] != '\n';
	serial_puts(text);
	if (screen)
		screen_puts(text);
}

void
say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
}

/* An escape sequence for the terminal: ESC [ @n @final.  Spec: ECMA-48, "Control sequences". */
static void
serial_sequence(uint32_t n, char final)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "\033[%u%c", n, final);
	serial_puts(text);
}

void
out_up(uint32_t lines)
{
	row -= MIN(lines, row);
	column = 0;
	serial_puts("\r");
	serial_sequence(lines, 'A');
}

void
out_column(uint32_t n)
{
	column = n;
	serial_puts("\r");
	if (n > 0)
		serial_sequence(n, 'C');
	if (screen)
		screen_cursor();
}

void
out_clear_line(void)
{
	for (uint32_t i = column; screen && i < COLUMNS; i++)
		screen[row * COLUMNS + i] = ATTR_NORMAL << 8 | ' ';
	serial_sequence(0, 'K');
}

void
out_inverse(bool on)
{
	attr = on ? ATTR_INVERSE : ATTR_NORMAL;
	serial_sequence(on ? 7 : 0, 'm');
}

int
serial_read(void)
{
	if (!serial || !(inb(UART_LSR) & LSR_DATA))
		return -1;
	return inb(COM1);
}

void
die(const char *advice, const char *fmt, ...)
{
	va_list ap;

	if (line_begun)
		say("\n");
	else if (screen && column > 0) /* what the BIOS wrote */
		screen_newline();
	attr = ATTR_FAILURE;
	say("MinOS cannot start: ");
	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
	attr = ATTR_NORMAL;
	say("\n%s\nStopped.\n", advice);
	halt_forever();
}
