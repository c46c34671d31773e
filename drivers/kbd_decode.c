/*
 * kbd_decode.c - scancodes to text.
 *
 * Bytes are those of scancode set 1: make code, or break code with bit 7 set; E0 before the keys
 * that the AT keyboard added, E1 before Pause.  The keyboard fakes Shift around some E0 keys, for
 * programs of 1984: those are skipped.  Special keys become the sequences of an xterm, so that
 * this keyboard and a serial terminal look alike to programs.
 * Spec: IBM PS/2 technical reference, "Keyboards", scan code set 1; xterm, "Xterm Control
 * Sequences", "PC-Style Function Keys".
 */
#include <dev/kbd.h>
#include <dev/utf8.h>
#include <lib/printf.h>
#include <lib/string.h>

#define ESC 0x1b
#define DEL 0x7f

#define RELEASED 0x80

enum {
	KEY_ESC = 0x01,
	KEY_BACKSPACE = 0x0e,
	KEY_TAB = 0x0f,
	KEY_ENTER = 0x1c,
	KEY_CTRL = 0x1d,
	KEY_LSHIFT = 0x2a,
	KEY_SLASH = 0x35,
	KEY_RSHIFT = 0x36,
	KEY_KP_STAR = 0x37,
	KEY_ALT = 0x38,
	KEY_CAPS = 0x3a,
	KEY_F1 = 0x3b,
	KEY_F10 = 0x44,
	KEY_NUM = 0x45,
	KEY_SCROLL = 0x46,
	KEY_KP_FIRST = 0x47,
	KEY_KP_MINUS = 0x4a,
	KEY_KP_PLUS = 0x4e,
	KEY_KP_DEL = 0x53,
	KEY_SYSRQ = 0x54,
	KEY_F11 = 0x57,
	KEY_F12 = 0x58,
	KEY_LGUI = 0x5b, /* with E0, as the next */
	KEY_RGUI = 0x5c,
};

/* --- what the locks and modifiers say --------------------------------------------------------- */

static bool
shift(const struct kbd_decoder *d)
{
	return d->held & (KBD_LSHIFT | KBD_RSHIFT);
}

static bool
ctrl(const struct kbd_decoder *d)
{
	return d->held & (KBD_LCTRL | KBD_RCTRL);
}

static bool
altgr(const struct kbd_decoder *d)
{
	return d->layout->altgr && (d->held & KBD_RALT);
}

static bool
alt(const struct kbd_decoder *d)
{
	return d->held & (d->layout->altgr ? KBD_LALT : KBD_LALT | KBD_RALT);
}

/* --- output ----------------------------------------------------------------------------------- */

static void
emit(struct kbd_event *out, const char *s, size_t n)
{
	if (out->len + n > sizeof(out->text))
		return;
	memcpy(out->text + out->len, s, n);
	out->len += n;
}

static void
emit_byte(struct kbd_event *out, char c)
{
	emit(out, &c, 1);
}

static void
emit_char(struct kbd_event *out, uint32_t cp)
{
	char bytes[UTF8_MAX];

	emit(out, bytes, utf8_encode(cp, bytes));
}

/* xterm's modifier parameter: 1 + Shift 1 + Alt 2 + Ctrl 4. */
static unsigned
modifier(const struct kbd_decoder *d)
{
	return 1 + (shift(d) ? 1 : 0) + (alt(d) ? 2 : 0) + (ctrl(d) ? 4 : 0);
}

/* ESC [ A, or ESC [ 1 ; m A; F1-F4 are ESC O P without modifiers. */
static void
emit_letter_key(const struct kbd_decoder *d, struct kbd_event *out, char letter)
{
	char s[16];
	const unsigned m = modifier(d);
	int n;

	if (m > 1)
		n = snprintf(s, sizeof(s), "\033[1;%u%c", m, letter);
	else
		n = snprintf(s, sizeof(s), "\033%c%c", letter >= 'P' && letter <= 'S' ? 'O' : '[',
			     letter);
	emit(out, s, (size_t)n);
}

/* ESC [ 5 ~, or ESC [ 5 ; m ~. */
static void
emit_number_key(const struct kbd_decoder *d, struct kbd_event *out, unsigned number)
{
	char s[16];
	const unsigned m = modifier(d);
	const int n = m > 1 ? snprintf(s, sizeof(s), "\033[%u;%u~", number, m)
			    : snprintf(s, sizeof(s), "\033[%u~", number);

	emit(out, s, (size_t)n);
}

