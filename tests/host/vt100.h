/*
 * vt100.h - a model terminal: a VT100 with the escape sequences that the line editor may use and
 * no others.  Its cursor stays in the last column until the next character, as a VT100's does.
 *
 * For one test program: functions are static.  Include host.h first.
 */
#pragma once
#include <lib/base.h>
#include <lib/string.h>

#define COLS_MAX 80
#define ROWS	 400

struct term {
	unsigned cols, row, col;
	bool pending; /* the last column was written: the next character wraps */
	uint32_t cell[ROWS][COLS_MAX];
	size_t bytes; /* received */
	size_t bells;
	unsigned need;
	uint32_t code;
	unsigned esc, param;
};

static void
term_init(struct term *t, unsigned cols)
{
	memset(t, 0, sizeof(*t));
	t->cols = cols;
	for (unsigned r = 0; r < ROWS; r++)
		for (unsigned c = 0; c < COLS_MAX; c++)
			t->cell[r][c] = ' ';
}

static void
term_erase(struct term *t, bool to_screen_end)
{
	for (unsigned c = t->col; c < t->cols; c++)
		t->cell[t->row][c] = ' ';
	for (unsigned r = t->row + 1; to_screen_end && r < ROWS; r++)
		for (unsigned c = 0; c < t->cols; c++)
			t->cell[r][c] = ' ';
}

static void
term_newline(struct term *t)
{
	if (t->row + 1 < ROWS) {
		t->row++;
		return;
	}
	memmove(t->cell[0], t->cell[1], sizeof(t->cell) - sizeof(t->cell[0]));
	for (unsigned c = 0; c < COLS_MAX; c++)
		t->cell[ROWS - 1][c] = ' ';
}

static void
term_print(struct term *t, uint32_t code)
{
	if (t->pending) {
		t->col = 0;
		term_newline(t);
	}
	t->cell[t->row][t->col] = code;
	t->pending = t->col == t->cols - 1;
	if (!t->pending)
		t->col++;
}

static void
term_csi(struct term *t, char final)
{
	const unsigned n = t->param > 0 ? t->param : 1;

	t->pending = false;
	switch (final) {
	case 'A':
		assert_true(n <= t->row);
		t->row -= n;
		break;
	case 'B':
		assert_true(t->row + n < ROWS);
		t->row += n;
		break;
	case 'C':
		assert_true(t->col + n < t->cols);
		t->col += n;
		break;
	case 'D':
		assert_true(n <= t->col);
		t->col -= n;
		break;
	case 'H':
		assert_int_equal(t->param, 0);
		t->row = t->col = 0;
		break;
	case 'J':
		assert_int_equal(t->param, 0);
		term_erase(t, true);
		break;
	case 'K':
		assert_int_equal(t->param, 0);
		term_erase(t, false);
		break;
	default: fail_msg("escape sequence ESC [ %c is not one of ours", final);
	}
}

static void
term_byte(struct term *t, unsigned char c)
{
	t->bytes++;
	if (t->esc == 1) {
		assert_int_equal(c, '[');
		t->esc = 2;
		t->param = 0;
	} else if (t->esc == 2) {
		if (c >= '0' && c <= '9') {
			t->param = t->param * 10 + (c - '0');
		} else {
			t->esc = 0;
			term_csi(t, (char)c);
		}
	} else if (t->need > 0) {
		assert_int_equal(c & 0xc0, 0x80);
		t->code = t->code << 6 | (c & 0x3f);
		if (--t->need == 0)
			term_print(t, t->code);
	} else if (c == 0x1b) {
		t->esc = 1;
	} else if (c == '\a') {
		t->bells++;
	} else if (c == '\r') {
		t->col = 0;
		t->pending = false;
	} else if (c == '\n') {
		term_newline(t);
		t->pending = false;
	} else if (c == '\b') {
		assert_true(t->col > 0);
		t->col--;
		t->pending = false;
	} else if (c < 0x80) {
		assert_true(c >= ' ' && c != 0x7f);
		term_print(t, c);
	} else {
		t->need = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
		t->code = c & (0x3f >> t->need);
	}
}

static void
term_out(void *arg, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		term_byte(arg, (unsigned char)s[i]);
}

static size_t
decode(const char *s, uint32_t *out)
{
	size_t n = 0;

	while (*s != '\0') {
		const unsigned char c = (unsigned char)*s++;
		unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
		uint32_t code = more == 0 ? c : c & (0x3fu >> more);

		while (more-- > 0)
			code = code << 6 | ((unsigned char)*s++ & 0x3f);
		out[n++] = code;
	}
	return n;
}
