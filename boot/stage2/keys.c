/*
 * keys.c - scan codes and escape sequences to keys; ticks that pass even if the BIOS's stand still.
 *
 * Spec: IBM PS/2 Hardware Interface Technical Reference, "Keyboards"; IBM PC/AT Technical
 * Reference, "INT 16", "INT 1A"; ECMA-48, "Control sequences".
 */
#include "keys.h"

/* A BIOS that was busy for longer than this many ticks counts them as one. */
#define TICK_JUMP 18

/* Keys without a character, by scan code. */
static const struct {
	uint8_t scan;
	uint16_t key;
} bios_keys[] = {
	{0x48, KEY_UP},	  {0x50, KEY_DOWN}, {0x4b, KEY_LEFT},	{0x4d, KEY_RIGHT},
	{0x47, KEY_HOME}, {0x4f, KEY_END},  {0x53, KEY_DELETE},
};

/* By the last byte of ESC [ x and ESC O x. */
static const struct {
	char final;
	uint16_t key;
} final_keys[] = {
	{'A', KEY_UP},	 {'B', KEY_DOWN}, {'C', KEY_RIGHT},
	{'D', KEY_LEFT}, {'H', KEY_HOME}, {'F', KEY_END},
};

/* By the number in ESC [ n ~: two terminals' habits for Home and End. */
static const uint16_t number_keys[] = {
	[1] = KEY_HOME, [3] = KEY_DELETE, [4] = KEY_END, [7] = KEY_HOME, [8] = KEY_END,
};

/* Printable ASCII is itself; some control characters are keys; all else is none. */
static int
key_from_char(uint8_t c)
{
	if (c >= ' ' && c < 0x7f)
		return c;
	switch (c) {
	case '\r':
	case '\n': return KEY_ENTER;
	case 0x08:
	case 0x7f: return KEY_BACKSPACE;
	case 0x01: /* Ctrl-A and Ctrl-E, as shells have it */ return KEY_HOME;
	case 0x05: return KEY_END;
	case KEY_CTRL_U:
	case KEY_ESC: return c;
	default: return KEY_NONE;
	}
}

int
key_from_bios(uint16_t ax)
{
	const uint8_t c = (uint8_t)ax, scan = (uint8_t)(ax >> 8);

	if (c != 0 && c != 0xe0) /* E0h: a grey key, as some BIOSes have it */
		return key_from_char(c);
	for (size_t i = 0; i < ARRAY_SIZE(bios_keys); i++)
		if (bios_keys[i].scan == scan)
			return bios_keys[i].key;
	return KEY_NONE;
}

static int
sequence_end(const struct key_serial *s, uint8_t byte)
{
	if (byte == '~')
		return s->number < ARRAY_SIZE(number_keys) ? number_keys[s->number] : KEY_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(final_keys); i++)
		if (final_keys[i].final == (char)byte)
			return final_keys[i].key;
	return KEY_NONE;
}

static int
sequence(struct key_serial *s, uint8_t byte)
{
	if (byte >= '0' && byte <= '9') {
		if (!s->more && s->number < 100)
			s->number = s->number * 10 + byte - '0';
		return KEY_NONE;
	}
	if (byte == ';') {
		s->more = true;
		return KEY_NONE;
	}
	s->state = SERIAL_PLAIN;
	return sequence_end(s, byte);
}

int
key_from_serial(struct key_serial *s, uint8_t byte)
{
	const bool crlf = s->cr && byte == '\n';

	s->cr = byte == '\r';
	if (s->state == SERIAL_SEQUENCE)
		return sequence(s, byte);
	if (byte == KEY_ESC) {
		const bool alone = s->state == SERIAL_ESC;

		s->state = SERIAL_ESC;
		return alone ? KEY_ESC : KEY_NONE;
	}
	/* A control character ends what ESC began: Esc and at once Enter are two keys. */
	if (s->state == SERIAL_PLAIN || byte < ' ') {
		s->state = SERIAL_PLAIN;
		return crlf ? KEY_NONE : key_from_char(byte);
	}
	s->state = byte == '[' || byte == 'O' ? SERIAL_SEQUENCE : SERIAL_PLAIN;
	s->number = 0;
	s->more = false;
	return KEY_NONE; /* ESC and a character is Alt with a key: nothing here */
}

int
key_serial_idle(struct key_serial *s)
{
	const bool alone = s->state == SERIAL_ESC;

	s->state = SERIAL_PLAIN;
	return alone ? KEY_ESC : KEY_NONE;
}

void
tick_poll(struct tick_clock *c, uint32_t now)
{
	if (now != c->last) {
		const uint32_t step = now - c->last;

		c->passed += step <= TICK_JUMP ? step : 1; /* the first poll, or midnight */
		c->last = now;
		c->still = 0;
		c->dead = false;
	} else if (++c->still >= (c->dead ? TICK_POLLS : TICK_STILL)) {
		c->passed++;
		c->still = 0;
		c->dead = true;
	}
}
