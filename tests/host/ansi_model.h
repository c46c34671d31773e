/*
 * ansi_model.h - a terminal written the naive way, to compare the real one with.
 *
 * It has no parser: model_step() chooses a control function, does it on a plain 25x80 array, and
 * hands out the bytes that mean it.  Nothing is shared with drivers/ansi*.c but the cell format.
 */
#pragma once
#include <lib/base.h>

#define M_ROWS 25
#define M_COLS 80

struct model {
	uint16_t cell[M_ROWS][M_COLS];
	unsigned row, col, top, bottom;
	bool wrap;
	unsigned fg, bg, bold, reverse;
	struct {
		unsigned row, col, fg, bg, bold, reverse;
		bool wrap;
	} saved;
	unsigned scrolled; /* whole-screen scrolls */
	char last[64];	   /* what was done, for messages */
};

static uint16_t
m_attr(const struct model *m)
{
	const unsigned fg = m->fg | (m->bold ? 8 : 0);

	return (uint16_t)((m->reverse ? fg << 4 | m->bg : m->bg << 4 | fg) << 8);
}

static uint16_t
m_blank(const struct model *m)
{
	return (uint16_t)((m->bg << 4 | m->fg) << 8 | ' ');
}

static void
m_clear(struct model *m, unsigned from, unsigned to) /* linear cell numbers */
{
	for (unsigned i = from; i < to; i++)
		m->cell[i / M_COLS][i % M_COLS] = m_blank(m);
}

static void
m_up(struct model *m, unsigned top, unsigned n)
{
	while (n-- > 0) {
		if (top == 0 && m->bottom == M_ROWS - 1)
			m->scrolled++;
		for (unsigned r = top; r < m->bottom; r++)
			for (unsigned c = 0; c < M_COLS; c++)
				m->cell[r][c] = m->cell[r + 1][c];
		m_clear(m, m->bottom * M_COLS, (m->bottom + 1) * M_COLS);
	}
}

static void
m_down(struct model *m, unsigned top, unsigned n)
{
	while (n-- > 0) {
		for (unsigned r = m->bottom; r > top; r--)
			for (unsigned c = 0; c < M_COLS; c++)
				m->cell[r][c] = m->cell[r - 1][c];
		m_clear(m, top * M_COLS, (top + 1) * M_COLS);
	}
}

static void
m_index(struct model *m)
{
	m->wrap = false;
	if (m->row == m->bottom)
		m_up(m, m->top, 1);
	else if (m->row < M_ROWS - 1)
		m->row++;
}

static void
m_char(struct model *m, char c)
{
	if (m->wrap) {
		m->col = 0;
		m_index(m);
	}
	m->cell[m->row][m->col] = m_attr(m) | (uint8_t)c;
	if (m->col == M_COLS - 1)
		m->wrap = true;
	else
		m->col++;
}

static void
m_text(struct model *m, unsigned (*rnd)(unsigned), char *out)
{
	const unsigned n = rnd(100);

	for (unsigned i = 0; i < n; i++) {
		*out = (char)(' ' + rnd(95));
		m_char(m, *out++);
	}
	*out = '\0';
	strcpy(m->last, "text");
}

static void
m_vertical(struct model *m, int by)
{
	for (; by < 0; by++)
		if (m->row != m->top && m->row > 0)
			m->row--;
	for (; by > 0; by--)
		if (m->row != m->bottom && m->row < M_ROWS - 1)
			m->row++;
	m->wrap = false;
}

static void
m_horizontal(struct model *m, int by)
{
	for (; by < 0; by++)
		m->col -= m->col > 0;
	for (; by > 0; by--)
		m->col += m->col < M_COLS - 1;
	m->wrap = false;
}

static void
m_line_cells(struct model *m, unsigned n, bool insert)
{
	m->wrap = false;
	while (n-- > 0) {
		uint16_t *line = m->cell[m->row];

		if (insert)
			for (unsigned c = M_COLS - 1; c > m->col; c--)
				line[c] = line[c - 1];
		else
			for (unsigned c = m->col; c < M_COLS - 1; c++)
				line[c] = line[c + 1];
		line[insert ? m->col : M_COLS - 1] = m_blank(m);
	}
}

static void
m_lines(struct model *m, unsigned n, bool insert)
{
	if (m->row < m->top || m->row > m->bottom)
		return;
	if (insert)
		m_down(m, m->row, n);
	else
		m_up(m, m->row, MIN(n, m->bottom - m->row + 1));
	m->col = 0;
	m->wrap = false;
}

static void
m_color(struct model *m, unsigned code)
{
	static const unsigned vga[] = {0, 4, 2, 6, 1, 5, 3, 7};

	if (code == 0) {
		m->fg = 7;
		m->bg = m->bold = m->reverse = 0;
	} else if (code == 1) {
		m->bold = 1;
	} else if (code == 7) {
		m->reverse = 1;
	} else if (code >= 40) {
		m->bg = vga[code - 40];
	} else {
		m->fg = vga[code - 30];
	}
}

