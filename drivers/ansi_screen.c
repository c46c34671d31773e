/*
 * ansi_screen.c - the terminal's cells: writing, moving, erasing, scrolling.
 *
 * Screen and history are one ring of lines, so scrolling the whole screen moves no cell: the ring's
 * top advances by one and the line that comes in is cleared.  Only a scroll within margins copies.
 */
#include <dev/ansi_screen.h>
#include <lib/string.h>

#define LAST_ROW (ANSI_ROWS - 1)
#define LAST_COL (ANSI_COLS - 1)

static void
fill(uint16_t *cells, uint16_t value, size_t n)
{
	const uint64_t four = value * 0x0001000100010001ULL;

	/* The builtin is a single store here, where memcpy() would be a call. */
	for (; n >= 4; n -= 4, cells += 4)
		__builtin_memcpy(cells, &four, sizeof(four));
	while (n-- > 0)
		*cells++ = value;
}

static int
clamp(int v, int low, int high)
{
	return v < low ? low : v > high ? high : v;
}

static void
mark_rows(struct ansi *t, unsigned first, unsigned last)
{
	t->dirty |= ((1U << (last + 1)) - 1) & ~((1U << first) - 1);
}

void
ansi_put(struct ansi *t, const uint8_t *s, size_t n)
{
	while (n > 0) {
		uint16_t *cell;
		size_t run;

		if (t->wrap_pending) {
			t->wrap_pending = false;
			t->col = 0;
			ansi_index(t);
		}
		run = MIN(n, ANSI_COLS - t->col);
		if (t->insert)
			ansi_insert_cells(t, (unsigned)run);
		cell = ansi_line(t, t->row) + t->col;
		for (size_t i = 0; i < run; i++)
			cell[i] = t->attr | s[i];
		s += run;
		n -= run;
		t->dirty |= 1U << t->row;
		t->col += (unsigned)run;
		if (t->col == ANSI_COLS) {
			t->col = LAST_COL;
			t->wrap_pending = t->autowrap;
		}
	}
}

void
ansi_goto(struct ansi *t, int row, int col)
{
	const int top = t->origin ? (int)t->margin_top : 0;
	const int bottom = t->origin ? (int)t->margin_bottom : LAST_ROW;

	t->row = (unsigned)clamp(row, top, bottom);
	t->col = (unsigned)clamp(col, 0, LAST_COL);
	t->wrap_pending = false;
}

void
ansi_move_rows(struct ansi *t, int by)
{
	const int row = (int)t->row;
	/* A margin stops the cursor only if it comes from inside. */
	const int top = t->row >= t->margin_top ? (int)t->margin_top : 0;
	const int bottom = t->row <= t->margin_bottom ? (int)t->margin_bottom : LAST_ROW;

	t->row = (unsigned)clamp(row + by, top, bottom);
	t->wrap_pending = false;
}

void
ansi_move_cols(struct ansi *t, int by)
{
	t->col = (unsigned)clamp((int)t->col + by, 0, LAST_COL);
	t->wrap_pending = false;
}

/* The whole screen moves up by a line: the ring turns, the top line becomes history. */
static void
roll(struct ansi *t)
{
	t->top = t->top + 1 < ANSI_LINES ? t->top + 1 : 0;
	if (t->history < ANSI_HISTORY)
		t->history++;
	fill(ansi_line(t, LAST_ROW), t->blank, ANSI_COLS);
}

void
ansi_scroll_up(struct ansi *t, unsigned first, unsigned n)
{
	const unsigned last = t->margin_bottom;

	n = MIN(n, last - first + 1);
	mark_rows(t, first, last);
	if (first == 0 && last == LAST_ROW) {
		while (n-- > 0)
			roll(t);
		return;
	}
	for (unsigned row = first; row + n <= last; row++)
		memcpy(ansi_line(t, row), ansi_line(t, row + n), sizeof(t->ring[0]));
	ansi_erase_rows(t, last + 1 - n, last + 1);
}

