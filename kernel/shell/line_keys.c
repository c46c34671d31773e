/*
 * line_keys.c - the line editor's input side: bytes to keys.
 *
 * A terminal sends text as UTF-8 and its other keys as escape sequences, of which there are several
 * dialects for the same key (xterm, VT220, Linux console, rxvt).  What is not known is swallowed
 * whole, so that no half sequence ends up as text in the line.
 * Spec: ECMA-48, "Control sequences"; the Unicode Standard, "Well-Formed UTF-8 Byte Sequences".
 */
#include <kern/line_edit.h>

#define ESC 0x1b
#define DEL 0x7f

enum { STATE_TEXT, STATE_ESC, STATE_CSI, STATE_SS3, STATE_LINUX_FN };

/* Alt and a key come as ESC and that key. */
static unsigned
after_escape(struct line_edit *le, unsigned char c)
{
	le->state = STATE_TEXT;
	switch (c) {
	case '[':
		le->state = STATE_CSI;
		le->param[0] = le->param[1] = le->nr_params = 0;
		return LE_KEY_NONE;
	case 'O': le->state = STATE_SS3; return LE_KEY_NONE;
	case ESC: le->state = STATE_ESC; return LE_KEY_NONE;
	case 'b': return LE_KEY_WORD_LEFT;
	case 'f': return LE_KEY_WORD_RIGHT;
	case 'd': return LE_KEY_KILL_WORD_RIGHT;
	case DEL:
	case '\b': return LE_KEY_KILL_WORD_LEFT;
	default: return le_decode(le, c); /* Escape alone, then an ordinary key */
	}
}

static unsigned
letter_key(unsigned char final, bool with_modifier)
{
	switch (final) {
	case 'A': return LE_KEY_UP;
	case 'B': return LE_KEY_DOWN;
	case 'C': return with_modifier ? LE_KEY_WORD_RIGHT : LE_KEY_RIGHT;
	case 'D': return with_modifier ? LE_KEY_WORD_LEFT : LE_KEY_LEFT;
	case 'c': return LE_KEY_WORD_RIGHT; /* rxvt: ESC O c is Ctrl-Right */
	case 'd': return LE_KEY_WORD_LEFT;
	case 'H': return LE_KEY_HOME;
	case 'F': return LE_KEY_END;
	default: return LE_KEY_NONE;
	}
}

static unsigned
tilde_key(unsigned number, unsigned modifier)
{
	switch (number) {
	case 1:
	case 7: return LE_KEY_HOME;
	case 4:
	case 8: return LE_KEY_END;
	case 3: return modifier > 1 ? LE_KEY_KILL_WORD_RIGHT : LE_KEY_DELETE;
	default: return LE_KEY_NONE;
	}
}

static unsigned
in_csi(struct line_edit *le, unsigned char c)
{
	if (c >= '0' && c <= '9') {
		unsigned *p = &le->param[MIN(le->nr_params, 1u)];

		*p = MIN(*p * 10 + (c - '0'), 9999u);
		return LE_KEY_NONE;
	}
	if (c == ';') {
		le->nr_params++;
		return LE_KEY_NONE;
	}
	if (c == '[' && le->nr_params == 0 && le->param[0] == 0) {
		le->state = STATE_LINUX_FN; /* Linux console: ESC [ [ A is F1 */
		return LE_KEY_NONE;
	}
	if (c == ESC || (c < 0x20 && c != ESC)) { /* broken off */
		le->state = c == ESC ? STATE_ESC : STATE_TEXT;
		return c == ESC ? LE_KEY_NONE : c;
	}
	if (c < 0x40 || c > 0x7e)
		return LE_KEY_NONE; /* intermediate bytes */
	le->state = STATE_TEXT;
	if (c == '~')
		return tilde_key(le->param[0], le->param[1]);
	return letter_key(c, le->param[1] > 1 || le->param[0] > 1);
}

/* How many bytes a character that begins with @c has; 0 when none may begin so. */
static unsigned
utf8_length(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if (c >= 0xe0 && c <= 0xef)
		return 3;
	return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

/* May @c be the second byte behind @first?  Keeps out overlong forms, surrogates and what is past 10FFFFh. */
static bool
utf8_second_ok(unsigned char first, unsigned char c)
{
	switch (first) {
	case 0xe0: return c >= 0xa0;
	case 0xed: return c <= 0x9f;
	case 0xf0: return c >= 0x90;
	case 0xf4: return c <= 0x8f;
	default: return true;
	}
}

static unsigned
in_text(struct line_edit *le, unsigned char c)
{
	if (le->utf8_need > 0 && (c & 0xc0) == 0x80) {
		if (le->utf8_len == 1 && !utf8_second_ok((unsigned char)le->utf8[0], c)) {
			le->utf8_need = 0;
			return LE_KEY_NONE;
		}
		le->utf8[le->utf8_len++] = (char)c;
		return --le->utf8_need == 0 ? LE_KEY_TEXT : LE_KEY_NONE;
	}
	le->utf8_need = 0; /* an unfinished character is dropped */
	if (c == ESC) {
		le->state = STATE_ESC;
		return LE_KEY_NONE;
	}
	if (c < 0x20 || c == DEL)
		return c;
	le->utf8[0] = (char)c;
	le->utf8_len = 1;
	switch (utf8_length(c)) {
	case 0: return LE_KEY_NONE;
	case 1: return LE_KEY_TEXT;
	default: le->utf8_need = utf8_length(c) - 1; return LE_KEY_NONE;
	}
}

unsigned
le_decode(struct line_edit *le, unsigned char c)
{
	switch (le->state) {
	case STATE_ESC: return after_escape(le, c);
	case STATE_CSI: return in_csi(le, c);
	case STATE_SS3: le->state = STATE_TEXT; return letter_key(c, false);
	case STATE_LINUX_FN: le->state = STATE_TEXT; return LE_KEY_NONE;
	default: return in_text(le, c);
	}
}
