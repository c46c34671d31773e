/*
 * input.c - keys from the BIOS's keyboard and from COM1, waited for no longer than told.
 *
 * The keyboard is asked by int 16h only: behind it can be a PS/2 controller, or USB that the
 * firmware drives by itself.  The BIOS runs with interrupts on during the calls; its timer and
 * keyboard handlers get their turn there.
 * Spec: IBM PC/AT Technical Reference, "INT 16", "BIOS Data Area".
 */
#include "bios.h"
#include "keys.h"
#include "stage2.h"
#include "x86.h"

#define BDA_SHIFT      0x17 /* bits 0, 1: a Shift key is down */
#define BDA_KEYS_HEAD  0x1a
#define BDA_KEYS_TAIL  0x1c
#define BDA_TICKS      0x6c
#define FLAG_ZERO      0x40
#define POLL_US	       100
#define ESC_ALONE      2  /* ticks after which no sequence follows */
#define BYTES_AT_START 16 /* a UART's FIFO */
#define KEYS_AT_START  16 /* a BIOS's buffer has room for 15 */

static struct key_serial terminal;
static struct tick_clock ticks;
static uint32_t byte_tick; /* when the last byte came */

static int
keyboard_key(void)
{
	struct bios_regs r = {.eax = 0x0100};

	bios_int(0x16, &r);
	if (r.flags & FLAG_ZERO)
		return KEY_NONE;
	r = (struct bios_regs){0};
	bios_int(0x16, &r);
	return key_from_bios((uint16_t)r.eax);
}

static int
serial_key(void)
{
	const int byte = serial_read();

	if (byte >= 0) {
		byte_tick = ticks.passed;
		return key_from_serial(&terminal, (uint8_t)byte);
	}
	return ticks.passed - byte_tick >= ESC_ALONE ? key_serial_idle(&terminal) : KEY_NONE;
}

bool
input_waiting(void)
{
	bool esc = false;

	for (uint32_t i = 0; i < BYTES_AT_START; i++) {
		const int byte = serial_read();

		if (byte < 0)
			break;
		esc = esc || byte == KEY_ESC;
	}
	return esc || (bios_data[BDA_SHIFT] & 3) != 0 ||
	       bda16(BDA_KEYS_HEAD) != bda16(BDA_KEYS_TAIL);
}

void
input_drop(void)
{
	for (uint32_t i = 0; i < KEYS_AT_START; i++)
		if (keyboard_key() == KEY_NONE)
			break;
	for (uint32_t i = 0; i < BYTES_AT_START; i++)
		if (serial_read() < 0)
			break;
	terminal = (struct key_serial){0};
}

int
input_key(uint32_t wait)
{
	const uint32_t start = ticks.passed;

	for (;;) {
		int key = serial_key();

		if (key == KEY_NONE)
			key = keyboard_key();
		if (key != KEY_NONE)
			return key;
		for (uint32_t i = 0; i < POLL_US; i++)
			io_wait();
		tick_poll(&ticks, bda16(BDA_TICKS) | (uint32_t)bda16(BDA_TICKS + 2) << 16);
		if (wait != INPUT_FOREVER && ticks.passed - start >= wait)
			return KEY_NONE;
	}
}