void
ansi_scroll_down(struct ansi *t, unsigned first, unsigned n)
{
	const unsigned last = t->margin_bottom;

	n = MIN(n, last - first + 1);
	mark_rows(t, first, last);
	for (unsigned row = last; row >= first + n; row--)
		memcpy(ansi_line(t, row), ansi_line(t, row - n), sizeof(t->ring[0]));
	ansi_erase_rows(t, first, first + n);
}

void
ansi_index(struct ansi *t)
{
	t->wrap_pending = false;
	if (t->row == t->margin_bottom)
		ansi_scroll_up(t, t->margin_top, 1);
	else if (t->row < LAST_ROW)
		t->row++;
}

void
ansi_reverse_index(struct ansi *t)
{
	t->wrap_pending = false;
	if (t->row == t->margin_top)
		ansi_scroll_down(t, t->margin_top, 1);
	else if (t->row > 0)
		t->row--;
}

void
ansi_erase(struct ansi *t, unsigned row, unsigned from, unsigned to)
{
	to = MIN(to, ANSI_COLS);
	if (from >= to)
		return;
	fill(ansi_line(t, row) + from, t->blank, to - from);
	t->dirty |= 1U << row;
}

void
ansi_erase_rows(struct ansi *t, unsigned from, unsigned to)
{
	for (unsigned row = from; row < to; row++)
		ansi_erase(t, row, 0, ANSI_COLS);
}

void
ansi_insert_cells(struct ansi *t, unsigned n)
{
	uint16_t *line = ansi_line(t, t->row);
	const unsigned rest = ANSI_COLS - t->col;

	n = MIN(n, rest);
	memmove(line + t->col + n, line + t->col, (rest - n) * sizeof(*line));
	ansi_erase(t, t->row, t->col, t->col + n);
	t->wrap_pending = false;
}

void
ansi_delete_cells(struct ansi *t, unsigned n)
{
	uint16_t *line = ansi_line(t, t->row);
	const unsigned rest = ANSI_COLS - t->col;

	n = MIN(n, rest);
	memmove(line + t->col, line + t->col + n, (rest - n) * sizeof(*line));
	ansi_erase(t, t->row, ANSI_COLS - n, ANSI_COLS);
	t->wrap_pending = false;
}

void
ansi_tab(struct ansi *t, int n)
{
	const int step = n < 0 ? -1 : 1;
	int col = (int)t->col;

	for (n = clamp(n * step, 0, ANSI_COLS); n > 0; n--) {
		do
			col += step;
		while (col > 0 && col < LAST_COL && !(t->tabs[col / 8] >> col % 8 & 1));
		if (col <= 0 || col >= LAST_COL)
			break;
	}
	t->col = (unsigned)clamp(col, 0, LAST_COL);
}

void
ansi_save(struct ansi *t)
{
	t->saved = (struct ansi_saved){
		.row = t->row,
		.col = t->col,
		.wrap_pending = t->wrap_pending,
		.origin = t->origin,
		.sgr = t->sgr,
		.charset = {t->charset[0], t->charset[1]},
		.shift = t->shift,
	};
}

void
ansi_restore(struct ansi *t)
{
	const struct ansi_saved *s = &t->saved;

	t->origin = s->origin;
	ansi_goto(t, (int)s->row, (int)s->col);
	t->wrap_pending = s->wrap_pending;
	t->sgr = s->sgr;
	t->charset[0] = s->charset[0];
	t->charset[1] = s->charset[1];
	t->shift = s->shift;
	ansi_sgr_update(t);
}

void
ansi_soft_reset(struct ansi *t)
{
	t->cursor_visible = true;
	t->autowrap = true;
	t->newline = true;
	t->origin = t->insert = t->wrap_pending = false;
	t->margin_top = 0;
	t->margin_bottom = LAST_ROW;
	memset(t->tabs, 0x01, sizeof(t->tabs)); /* every eighth column */
	t->sgr = (struct ansi_sgr){.fg = 7, .bg = 0};
	t->charset[0] = t->charset[1] = 'B';
	t->shift = 0;
	ansi_sgr_update(t);
	/* Restoring without having saved goes home, in the default colours. */
	t->saved = (struct ansi_saved){.sgr = t->sgr, .charset = {'B', 'B'}};
}
