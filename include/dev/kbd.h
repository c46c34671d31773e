/*
 * kbd.h - the PS/2 keyboard: controller, decoder, layouts.
 *
 * drivers/kbd.c drives the 8042 and feeds bytes to drivers/kbd_decode.c, which is pure: scancode
 * set 1 in (the controller translates), UTF-8 and xterm's key sequences out, by a layout's table
 * (drivers/kbd_layout_*.c).
 */
#pragma once
#include <lib/base.h>

/* --- layouts ---------------------------------------------------------------------------------- */

#define KBD_KEYS 0x59 /* scancodes 00h-58h: the main block, function keys and keypad */

/* Columns of a layout. */
enum { KBD_PLAIN, KBD_SHIFTED, KBD_ALTGR, KBD_SHIFT_ALTGR, KBD_LEVELS };

/* Dead keys stand in a layout as these, from Unicode's private area. */
enum {
	KBD_DEAD_GRAVE = 0xf800,
	KBD_DEAD_ACUTE,
	KBD_DEAD_CIRCUMFLEX,
	KBD_DEAD_DIAERESIS,
	KBD_DEAD_TILDE,
	KBD_DEAD_CEDILLA,
};
#define KBD_DEAD_FIRST KBD_DEAD_GRAVE
#define KBD_DEAD_LAST  KBD_DEAD_CEDILLA

struct kbd_layout {
	const char *name;		    /* "de" */
	const char *what;		    /* "German" */
	bool altgr;			    /* the right Alt key selects the last two columns */
	char decimal;			    /* what the keypad's Del key types under Num Lock */
	uint16_t map[KBD_KEYS][KBD_LEVELS]; /* characters; 0 = none */
};

extern const struct kbd_layout kbd_layout_us, kbd_layout_de, kbd_layout_fr;
/* Layout number @i, NULL past the end. */
const struct kbd_layout *kbd_layout_at(size_t i);

/* --- decoder ---------------------------------------------------------------------------------- */

/* Modifier keys that are down. */
enum {
	KBD_LSHIFT = 1 << 0,
	KBD_RSHIFT = 1 << 1,
	KBD_LCTRL = 1 << 2,
	KBD_RCTRL = 1 << 3,
	KBD_LALT = 1 << 4,
	KBD_RALT = 1 << 5,
	KBD_LGUI = 1 << 6,
	KBD_RGUI = 1 << 7,
};

/*
 * Locks, in the order of the LED command's bits.
 * Spec: IBM PS/2 technical reference, "Set/Reset Status Indicators".
 */
enum { KBD_SCROLL_LOCK = 1 << 0, KBD_NUM_LOCK = 1 << 1, KBD_CAPS_LOCK = 1 << 2 };

struct kbd_decoder {
	const struct kbd_layout *layout;
	uint8_t held;	    /* KBD_LSHIFT ... */
	uint8_t locks;	    /* KBD_CAPS_LOCK ... that are on */
	uint8_t locks_held; /* lock keys that are down: their repeats are not presses */
	uint16_t dead;	    /* dead key waiting for its letter, or 0 */
	uint8_t skip;	    /* bytes left of an E1 sequence */
	bool e0;	    /* E0 came */
};

enum kbd_action {
	KBD_ACTION_NONE,
	KBD_ACTION_LOCKS,	/* d->locks changed: show it */
	KBD_ACTION_SCROLL_UP,	/* Shift-PgUp */
	KBD_ACTION_SCROLL_DOWN, /* Shift-PgDn */
	KBD_ACTION_REBOOT,	/* Ctrl-Alt-Del */
};

/* What one byte led to: text to be typed, an action, both or neither. */
struct kbd_event {
	char text[16];
	size_t len;
	enum kbd_action action;
};

void kbd_decoder_init(struct kbd_decoder *d, const struct kbd_layout *layout);
void kbd_decode(struct kbd_decoder *d, uint8_t byte, struct kbd_event *out);
/* Take all keys for released: bytes were lost, or the layout changed. */
void kbd_decoder_release(struct kbd_decoder *d);

/* --- keyboard (drivers/kbd.c) ----------------------------------------------------------------- */

/* Driver table: find the controller, set up the keyboard.  0, -ENODEV, or -EIO. */
int kbd_init(void);

/*
 * Look whether a key was pressed, and decode it; false if not.  For a panic: takes no lock, shows no
 * LED, works before kbd_init() where the firmware left the controller on.  Context: interrupts off.
 */
bool kbd_poll(struct kbd_event *out);

/* 0, or -ENOENT when no layout has this name.  Works without a keyboard too. */
int kbd_set_layout(const char *name);
const char *kbd_layout(void);

struct kbd_info {
	bool controller; /* an 8042 answers */
	bool keyboard;	 /* a keyboard acknowledged its set-up */
	const char *layout;
	uint8_t held;	       /* KBD_LSHIFT ... */
	uint8_t locks;	       /* KBD_CAPS_LOCK ... */
	uint64_t bytes;	       /* scancode bytes received */
	uint64_t errors;       /* overflows (00h or FFh), bytes with parity or timeout errors */
	uint64_t led_failures; /* LED commands the keyboard did not take */
};
void kbd_info(struct kbd_info *out);