/* --- characters ------------------------------------------------------------------------------- */

static uint16_t
uppercase(uint16_t cp)
{
	if ((cp >= 'a' && cp <= 'z') || (cp >= 0xe0 && cp <= 0xfe && cp != 0xf7))
		return cp - 0x20;
	return cp == 0x153 || cp == 0xff ? (cp == 0xff ? 0x178 : 0x152) : cp;
}

static uint16_t
lowercase(uint16_t cp)
{
	if ((cp >= 'A' && cp <= 'Z') || (cp >= 0xc0 && cp <= 0xde && cp != 0xd7))
		return cp + 0x20;
	return cp == 0x152 ? 0x153 : cp;
}

/*
 * Caps Lock swaps the cases of letters, and of no other key.  Where Shift gives no capital (the
 * French digit row), it is the only way to one.
 */
static uint16_t
character(const struct kbd_decoder *d, uint8_t key)
{
	const unsigned level = (shift(d) ? KBD_SHIFTED : KBD_PLAIN) + (altgr(d) ? KBD_ALTGR : 0);
	const uint16_t cp = d->layout->map[key][level];

	if ((d->locks & KBD_CAPS_LOCK) == 0)
		return cp;
	return uppercase(cp) != cp ? uppercase(cp) : lowercase(cp);
}

static bool
is_dead(uint16_t cp)
{
	return cp >= KBD_DEAD_FIRST && cp <= KBD_DEAD_LAST;
}

/* The accent by itself: dead key and space, or typed twice. */
static uint16_t
spacing(uint16_t dead)
{
	static const uint16_t alone[] = {'`', 0xb4, '^', 0xa8, '~', 0xb8};

	return alone[dead - KBD_DEAD_FIRST];
}

static const struct {
	char base[11];
	uint16_t with[11];
} compositions[] = {
	[KBD_DEAD_GRAVE -
	 KBD_DEAD_FIRST] = {"aeiouAEIOU",
			    {0xe0, 0xe8, 0xec, 0xf2, 0xf9, 0xc0, 0xc8, 0xcc, 0xd2, 0xd9}},
	[KBD_DEAD_ACUTE - KBD_DEAD_FIRST] = {"aeiouyAEIOU",
					     {0xe1, 0xe9, 0xed, 0xf3, 0xfa, 0xfd, 0xc1, 0xc9, 0xcd,
					      0xd3, 0xda}},
	[KBD_DEAD_CIRCUMFLEX -
		KBD_DEAD_FIRST] = {"aeiouAEIOU",
				   {0xe2, 0xea, 0xee, 0xf4, 0xfb, 0xc2, 0xca, 0xce, 0xd4, 0xdb}},
	[KBD_DEAD_DIAERESIS - KBD_DEAD_FIRST] = {"aeiouyAEIOU",
						 {0xe4, 0xeb, 0xef, 0xf6, 0xfc, 0xff, 0xc4, 0xcb,
						  0xcf, 0xd6, 0xdc}},
	[KBD_DEAD_TILDE - KBD_DEAD_FIRST] = {"anoANO", {0xe3, 0xf1, 0xf5, 0xc3, 0xd1, 0xd5}},
	[KBD_DEAD_CEDILLA - KBD_DEAD_FIRST] = {"cC", {0xe7, 0xc7}},
};

/* The letter @cp under @dead, or 0. */
static uint16_t
compose(uint16_t dead, uint16_t cp)
{
	const unsigned row = dead - KBD_DEAD_FIRST;

	for (size_t i = 0; i < sizeof(compositions[row].base); i++)
		if (compositions[row].base[i] == (char)cp && cp < 0x80 && cp != 0)
			return compositions[row].with[i];
	return 0;
}

/*
 * Spec: xterm, "Ctrl"; ECMA-48 control characters: the columns @A-Z[\]^_ less 40h, ? for DEL, and
 * on the digits what stands above them on a VT220.
 */
static uint16_t
control_char(uint16_t cp)
{
	static const char digits[] = {0, ESC, 0x1c, 0x1d, 0x1e, 0x1f, DEL}; /* 2-8 */

	if ((cp >= '@' && cp <= '_') || (cp >= 'a' && cp <= 'z'))
		return cp & 0x1f;
	if (cp >= '2' && cp <= '8')
		return (uint16_t)digits[cp - '2'];
	switch (cp) {
	case ' ':
	case '`': return 0;
	case '/': return 0x1f;
	case '?': return DEL;
	default: return cp;
	}
}

