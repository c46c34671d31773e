/*
 * ansi.c - the terminal's input side: bytes to characters and control functions.
 *
 * A state machine over single bytes: a sequence may be cut anywhere between two writes, and no
 * byte stream can bring it out of step for longer than the sequence it is in.  C0 controls act
 * inside sequences too, CAN and SUB abandon them, ESC begins a new one, as on the VT100.
 * Text takes a short cut: a run of printable ASCII goes to the cells at once.
 */
#include <dev/ansi_screen.h>
#include <lib/printf.h>
#include <lib/string.h>

#define PARAM_MAX 9999 /* keeps every sum within an int */

/* 5Fh-7Eh of DEC's graphics set in code page 437.  Spec: VT510, "DEC Special Character Set". */
/* clang-format off */
static const uint8_t dec_graphics[32] = {
	' ', 0x04, 0xb1, 'H', 'F', 'C', 'L', 0xf8,
	0xf1, 'N', 'V', 0xd9, 0xbf, 0xda, 0xc0, 0xc5,
	0xc4, 0xc4, 0xc4, 0xc4, '_', 0xc3, 0xb4, 0xc1,
	0xc2, 0xb3, 0xf3, 0xf2, 0xe3, 0xd8, 0x9c, 0xfa,
};
/* clang-format on */

static void
reply(struct ansi *t, const char *s)
{
	if (t->reply)
		t->reply(t->reply_arg, s, strlen(s));
}

/* Parameter number @i; absent or 0 means @otherwise. */
static int
arg(const struct ansi *t, unsigned i, int otherwise)
{
	const int v = i < t->nr_params ? t->param[i] : 0;

	return v != 0 ? v : otherwise;
}

static void
put_unicode(struct ansi *t, uint32_t cp)
{
	uint8_t cell[2] = {cp437_from_unicode(cp), ' '};

	if (cp >= 0x80 && cp < 0xa0)
		return; /* C1 controls: nobody sends them in UTF-8 */
	t->last_cp = cp;
	if (cp >= 0x5f && cp <= 0x7e && t->charset[t->shift] == '0')
		cell[0] = dec_graphics[cp - 0x5f];
	ansi_put(t, cell, unicode_width(cp));
}

static void
full_reset(struct ansi *t)
{
	ansi_soft_reset(t);
	ansi_erase_rows(t, 0, ANSI_ROWS);
	ansi_goto(t, 0, 0);
	t->state = ANSI_GROUND;
	t->utf8.need = 0;
}

/* C0 controls. */
static void
control(struct ansi *t, uint8_t c)
{
	switch (c) {
	case '\b': ansi_move_cols(t, -1); break;
	case '\t': ansi_tab(t, 1); break;
	case '\n':
	case '\v':
	case '\f':
		if (t->newline)
			t->col = 0;
		ansi_index(t);
		break;
	case '\r': ansi_goto(t, (int)t->row, 0); break;
	case 0x0e: t->shift = 1; break;
	case 0x0f: t->shift = 0; break;
	case 0x18: /* CAN */
	case 0x1a: t->state = ANSI_GROUND; break;
	case 0x1b:
		t->state = ANSI_ESC;
		t->inter = 0;
		break;
	default: break; /* BEL, NUL and the rest show nothing */
	}
}

static void
escape_dispatch(struct ansi *t, uint8_t c)
{
	t->state = ANSI_GROUND;
	switch (c) {
	case '[':
		t->state = ANSI_CSI;
		t->private = t->inter = 0;
		t->nr_params = 0;
		break;
	case ']':
	case 'P':
	case 'X':
	case '^':
	case '_': t->state = ANSI_STRING; break;
	case '7': ansi_save(t); break;
	case '8': ansi_restore(t); break;
	case 'D': ansi_index(t); break;
	case 'E':
		ansi_index(t);
		t->col = 0;
		break;
	case 'H': t->tabs[t->col / 8] |= (uint8_t)(1U << t->col % 8); break;
	case 'M': ansi_reverse_index(t); break;
	case 'Z': reply(t, "\033[?6c"); break;
	case 'c': full_reset(t); break;
	default: break; /* keypad modes and others without effect here */
	}
}

static void
escape_inter_dispatch(struct ansi *t, uint8_t c)
{
	t->state = ANSI_GROUND;
	if (t->inter == '(')
		t->charset[0] = c;
	else if (t->inter == ')')
		t->charset[1] = c;
	else if (t->inter == '#' && c == '8') /* DECALN: the screen full of E */
		for (unsigned row = 0; row < ANSI_ROWS; row++)
			for (unsigned col = 0; col < ANSI_COLS; col++) {
				ansi_line(t, row)[col] = 0x0700 | 'E';
				t->dirty = ANSI_DIRTY_ALL;
			}
}

static void
set_mode(struct ansi *t, bool on)
{
	for (unsigned i = 0; i < t->nr_params; i++) {
		switch (t->private << 16 | t->param[i]) {
		case 4: t->insert = on; break;
		case 20: t->newline = on; break;
		case '?' << 16 | 6:
			t->origin = on;
			ansi_goto(t, 0, 0);
			break;
		case '?' << 16 | 7:
			t->autowrap = on;
			t->wrap_pending &= on;
			break;
		case '?' << 16 | 25: t->cursor_visible = on; break;
		default: break;
		}
	}
}