static void
m_save(struct model *m)
{
	m->saved.row = m->row;
	m->saved.col = m->col;
	m->saved.wrap = m->wrap;
	m->saved.fg = m->fg;
	m->saved.bg = m->bg;
	m->saved.bold = m->bold;
	m->saved.reverse = m->reverse;
}

static void
m_restore(struct model *m)
{
	m->row = m->saved.row;
	m->col = m->saved.col;
	m->wrap = m->saved.wrap;
	m->fg = m->saved.fg;
	m->bg = m->saved.bg;
	m->bold = m->saved.bold;
	m->reverse = m->saved.reverse;
}

/* Functions with one number. */
static void
m_csi(struct model *m, char final, unsigned n)
{
	const unsigned at = m->row * M_COLS + m->col, line = m->row * M_COLS;

	switch (final) {
	case 'A': m_vertical(m, -(int)n); break;
	case 'B': m_vertical(m, (int)n); break;
	case 'C': m_horizontal(m, (int)n); break;
	case 'D': m_horizontal(m, -(int)n); break;
	case '@': m_line_cells(m, n, true); break;
	case 'P': m_line_cells(m, n, false); break;
	case 'L': m_lines(m, n, true); break;
	case 'M': m_lines(m, n, false); break;
	case 'S': m_up(m, m->top, MIN(n, m->bottom - m->top + 1)); break;
	case 'T': m_down(m, m->top, n); break;
	case 'X':
		m_clear(m, at, MIN(at + n, line + M_COLS));
		m->wrap = false;
		break;
	case 'J':
		m_clear(m, n == 0 ? at : 0, n == 1 ? at + 1 : M_ROWS * M_COLS);
		m->wrap = false;
		break;
	case 'K':
		m_clear(m, n == 0 ? at : line, n == 1 ? at + 1 : line + M_COLS);
		m->wrap = false;
		break;
	case 'G':
		m->col = MIN(n, M_COLS) - 1;
		m->wrap = false;
		break;
	default: break;
	}
}

static void
m_other(struct model *m, unsigned (*rnd)(unsigned), char *out, size_t size)
{
	const unsigned a = 1 + rnd(25), b = 1 + rnd(80);
	static const unsigned codes[] = {0, 1, 7, 31, 32, 34, 41, 45, 47, 33};

	switch (rnd(9)) {
	case 0:
		snprintf(out, size, "\033[%u;%uH", a, b);
		m->row = a - 1;
		m->col = b - 1;
		m->wrap = false;
		break;
	case 1:
		snprintf(out, size, "\033[%u;%ur", a, MIN(b, 25U));
		if (a < MIN(b, 25U)) {
			m->top = a - 1;
			m->bottom = MIN(b, 25U) - 1;
			m->row = m->col = 0;
			m->wrap = false;
		}
		break;
	case 2:
		snprintf(out, size, "\n");
		m->col = 0;
		m_index(m);
		break;
	case 3:
		snprintf(out, size, "\033D");
		m_index(m);
		break;
	case 4:
		snprintf(out, size, "\033M");
		m->wrap = false;
		if (m->row == m->top)
			m_down(m, m->top, 1);
		else if (m->row > 0)
			m->row--;
		break;
	case 5:
		snprintf(out, size, "\0337");
		m_save(m);
		break;
	case 6:
		snprintf(out, size, "\0338");
		m_restore(m);
		break;
	case 7:
		snprintf(out, size, "\033[r");
		m->top = m->row = m->col = 0;
		m->bottom = M_ROWS - 1;
		m->wrap = false;
		break;
	default:
		snprintf(out, size, "\033[%um", codes[b % 10]);
		m_color(m, codes[b % 10]);
		break;
	}
	snprintf(m->last, sizeof(m->last), "%s", out[0] == '\033' ? out + 1 : "newline");
}

static void
model_step(struct model *m, unsigned (*rnd)(unsigned), char *out, size_t size)
{
	static const char finals[] = "ABCD@PLMSTXJKG";
	const unsigned kind = rnd(3);

	if (kind == 0) {
		m_text(m, rnd, out);
	} else if (kind == 1) {
		const char final = finals[rnd(sizeof(finals) - 1)];
		const unsigned n = final == 'J' || final == 'K' ? rnd(3) : 1 + rnd(30);

		snprintf(out, size, "\033[%u%c", n, final);
		m_csi(m, final, n);
		snprintf(m->last, sizeof(m->last), "%s", out + 1);
	} else {
		m_other(m, rnd, out, size);
	}
}

static void
model_init(struct model *m)
{
	memset(m, 0, sizeof(*m));
	m->fg = m->saved.fg = 7;
	m->bottom = M_ROWS - 1;
	m_clear(m, 0, M_ROWS * M_COLS);
}
