/*
 * ansi_sgr.c - Select Graphic Rendition: from ANSI's colours to the 16 of the text screen.
 */
#include <dev/ansi_screen.h>

#define DEFAULT_FG 7
#define DEFAULT_BG 0

/* ANSI counts red, green, blue from bit 0; VGA blue, green, red. */
static const uint8_t vga_color[16] = {0, 4, 2, 6, 1, 5, 3, 7, 8, 12, 10, 14, 9, 13, 11, 15};

/* Spec: IBM VGA technical reference, "Default palette": brown stands where dark yellow would. */
static const uint8_t palette[16][3] = {
	{0x00, 0x00, 0x00}, {0x00, 0x00, 0xaa}, {0x00, 0xaa, 0x00}, {0x00, 0xaa, 0xaa},
	{0xaa, 0x00, 0x00}, {0xaa, 0x00, 0xaa}, {0xaa, 0x55, 0x00}, {0xaa, 0xaa, 0xaa},
	{0x55, 0x55, 0x55}, {0x55, 0x55, 0xff}, {0x55, 0xff, 0x55}, {0x55, 0xff, 0xff},
	{0xff, 0x55, 0x55}, {0xff, 0x55, 0xff}, {0xff, 0xff, 0x55}, {0xff, 0xff, 0xff},
};

static uint8_t
nearest(int r, int g, int b)
{
	int best = INT32_MAX;
	uint8_t found = 0;

	for (uint8_t i = 0; i < 16; i++) {
		const int dr = r - palette[i][0], dg = g - palette[i][1], db = b - palette[i][2];
		const int distance = dr * dr + dg * dg + db * db;

		if (distance < best) {
			best = distance;
			found = i;
		}
	}
	return found;
}

/* xterm's 256 colours: 16 ANSI ones, a cube of 6x6x6, 24 greys. */
static uint8_t
indexed(unsigned i)
{
	static const uint8_t level[6] = {0, 95, 135, 175, 215, 255};
	int grey;

	if (i < 16)
		return vga_color[i];
	if (i < 232) {
		i -= 16;
		return nearest(level[i / 36], level[i / 6 % 6], level[i % 6]);
	}
	grey = 8 + 10 * ((int)MIN(i, 255U) - 232);
	return nearest(grey, grey, grey);
}

/* 38 or 48 at @i: `;5;INDEX` or `;2;R;G;B`.  Returns how many parameters belonged to it. */
static unsigned
extended(const struct ansi *t, unsigned i, uint8_t *color)
{
	const uint16_t *p = t->param + i;
	const unsigned left = t->nr_params - i;

	if (left >= 3 && p[1] == 5) {
		*color = indexed(p[2]);
		return 2;
	}
	if (left >= 5 && p[1] == 2) {
		*color = nearest(MIN(p[2], 255), MIN(p[3], 255), MIN(p[4], 255));
		return 4;
	}
	return left - 1; /* what it means cannot be known: nor what follows */
}

static void
colors(struct ansi_sgr *sgr, unsigned p)
{
	if (p >= 30 && p <= 37)
		sgr->fg = vga_color[p - 30];
	else if (p >= 40 && p <= 47)
		sgr->bg = vga_color[p - 40];
	else if (p >= 90 && p <= 97)
		sgr->fg = vga_color[p - 90 + 8];
	else if (p >= 100 && p <= 107)
		sgr->bg = vga_color[p - 100 + 8];
}

void
ansi_select_rendition(struct ansi *t)
{
	struct ansi_sgr *sgr = &t->sgr;

	for (unsigned i = 0; i < t->nr_params; i++) {
		const unsigned p = t->param[i];

		switch (p) {
		case 0: *sgr = (struct ansi_sgr){.fg = DEFAULT_FG, .bg = DEFAULT_BG}; break;
		case 1: sgr->bold = true; break;
		case 7: sgr->reverse = true; break;
		case 8: sgr->conceal = true; break;
		case 21: /* doubly underlined by ECMA-48, not bold by habit */
		case 22: sgr->bold = false; break;
		case 27: sgr->reverse = false; break;
		case 28: sgr->conceal = false; break;
		case 38: i += extended(t, i, &sgr->fg); break;
		case 39: sgr->fg = DEFAULT_FG; break;
		case 48: i += extended(t, i, &sgr->bg); break;
		case 49: sgr->bg = DEFAULT_BG; break;
		default: colors(sgr, p); break;
		}
	}
	ansi_sgr_update(t);
}

void
ansi_sgr_update(struct ansi *t)
{
	const struct ansi_sgr *sgr = &t->sgr;
	unsigned fg = sgr->fg | (sgr->bold ? 8 : 0);
	unsigned bg = sgr->bg;

	t->blank = (uint16_t)(bg << 12 | sgr->fg << 8 | ' ');
	if (sgr->reverse) {
		const unsigned swap = fg;

		fg = bg;
		bg = swap;
	}
	if (sgr->conceal)
		fg = bg;
	t->attr = (uint16_t)(bg << 12 | fg << 8);
}
