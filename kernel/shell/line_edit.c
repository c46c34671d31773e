/*
 * line_edit.c - the line editor: editing and display.
 *
 * Editing only changes le->line and le->pos.  After each batch of input refresh() compares what
 * stands on the terminal with what should stand there, and sends the difference: a key at the end of
 * the line costs one byte on the serial line, and no editing command needs drawing code of its own.
 *
 * The margin: a VT100 that has printed into its last column keeps the cursor there until the next
 * character.  Terminals disagree about what such a cursor does, so we never leave it there: behind
 * the last column always follows CR LF, and cell n is at row n / width, column n % width.
 * Spec: ECMA-48 and the VT100 User Guide, "ANSI control sequences" (CUU, CUD, CUF, CUB, ED, EL).
 */
#include <kern/line_edit.h>
#include <lib/printf.h>
#include <lib/string.h>

#define LIST_MAX 200 /* candidates shown by Tab */

static bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t
cells(const char *s, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += !is_continuation(s[i]);
	return count;
}

/* --- output -------------------------------------------------------------------------------------- */

static void
flush(struct line_edit *le)
{
	if (le->out_len > 0)
		le->out(le->arg, le->out_buf, le->out_len);
	le->out_len = 0;
}

static void
emit(struct line_edit *le, const char *s, size_t n)
{
	while (n > 0) {
		const size_t part = MIN(n, sizeof(le->out_buf) - le->out_len);

		memcpy(le->out_buf + le->out_len, s, part);
		le->out_len += part;
		s += part;
		n -= part;
		if (le->out_len == sizeof(le->out_buf))
			flush(le);
	}
}

static void
emit_str(struct line_edit *le, const char *s)
{
	emit(le, s, strlen(s));
}

/* A cursor movement by @n; the number is left out when it is 1. */
static void
emit_csi(struct line_edit *le, size_t n, char final)
{
	char seq[16];

	if (n > 1)
		snprintf(seq, sizeof(seq), "\033[%u%c", (unsigned)n, final);
	else
		snprintf(seq, sizeof(seq), "\033[%c", final);
	emit_str(le, seq);
}

static void
move_to(struct line_edit *le, size_t cell)
{
	const size_t row = le->cursor / le->width, to_row = cell / le->width;
	const size_t col = le->cursor % le->width, to_col = cell % le->width;

	if (to_row < row)
		emit_csi(le, row - to_row, 'A');
	else if (to_row > row)
		emit_csi(le, to_row - row, 'B');
	if (to_col == 0 && col > 0)
		emit(le, "\r", 1);
	else if (to_col > col)
		emit_csi(le, to_col - col, 'C');
	else if (to_col + 4 < col)
		emit_csi(le, col - to_col, 'D');
	else
		emit(le, "\b\b\b\b", col - to_col);
	le->cursor = cell;
}

/* Print text at the cursor. */
static void
put_text(struct line_edit *le, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		emit(le, s + i, 1);
		if (i + 1 < n && is_continuation(s[i + 1]))
			continue;
		if (++le->cursor % le->width == 0)
			emit(le, "\r\n", 2);
	}
}

/* --- display ------------------------------------------------------------------------------------- */

/* Make le->want; returns its length and in *@target the cell where the cursor belongs. */
static size_t
compose(struct line_edit *le, size_t *target)
{
	char *const p = le->want;
	size_t n;

	if (le->searching)
		n = (size_t)snprintf(p, LE_PROMPT_MAX, "(%sreverse-i-search)`%s': ",
				     le->search_failed ? "failed " : "", le->pattern);
	else
		n = strlcpy(p, le->prompt, LE_PROMPT_MAX);
	n = MIN(n, (size_t)LE_PROMPT_MAX - 1);
	memcpy(p + n, le->line, le->len);
	*target = cells(p, n + le->pos);
	return n + le->len;
}

static size_t
common_start(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t i = 0;

	while (i < a_len && i < b_len && a[i] == b[i])
		i++;
	while (i > 0 &&
	       ((i < a_len && is_continuation(a[i])) || (i < b_len && is_continuation(b[i]))))
		i--;
	return i;
}

/* How many bytes at the end are equal, from the border of a character on, not reaching before @from. */
static size_t
common_end(const char *a, size_t a_len, const char *b, size_t b_len, size_t from)
{
	size_t n = 0;

	while (n < a_len - from && n < b_len - from && a[a_len - 1 - n] == b[b_len - 1 - n])
		n++;
	while (n > 0 && is_continuation(a[a_len - n]))
		n--;
	return n;
}