/* A character was typed: combine it with the dead key before it. */
static void
type_char(struct kbd_decoder *d, uint16_t cp, struct kbd_event *out)
{
	const uint16_t dead = d->dead;
	uint16_t composed;

	d->dead = 0;
	if (alt(d))
		emit_byte(out, ESC);
	if (ctrl(d)) {
		emit_char(out, control_char(is_dead(cp) ? spacing(cp) : cp));
		return;
	}
	if (dead == 0) {
		if (is_dead(cp))
			d->dead = cp;
		else
			emit_char(out, cp);
		return;
	}
	if (cp == ' ' || cp == dead) {
		emit_char(out, spacing(dead));
		return;
	}
	composed = is_dead(cp) ? 0 : compose(dead, cp);
	if (composed != 0) {
		emit_char(out, composed);
		return;
	}
	/* They do not go together: both as they are. */
	emit_char(out, spacing(dead));
	if (is_dead(cp))
		d->dead = cp;
	else
		emit_char(out, cp);
}

/* --- keys ------------------------------------------------------------------------------------- */

static void
function_key(const struct kbd_decoder *d, unsigned n, struct kbd_event *out)
{
	static const uint8_t number[] = {15, 17, 18, 19, 20, 21, 23, 24}; /* F5-F12 */

	if (n <= 4)
		emit_letter_key(d, out, (char)('P' + n - 1));
	else
		emit_number_key(d, out, number[n - 5]);
}

/* Arrows and the block above them; also the keypad without Num Lock.  @key: 47h-53h. */
static void
navigation_key(const struct kbd_decoder *d, uint8_t key, struct kbd_event *out)
{
	/* Letter or number of the sequence; 0 = none. */
	static const uint8_t code[] = {'H', 'A', 5, 0, 'D', 'E', 'C', 0, 'F', 'B', 6, 2, 3};
	const uint8_t c = code[key - KEY_KP_FIRST];

	if (shift(d) && (c == 5 || c == 6))
		out->action = c == 5 ? KBD_ACTION_SCROLL_UP : KBD_ACTION_SCROLL_DOWN;
	else if (c == 3 && ctrl(d) && alt(d))
		out->action = KBD_ACTION_REBOOT;
	else if (c >= 'A')
		emit_letter_key(d, out, (char)c);
	else if (c != 0)
		emit_number_key(d, out, c);
}

static void
keypad_key(const struct kbd_decoder *d, uint8_t key, struct kbd_event *out)
{
	static const char digits[] = "789-456+1230";
	const bool digit = (d->locks & KBD_NUM_LOCK) != 0 && !shift(d) && !ctrl(d) && !alt(d);

	if (key == KEY_KP_MINUS || key == KEY_KP_PLUS || (digit && key != KEY_KP_DEL)) {
		if (alt(d))
			emit_byte(out, ESC);
		emit_byte(out, digits[key - KEY_KP_FIRST]);
	} else if (digit) {
		emit_byte(out, d->layout->decimal);
	} else {
		struct kbd_decoder plain = *d;

		/* Shift on a keypad under Num Lock only undoes it. */
		if (d->locks & KBD_NUM_LOCK)
			plain.held &= (uint8_t) ~(KBD_LSHIFT | KBD_RSHIFT);
		navigation_key(&plain, key, out);
	}
}

/* Keys of the main block that no layout changes.  Returns false if @key is none of them. */
static bool
editing_key(const struct kbd_decoder *d, uint8_t key, struct kbd_event *out)
{
	const bool with_esc = alt(d) && key != KEY_TAB;

	switch (key) {
	case KEY_ESC:
	case KEY_BACKSPACE:
	case KEY_ENTER:
	case KEY_TAB:
	case KEY_KP_STAR: break;
	default: return false;
	}
	if (with_esc)
		emit_byte(out, ESC);
	if (key == KEY_ESC)
		emit_byte(out, ESC);
	else if (key == KEY_BACKSPACE)
		emit_byte(out, ctrl(d) ? '\b' : DEL);
	else if (key == KEY_ENTER)
		emit_byte(out, '\r');
	else if (key == KEY_KP_STAR)
		emit_byte(out, '*');
	else if (shift(d))
		emit(out, "\033[Z", 3);
	else
		emit_byte(out, '\t');
	return true;
}