static void
set_margins(struct ansi *t)
{
	const int top = arg(t, 0, 1), bottom = MIN(arg(t, 1, ANSI_ROWS), ANSI_ROWS);

	if (top >= bottom)
		return;
	t->margin_top = (unsigned)top - 1;
	t->margin_bottom = (unsigned)bottom - 1;
	ansi_goto(t, 0, 0); /* in origin mode that is the top margin */
}

/* DSR.  Spec: VT510, "DSR - Device Status Reports". */
static void
report(struct ansi *t)
{
	char text[32];

	if (t->private != 0)
		return;
	if (arg(t, 0, 0) == 5) {
		reply(t, "\033[0n");
	} else if (arg(t, 0, 0) == 6) {
		(void)snprintf(text, sizeof(text), "\033[%u;%uR",
			       t->row + 1 - (t->origin ? t->margin_top : 0), t->col + 1);
		reply(t, text);
	}
}

static void
erase_display(struct ansi *t)
{
	t->wrap_pending = false;
	switch (arg(t, 0, 0)) {
	case 0:
		ansi_erase(t, t->row, t->col, ANSI_COLS);
		ansi_erase_rows(t, t->row + 1, ANSI_ROWS);
		break;
	case 1:
		ansi_erase_rows(t, 0, t->row);
		ansi_erase(t, t->row, 0, t->col + 1);
		break;
	case 2: ansi_erase_rows(t, 0, ANSI_ROWS); break;
	case 3: t->history = 0; break; /* xterm: the saved lines */
	default: break;
	}
}

static void
erase_line(struct ansi *t)
{
	t->wrap_pending = false;
	switch (arg(t, 0, 0)) {
	case 0: ansi_erase(t, t->row, t->col, ANSI_COLS); break;
	case 1: ansi_erase(t, t->row, 0, t->col + 1); break;
	case 2: ansi_erase(t, t->row, 0, ANSI_COLS); break;
	default: break;
	}
}

/* IL and DL act only inside the margins, and end at the line's start. */
static void
insert_or_delete_lines(struct ansi *t, bool insert)
{
	const unsigned n = (unsigned)arg(t, 0, 1);

	if (t->row < t->margin_top || t->row > t->margin_bottom)
		return;
	if (insert)
		ansi_scroll_down(t, t->row, n);
	else
		ansi_scroll_up(t, t->row, n);
	t->col = 0;
	t->wrap_pending = false;
}

static void
clear_tabs(struct ansi *t)
{
	if (arg(t, 0, 0) == 3)
		memset(t->tabs, 0, sizeof(t->tabs));
	else if (arg(t, 0, 0) == 0)
		t->tabs[t->col / 8] &= (uint8_t) ~(1U << t->col % 8);
}

static bool
csi_move(struct ansi *t, uint8_t c)
{
	const int n = arg(t, 0, 1);
	const int row0 = t->origin ? (int)t->margin_top - 1 : -1;

	switch (c) {
	case 'A': ansi_move_rows(t, -n); break;
	case 'B':
	case 'e': ansi_move_rows(t, n); break;
	case 'C':
	case 'a': ansi_move_cols(t, n); break;
	case 'D': ansi_move_cols(t, -n); break;
	case 'E':
	case 'F':
		ansi_move_rows(t, c == 'E' ? n : -n);
		t->col = 0;
		break;
	case 'G':
	case '`':
		t->col = (unsigned)MIN(n, ANSI_COLS) - 1;
		t->wrap_pending = false;
		break;
	case 'H':
	case 'f': ansi_goto(t, row0 + n, arg(t, 1, 1) - 1); break;
	case 'I': ansi_tab(t, n); break;
	case 'Z': ansi_tab(t, -n); break;
	case 'd': ansi_goto(t, row0 + n, (int)t->col); break;
	default: return false;
	}
	return true;
}

static void
repeat(struct ansi *t)
{
	/* No more than a screenful shows; a larger number would only take time. */
	for (int n = MIN(arg(t, 0, 1), ANSI_COLS * ANSI_ROWS); n > 0 && t->last_cp != 0; n--)
		put_unicode(t, t->last_cp);
}

static bool
csi_edit(struct ansi *t, uint8_t c)
{
	const unsigned n = (unsigned)arg(t, 0, 1);

	switch (c) {
	case '@': ansi_insert_cells(t, n); break;
	case 'J': erase_display(t); break;
	case 'K': erase_line(t); break;
	case 'L': insert_or_delete_lines(t, true); break;
	case 'M': insert_or_delete_lines(t, false); break;
	case 'P': ansi_delete_cells(t, n); break;
	case 'S': ansi_scroll_up(t, t->margin_top, n); break;
	case 'T': ansi_scroll_down(t, t->margin_top, n); break;
	case 'X':
		ansi_erase(t, t->row, t->col, t->col + n);
		t->wrap_pending = false;
		break;
	case 'b': repeat(t); break;
	default: return false;
	}
	return true;
}

