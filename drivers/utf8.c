/*
 * utf8.c - UTF-8 decoding, encoding, and the width of characters on a terminal.
 *
 * Malformed input gives one replacement character for each maximal part that could have begun a
 * character, as the standard recommends, so that all terminals agree on the columns.
 */
#include <dev/utf8.h>

/* Begin a character.  Spec: The Unicode Standard, table "Well-Formed UTF-8 Byte Sequences". */
static enum utf8_result
start(struct utf8 *u, uint8_t byte, uint32_t *cp)
{
	u->lo = 0x80;
	u->hi = 0xbf;
	if (byte < 0x80) {
		*cp = byte;
		return UTF8_DONE;
	}
	if (byte >= 0xc2 && byte <= 0xdf) {
		u->need = 1;
		u->cp = byte & 0x1f;
	} else if (byte >= 0xe0 && byte <= 0xef) {
		u->need = 2;
		u->cp = byte & 0x0f;
		if (byte == 0xe0)
			u->lo = 0xa0;
		if (byte == 0xed)
			u->hi = 0x9f;
	} else if (byte >= 0xf0 && byte <= 0xf4) {
		u->need = 3;
		u->cp = byte & 0x07;
		if (byte == 0xf0)
			u->lo = 0x90;
		if (byte == 0xf4)
			u->hi = 0x8f;
	} else {
		*cp = UTF8_REPLACEMENT;
		return UTF8_DONE;
	}
	return UTF8_MORE;
}

enum utf8_result
utf8_feed(struct utf8 *u, uint8_t byte, uint32_t *cp)
{
	if (u->need == 0)
		return start(u, byte, cp);
	if (byte < u->lo || byte > u->hi) {
		u->need = 0;
		*cp = UTF8_REPLACEMENT;
		return UTF8_AGAIN;
	}
	u->cp = u->cp << 6 | (byte & 0x3f);
	u->lo = 0x80;
	u->hi = 0xbf;
	if (--u->need > 0)
		return UTF8_MORE;
	*cp = u->cp;
	return UTF8_DONE;
}

size_t
utf8_encode(uint32_t cp, char *out)
{
	if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		cp = UTF8_REPLACEMENT;
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

/*
 * The blocks that matter in practice, not every character of the Unicode database: combining marks,
 * joiners and direction marks take no cell; East Asian scripts, their full-width forms and the
 * pictographs take two.  Spec: Unicode Standard Annex #11, "East Asian Width".
 */
static const struct {
	uint32_t first, last;
	uint8_t width;
} widths[] = {
	{0x0300, 0x036f, 0},   {0x1100, 0x115f, 2},   {0x200b, 0x200f, 0},   {0x202a, 0x202e, 0},
	{0x2060, 0x2064, 0},   {0x20d0, 0x20ff, 0},   {0x2e80, 0x303e, 2},   {0x3041, 0xa4cf, 2},
	{0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},   {0xfe20, 0xfe2f, 0},
	{0xfe30, 0xfe6f, 2},   {0xfeff, 0xfeff, 0},   {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},
	{0x1f300, 0x1f64f, 2}, {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2},
};

unsigned
unicode_width(uint32_t cp)
{
	if (cp < 0x300)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(widths) && cp >= widths[i].first; i++)
		if (cp <= widths[i].last)
			return widths[i].width;
	return 1;
}