static void
refresh(struct line_edit *le)
{
	size_t target;
	const size_t n = compose(le, &target);
	const size_t same = common_start(le->want, n, le->shown, le->shown_len);
	const size_t new_end = cells(le->want, n), old_end = cells(le->shown, le->shown_len);
	size_t tail = 0;

	if (same < n || same < le->shown_len) {
		if (new_end == old_end)
			tail = common_end(le->want, n, le->shown, le->shown_len, same);
		move_to(le, cells(le->want, same));
		put_text(le, le->want + same, n - same - tail);
		if (old_end > new_end)
			emit_str(le,
				 old_end / le->width > new_end / le->width ? "\033[J" : "\033[K");
		memcpy(le->shown, le->want, n);
		le->shown_len = n;
	}
	move_to(le, target);
}

/* The cursor stands in column 0 of a row that is ours. */
static void
forget_display(struct line_edit *le)
{
	le->shown_len = 0;
	le->cursor = 0;
}

/* Leave the text: the cursor goes to column 0 below it. */
static void
finish_display(struct line_edit *le, const char *note)
{
	le->pos = le->len;
	refresh(le);
	emit_str(le, note);
	if (le->cursor % le->width != 0 || le->cursor == 0 || *note != '\0')
		emit(le, "\r\n", 2);
	forget_display(le);
}

/* --- editing ------------------------------------------------------------------------------------- */

static size_t
prev_char(const struct line_edit *le, size_t pos)
{
	while (pos > 0 && is_continuation(le->line[--pos]))
		;
	return pos;
}

static size_t
next_char(const struct line_edit *le, size_t pos)
{
	if (pos < le->len)
		pos++;
	while (pos < le->len && is_continuation(le->line[pos]))
		pos++;
	return pos;
}

static bool
is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || ((unsigned char)c & 0x80) != 0;
}

static size_t
word_left(const struct line_edit *le)
{
	size_t pos = le->pos;

	while (pos > 0 && !is_word(le->line[pos - 1]))
		pos--;
	while (pos > 0 && is_word(le->line[pos - 1]))
		pos--;
	return pos;
}

static size_t
word_right(const struct line_edit *le)
{
	size_t pos = le->pos;

	while (pos < le->len && !is_word(le->line[pos]))
		pos++;
	while (pos < le->len && is_word(le->line[pos]))
		pos++;
	return pos;
}

/* Ctrl-W goes by blanks, as in other shells, not by words. */
static size_t
blank_left(const struct line_edit *le)
{
	size_t pos = le->pos;

	while (pos > 0 && le->line[pos - 1] == ' ')
		pos--;
	while (pos > 0 && le->line[pos - 1] != ' ')
		pos--;
	return pos;
}

/* False: there is no room, nothing was inserted. */
static bool
insert(struct line_edit *le, const char *s, size_t n)
{
	if (n >= LE_LINE_MAX - le->len)
		return false;
	memmove(le->line + le->pos + n, le->line + le->pos, le->len - le->pos + 1);
	memcpy(le->line + le->pos, s, n);
	le->pos += n;
	le->len += n;
	return true;
}

/* What a person typed.  A line that lost some of it must not be executed: half a number is one too. */
static void
insert_typed(struct line_edit *le, const char *s, size_t n)
{
	if (insert(le, s, n) || le->overflow)
		return;
	le->overflow = true;
	emit(le, "\a", 1);
}

static void
delete_range(struct line_edit *le, size_t from, size_t to)
{
	memmove(le->line + from, le->line + to, le->len - to + 1);
	le->len -= to - from;
	le->pos = from;
	if (le->len == 0)
		le->overflow = false;
}

/* Delete [from, to) and keep it for Ctrl-Y, joined to what the key before this one killed. */
static void
kill_range(struct line_edit *le, size_t from, size_t to, bool joined)
{
	const size_t n = to - from;
	const bool forward = from == le->pos;

	if (!joined || le->killed_len + n > sizeof(le->killed))
		le->killed_len = 0;
	if (!forward)
		memmove(le->killed + n, le->killed, le->killed_len);
	memcpy(le->killed + (forward ? le->killed_len : 0), le->line + from, n);
	le->killed_len += n;
	le->kill_again = true;
	delete_range(le, from, to);
}

