/*
 * keys.h - keys from two sources in one form, and time in ticks that always passes.  Pure; tested
 * on the host.  A key is a character, or one of those below.
 */
#pragma once
#include <lib/base.h>

enum {
	KEY_NONE = 0,
	KEY_BACKSPACE = 0x08,
	KEY_ENTER = 0x0d,
	KEY_CTRL_U = 0x15,
	KEY_ESC = 0x1b,
	KEY_UP = 0x100,
	KEY_DOWN,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_HOME,
	KEY_END,
	KEY_DELETE,
};

/* A key from int 16h: AL is the character, AH the scan code. */
int key_from_bios(uint16_t ax);

/* A terminal's escape sequence on its way; starts as 0. */
struct key_serial {
	enum { SERIAL_PLAIN, SERIAL_ESC, SERIAL_SEQUENCE } state;
	uint32_t number; /* of ESC [ number ~ */
	bool more;	 /* behind the first ; */
	bool cr;	 /* the last byte was CR: a LF is part of it */
};

/* Take a byte; returns the key that it completes, or KEY_NONE. */
int key_from_serial(struct key_serial *s, uint8_t byte);
/* Nothing came for a while: an ESC that stood alone is the key. */
int key_serial_idle(struct key_serial *s);

/*
 * Ticks of the BIOS (18.2 a second), which it counts by interrupts.  Where it does not, polls take
 * their place: after TICK_STILL of them without a tick, TICK_POLLS count as one.
 */
#define TICK_STILL 20000
#define TICK_POLLS 550 /* with 100 us between polls: a twentieth of a second */

struct tick_clock {
	uint32_t last;	 /* what the BIOS counted */
	uint32_t passed; /* since the start */
	uint32_t still;	 /* polls since the last tick */
	bool dead;
};

/* Once each poll, with the BIOS's count, which goes back to 0 at midnight.  @c starts as 0. */
void tick_poll(struct tick_clock *c, uint32_t now);