/* A key without E0 went down, or repeats. */
static void
press(struct kbd_decoder *d, uint8_t key, struct kbd_event *out)
{
	if (key < KBD_KEYS && d->layout->map[key][KBD_PLAIN] != 0) {
		const uint16_t cp = character(d, key);

		if (cp != 0)
			type_char(d, cp, out);
		return;
	}
	d->dead = 0;
	if (editing_key(d, key, out))
		return;
	if (key >= KEY_F1 && key <= KEY_F10)
		function_key(d, key - KEY_F1 + 1U, out);
	else if (key == KEY_F11 || key == KEY_F12)
		function_key(d, key - KEY_F11 + 11U, out);
	else if (key >= KEY_KP_FIRST && key <= KEY_KP_DEL)
		keypad_key(d, key, out);
}

static void
press_extended(struct kbd_decoder *d, uint8_t key, struct kbd_event *out)
{
	if (key == KEY_SLASH) { /* the keypad's */
		type_char(d, '/', out);
		return;
	}
	d->dead = 0;
	if (key == KEY_ENTER)
		(void)editing_key(d, key, out);
	else if (key >= KEY_KP_FIRST && key <= KEY_KP_DEL)
		navigation_key(d, key, out);
}

static uint8_t
modifier_of(uint8_t key, bool e0)
{
	switch (key) {
	case KEY_LSHIFT: return KBD_LSHIFT;
	case KEY_RSHIFT: return KBD_RSHIFT;
	case KEY_CTRL: return e0 ? KBD_RCTRL : KBD_LCTRL;
	case KEY_ALT: return e0 ? KBD_RALT : KBD_LALT;
	case KEY_LGUI: return e0 ? KBD_LGUI : 0;
	case KEY_RGUI: return e0 ? KBD_RGUI : 0;
	default: return 0;
	}
}

static uint8_t
lock_of(uint8_t key)
{
	switch (key) {
	case KEY_CAPS: return KBD_CAPS_LOCK;
	case KEY_NUM: return KBD_NUM_LOCK;
	case KEY_SCROLL: return KBD_SCROLL_LOCK;
	default: return 0;
	}
}

/* Lock keys toggle when they go down, not when they repeat. */
static void
lock_key(struct kbd_decoder *d, uint8_t lock, bool down, struct kbd_event *out)
{
	if (down && (d->locks_held & lock) == 0) {
		d->locks ^= lock;
		out->action = KBD_ACTION_LOCKS;
	}
	if (down)
		d->locks_held |= lock;
	else
		d->locks_held &= (uint8_t)~lock;
}

/* Prefixes and error codes.  Returns true if @byte was one. */
static bool
prefix(struct kbd_decoder *d, uint8_t byte)
{
	if (d->skip > 0) {
		d->skip--;
		return true;
	}
	switch (byte) {
	case 0xe0: d->e0 = true; return true;
	case 0xe1: /* Pause sends E1 1D 45 E1 9D C5, and nothing on release */
		d->skip = 2;
		d->e0 = false;
		return true;
	case 0x00: /* the keyboard's buffer ran over: releases may be lost */
	case 0xff: kbd_decoder_release(d); return true;
	default: return false;
	}
}

void
kbd_decode(struct kbd_decoder *d, uint8_t byte, struct kbd_event *out)
{
	const uint8_t key = byte & (uint8_t)~RELEASED;
	const bool down = (byte & RELEASED) == 0;
	const bool e0 = d->e0;
	uint8_t bit;

	*out = (struct kbd_event){.len = 0};
	if (prefix(d, byte))
		return;
	d->e0 = false;
	if (e0 && (key == KEY_LSHIFT || key == KEY_RSHIFT))
		return; /* the faked Shift */
	bit = modifier_of(key, e0);
	if (bit != 0) {
		d->held = down ? d->held | bit : d->held & (uint8_t)~bit;
		return;
	}
	bit = e0 ? 0 : lock_of(key);
	if (bit != 0)
		lock_key(d, bit, down, out);
	else if (down && e0)
		press_extended(d, key, out);
	else if (down)
		press(d, key, out);
}

void
kbd_decoder_init(struct kbd_decoder *d, const struct kbd_layout *layout)
{
	*d = (struct kbd_decoder){.layout = layout};
}

void
kbd_decoder_release(struct kbd_decoder *d)
{
	d->held = d->locks_held = d->skip = 0;
	d->dead = 0;
	d->e0 = false;
}

const struct kbd_layout *
kbd_layout_at(size_t i)
{
	static const struct kbd_layout *const layouts[] = {
		&kbd_layout_us,
		&kbd_layout_de,
		&kbd_layout_fr,
	};

	return i < ARRAY_SIZE(layouts) ? layouts[i] : NULL;
}