/* Exchange the characters around the cursor; at the end of the line the last two. */
static void
transpose(struct line_edit *le)
{
	const size_t b = le->pos == le->len ? prev_char(le, le->pos) : le->pos;
	const size_t a = prev_char(le, b), end = next_char(le, b);
	char saved[4];

	if (b == 0)
		return;
	memcpy(saved, le->line + a, b - a);
	memmove(le->line + a, le->line + b, end - b);
	memcpy(le->line + end - (b - a), saved, b - a);
	le->pos = end;
}

void
le_set_line(struct line_edit *le, const char *text)
{
	le->len = MIN(strlen(text), (size_t)LE_LINE_MAX - 1);
	memmove(le->line, text, le->len);
	le->line[le->len] = '\0';
	le->pos = le->len;
}

/* --- completion ---------------------------------------------------------------------------------- */

/* Count the candidates, keep their common prefix in @prefix, find the longest. */
static unsigned
survey(struct line_edit *le, char *prefix, size_t size, size_t *start, size_t *longest)
{
	const char *word;
	unsigned n;

	*longest = 0;
	prefix[0] = '\0';
	for (n = 0; (word = le->complete(le->arg, le->line, le->pos, n, start)) != NULL; n++) {
		*longest = MAX(*longest, strlen(word));
		if (n == 0)
			(void)strlcpy(prefix, word, size); /* candidates are short */
		else
			prefix[common_start(prefix, strlen(prefix), word, strlen(word))] = '\0';
	}
	return n;
}

/* Show all candidates in columns under the line, then prompt and line again. */
static void
list_candidates(struct line_edit *le, unsigned count, size_t longest)
{
	const unsigned per_row = (unsigned)MAX((le->width - 1) / (longest + 2), (size_t)1);
	const size_t pos = le->pos;
	size_t start;
	unsigned i;

	finish_display(le, "");
	le->pos = pos;
	for (i = 0; i < MIN(count, (unsigned)LIST_MAX); i++) {
		const char *word = le->complete(le->arg, le->line, le->pos, i, &start);

		if (word == NULL)
			break;
		emit_str(le, word);
		if (i + 1 == count || (i + 1) % per_row == 0)
			emit(le, "\r\n", 2);
		else
			for (size_t n = strlen(word); n < longest + 2; n++)
				emit(le, " ", 1);
	}
	if (i < count) {
		char note[40];

		snprintf(note, sizeof(note), "%s... and %u more\r\n",
			 i % per_row != 0 ? "\r\n" : "", count - i);
		emit_str(le, note);
	}
}

static void
complete(struct line_edit *le, bool again)
{
	char prefix[128];
	size_t start = le->pos, longest;
	unsigned count;

	if (le->complete == NULL)
		return;
	count = survey(le, prefix, sizeof(prefix), &start, &longest);
	if (count == 0 || start > le->pos)
		return;
	if (strlen(prefix) > le->pos - start) {
		(void)insert(le, prefix + (le->pos - start), strlen(prefix) - (le->pos - start));
	} else if (count > 1) {
		if (again)
			list_candidates(le, count, longest);
		le->tab_again = true;
		return;
	}
	if (count == 1 && (le->pos == le->len || le->line[le->pos] != ' '))
		(void)insert(le, " ", 1); /* no room: the blank is for comfort only */
}

/* --- keys ---------------------------------------------------------------------------------------- */

static void
clear_screen(struct line_edit *le)
{
	emit_str(le, "\033[H\033[J");
	forget_display(le);
}

/* Keys that move the cursor.  False: not one of them. */
static bool
movement_key(struct line_edit *le, unsigned key)
{
	switch (key) {
	case LE_CTRL('A'):
	case LE_KEY_HOME: le->pos = 0; return true;
	case LE_CTRL('E'):
	case LE_KEY_END: le->pos = le->len; return true;
	case LE_CTRL('B'):
	case LE_KEY_LEFT: le->pos = prev_char(le, le->pos); return true;
	case LE_CTRL('F'):
	case LE_KEY_RIGHT: le->pos = next_char(le, le->pos); return true;
	case LE_KEY_WORD_LEFT: le->pos = word_left(le); return true;
	case LE_KEY_WORD_RIGHT: le->pos = word_right(le); return true;
	case LE_CTRL('P'):
	case LE_KEY_UP: le_history_move(le, -1); return true;
	case LE_CTRL('N'):
	case LE_KEY_DOWN: le_history_move(le, 1); return true;
	default: return false;
	}
}