static void
csi_dispatch(struct ansi *t, uint8_t c)
{
	t->state = ANSI_GROUND;
	if (t->inter != 0) {
		if (t->inter == '!' && c == 'p')
			ansi_soft_reset(t);
		return;
	}
	if (c == 'h' || c == 'l') {
		set_mode(t, c == 'h');
		return;
	}
	/* DECSED and DECSEL are erase functions too here; other private sequences are not ours. */
	if (t->private != 0 && !(t->private == '?' && (c == 'J' || c == 'K')))
		return;
	if (csi_move(t, c) || csi_edit(t, c))
		return;
	switch (c) {
	case 'c': reply(t, "\033[?6c"); break;
	case 'g': clear_tabs(t); break;
	case 'm':
		if (t->nr_params == 0)
			t->param[t->nr_params++] = 0;
		ansi_select_rendition(t);
		break;
	case 'n': report(t); break;
	case 'r': set_margins(t); break;
	case 's': ansi_save(t); break;
	case 'u': ansi_restore(t); break;
	default: break;
	}
}

static void
csi_digit(struct ansi *t, unsigned digit)
{
	uint16_t *p;

	if (t->nr_params == 0)
		t->param[t->nr_params++] = 0;
	p = &t->param[t->nr_params - 1];
	*p = (uint16_t)MIN(*p * 10U + digit, PARAM_MAX);
}

/* Between ESC [ and the final byte. */
static void
csi_byte(struct ansi *t, uint8_t c)
{
	if (c >= '@' && c <= '~') {
		if (t->state == ANSI_CSI_IGNORE)
			t->state = ANSI_GROUND;
		else
			csi_dispatch(t, c);
	} else if (t->state == ANSI_CSI_IGNORE) {
		return;
	} else if (c >= 0x20 && c <= 0x2f) {
		t->inter = c;
		t->state = ANSI_CSI_INTER;
	} else if (t->state == ANSI_CSI_INTER) {
		t->state = ANSI_CSI_IGNORE;
	} else if (c >= '0' && c <= '9') {
		csi_digit(t, c - '0');
	} else if (c == ';' || c == ':') {
		if (t->nr_params == 0)
			t->param[t->nr_params++] = 0;
		if (t->nr_params == ANSI_PARAMS)
			t->state = ANSI_CSI_IGNORE;
		else
			t->param[t->nr_params++] = 0;
	} else if (t->nr_params == 0 && t->private == 0 && c <= '?') {
		t->private = c;
	} else {
		t->state = ANSI_CSI_IGNORE;
	}
}

/* A byte 20h-7Fh outside of ground state. */
static void
sequence_byte(struct ansi *t, uint8_t c)
{
	if (c == 0x7f)
		return;
	switch (t->state) {
	case ANSI_ESC:
		if (c >= 0x20 && c <= 0x2f) {
			t->inter = c;
			t->state = ANSI_ESC_INTER;
		} else {
			escape_dispatch(t, c);
		}
		break;
	case ANSI_ESC_INTER:
		if (c >= 0x30)
			escape_inter_dispatch(t, c);
		break;
	case ANSI_CSI:
	case ANSI_CSI_INTER:
	case ANSI_CSI_IGNORE: csi_byte(t, c); break;
	default: break; /* inside a string: ignored */
	}
}

static void
ground_byte(struct ansi *t, uint8_t c)
{
	uint32_t cp;

	for (;;) {
		const enum utf8_result r = utf8_feed(&t->utf8, c, &cp);

		if (r == UTF8_MORE)
			return;
		if (r == UTF8_DONE)
			break;
		put_unicode(t, cp);
	}
	if (cp < 0x20)
		control(t, c);
	else if (cp != 0x7f)
		put_unicode(t, cp);
}

static void
one_byte(struct ansi *t, uint8_t c)
{
	if (t->state == ANSI_GROUND) {
		ground_byte(t, c);
	} else if (t->state == ANSI_STRING && c != 0x1b && c != 0x18 && c != 0x1a) {
		if (c == '\a')
			t->state = ANSI_GROUND;
	} else if (c < 0x20) {
		control(t, c);
	} else if (c < 0x80) {
		sequence_byte(t, c);
	} else {
		t->state = ANSI_GROUND; /* text in the midst of a sequence: it was none */
		ground_byte(t, c);
	}
}

void
ansi_write(struct ansi *t, const char *s, size_t n)
{
	const uint8_t *p = (const uint8_t *)s;
	const uint8_t *end = p + n;

	while (p < end) {
		const uint8_t *run = p;

		if (t->state == ANSI_GROUND && t->utf8.need == 0 && t->charset[t->shift] != '0')
			while (p < end && *p >= 0x20 && *p < 0x7f)
				p++;
		if (p > run) {
			ansi_put(t, run, (size_t)(p - run));
			t->last_cp = p[-1];
		} else {
			one_byte(t, *p++);
		}
	}
}

void
ansi_init(struct ansi *t)
{
	memset(t, 0, offsetof(struct ansi, ring)); /* lines are cleared as they come into use */
	full_reset(t);
}