static void
editing_key(struct line_edit *le, unsigned key, bool kill_again, bool tab_again)
{
	switch (key) {
	case LE_KEY_TEXT: insert_typed(le, le->utf8, le->utf8_len); break;
	case LE_CTRL('H'):
	case 0x7f: delete_range(le, prev_char(le, le->pos), le->pos); break;
	case LE_CTRL('D'):
	case LE_KEY_DELETE: delete_range(le, le->pos, next_char(le, le->pos)); break;
	case LE_CTRL('K'): kill_range(le, le->pos, le->len, kill_again); break;
	case LE_CTRL('U'): kill_range(le, 0, le->pos, kill_again); break;
	case LE_CTRL('W'): kill_range(le, blank_left(le), le->pos, kill_again); break;
	case LE_KEY_KILL_WORD_LEFT: kill_range(le, word_left(le), le->pos, kill_again); break;
	case LE_KEY_KILL_WORD_RIGHT: kill_range(le, le->pos, word_right(le), kill_again); break;
	case LE_CTRL('Y'): insert_typed(le, le->killed, le->killed_len); break;
	case LE_CTRL('T'): transpose(le); break;
	case LE_CTRL('L'): clear_screen(le); break;
	case LE_CTRL('R'): le_search_start(le); break;
	case '\t': complete(le, tab_again); break;
	default: break;
	}
}

static enum le_result
enter(struct line_edit *le)
{
	char note[64];

	finish_display(le, "");
	if (!le->overflow)
		return LE_LINE;
	snprintf(note, sizeof(note), "line too long (%u bytes at most): not executed\r\n",
		 LE_LINE_MAX - 1);
	emit_str(le, note);
	le_set_line(le, "");
	le->overflow = false;
	return LE_TOO_LONG;
}

static enum le_result
handle_key(struct line_edit *le, unsigned key)
{
	const bool kill_again = le->kill_again, tab_again = le->tab_again;

	le->kill_again = le->tab_again = false;
	if (le->searching && le_search_key(le, key))
		return LE_MORE;
	switch (key) {
	case '\r':
	case '\n': return enter(le);
	case LE_CTRL('C'):
		finish_display(le, "^C");
		le_set_line(le, "");
		le->overflow = false;
		return LE_CANCEL;
	case LE_CTRL('D'):
		if (le->len > 0)
			break;
		finish_display(le, "");
		return LE_EOF;
	default: break;
	}
	if (!movement_key(le, key))
		editing_key(le, key, kill_again, tab_again);
	return LE_MORE;
}

/* --- public -------------------------------------------------------------------------------------- */

void
le_init(struct line_edit *le, le_out_fn out, le_complete_fn complete_fn, void *arg, unsigned width)
{
	memset(le, 0, sizeof(*le));
	le->out = out;
	le->complete = complete_fn;
	le->arg = arg;
	le->width = width > 0 ? width : 80;
}

void
le_start(struct line_edit *le, const char *prompt)
{
	(void)strlcpy(le->prompt, prompt, sizeof(le->prompt)); /* a longer one is cut */
	le_set_line(le, "");
	le->history_at = le->history_count;
	le->searching = le->kill_again = le->tab_again = le->overflow = false;
	le_redraw(le);
}

void
le_hide(struct line_edit *le)
{
	move_to(le, 0);
	emit_str(le, "\033[J");
	forget_display(le);
	flush(le);
}

void
le_redraw(struct line_edit *le)
{
	forget_display(le);
	refresh(le);
	flush(le);
}

enum le_result
le_feed(struct line_edit *le, const char *bytes, size_t n, size_t *used)
{
	enum le_result result = LE_MORE;
	size_t i;

	for (i = 0; i < n && result == LE_MORE; i++) {
		const unsigned char c = (unsigned char)bytes[i];
		const bool lf_of_crlf = c == '\n' && le->after_cr;
		unsigned key;

		le->after_cr = c == '\r';
		if (lf_of_crlf)
			continue;
		key = le_decode(le, c);
		if (key != LE_KEY_NONE)
			result = handle_key(le, key);
	}
	if (result == LE_MORE)
		refresh(le);
	flush(le);
	*used = i;
	return result;
}

const char *
le_line(const struct line_edit *le)
{
	return le->line;
}
