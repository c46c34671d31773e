/*
 * test_lineedit.c - the line editor against a model terminal and a naive model of editing.
 *
 * SOURCES: kernel/shell/line_edit.c kernel/shell/line_keys.c kernel/shell/line_history.c
 * SOURCES: kernel/lib/string.c kernel/lib/printf.c
 */
#include "host.h"
#include "vt100.h"
#include <kern/line_edit.h>
#include <lib/printf.h>
#include <lib/string.h>

#define TEXT_MAX LE_LINE_MAX

/* --- fixture ------------------------------------------------------------------------------------- */

static struct term term;
static struct line_edit le;
static char last_line[LE_LINE_MAX];

static enum le_result
feed_n(const char *bytes, size_t n)
{
	enum le_result r = LE_MORE;
	size_t used;

	while (n > 0) {
		r = le_feed(&le, bytes, n, &used);
		assert_in_range(used, 1, n);
		bytes += used;
		n -= used;
		if (r != LE_MORE) {
			strlcpy(last_line, le_line(&le), sizeof(last_line));
			assert_int_equal(term.col, 0);
			assert_false(term.pending);
			if (r == LE_LINE)
				le_history_add(&le, le_line(&le));
			le_start(&le, "> ");
		}
	}
	return r;
}

static enum le_result
feed(const char *s)
{
	return feed_n(s, strlen(s));
}

static void
begin_with(unsigned cols, le_complete_fn complete)
{
	term_init(&term, cols);
	le_init(&le, term_out, complete, &term, cols);
	le_start(&le, "> ");
}

static void
begin(unsigned cols)
{
	begin_with(cols, NULL);
}

/* Does the terminal show @prompt and @text from where they began, nothing behind, and the cursor at character @pos? */
static void
check_screen(const char *prompt, const char *text, size_t pos)
{
	static uint32_t want[2 * TEXT_MAX];
	const size_t before = decode(prompt, want), n = before + decode(text, want + before);
	const size_t cursor = before + pos;
	unsigned start;

	assert_false(term.pending);
	assert_int_equal(term.col, cursor % term.cols);
	assert_true(term.row >= cursor / term.cols);
	start = term.row - (unsigned)(cursor / term.cols);
	for (size_t i = 0; i < (ROWS - start) * term.cols; i++) {
		const uint32_t is = term.cell[start + i / term.cols][i % term.cols];

		if (is != (i < n ? want[i] : ' '))
			fail_msg("cell %zu is U+%04X, not U+%04X, of '%s%s'", i, is,
				 i < n ? want[i] : ' ', prompt, text);
	}
}

static void
check(const char *text, size_t pos)
{
	assert_string_equal(le_line(&le), text);
	check_screen("> ", text, pos);
}

/* --- single keys --------------------------------------------------------------------------------- */

static void
typing_costs_one_byte(void **state)
{
	begin(80);
	feed("hell");
	term.bytes = 0;
	feed("o");
	assert_int_equal(term.bytes, 1);
	feed("\x7f");
	assert_in_range(term.bytes, 2, 6);
	check("hell", 4);
}

static void
moving(void **state)
{
	static const struct {
		const char *key;
		size_t pos;
	} keys[] = {
		{"\001", 0},	  {"\033[F", 13},   {"\033[H", 0},	{"\005", 13},
		{"\033OH", 0},	  {"\033OF", 13},   {"\033[1~", 0},	{"\033[4~", 13},
		{"\033[7~", 0},	  {"\033[8~", 13},  {"\002", 12},	{"\033[D", 11},
		{"\033OD", 10},	  {"\006", 11},	    {"\033[C", 12},	{"\033OC", 13},
		{"\033[C", 13},	  {"\033b", 8},	    {"\033[1;5D", 4},	{"\033[5D", 0},
		{"\033[1;5D", 0}, {"\033f", 3},	    {"\033[1;5C", 7},	{"\033[1;3C", 13},
		{"\033Od", 8},	  {"\033Oc", 13},   {"\033[2~", 13},	{"\033[5~", 13},
		{"\033[[A", 13},  {"\033[15~", 13}, {"\033[?1;2c", 13}, {"\033\033[D", 12},
	};

	begin(10);
	feed("one two three");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		feed(keys[i].key);
		check("one two three", keys[i].pos);
	}
}

static void
deleting(void **state)
{
	begin(80);
	feed("one two three\001\004");
	check("ne two three", 0);
	feed("\033[3~");
	check("e two three", 0);
	feed("\005\010");
	check("e two thre", 10);
	feed("\027");
	check("e two ", 6);
	feed("\027\025");
	check("", 0);
	feed("\031");
	check("e two thre", 10); /* the three kills in a row are one text */
	feed("\001\033f\013");
	check("e", 1);
	feed("x\031");
	check("ex two thre", 11);
	feed("\033\177\001\033d\033[3;5~");
	check(" ", 0);
	feed("\025\013\031");
	check("ex two ", 7); /* kills joined over three keys */
}

static void
inserting_in_the_middle(void **state)
{
	begin(8);
	feed("0123456789");
	feed("\033[D\033[D\033[Dabc");
	check("0123456abc789", 10);
	feed("\001xy");
	check("xy0123456abc789", 2);
	feed("\024");
	check("x0y123456abc789", 3);
	feed("\005\024");
	check("x0y123456abc798", 15);
}

static void
transposing_at_the_start_does_nothing(void **state)
{
	begin(80);
	feed("\024");
	check("", 0);
	feed("a\001\024");
	check("a", 0);
	feed("\005\024");
	check("a", 1);
	feed("\xc3\xa9\024");
	check("\xc3\xa9"
	      "a",
	      2);
}

static void
utf8(void **state)
{
	begin(10);
	feed("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z");
	check("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z", 5);
	feed("\033[D\033[D\010");
	check("a\xc3\xa4\xf0\x9f\x98\x80z", 2);
	feed("\004");
	check("a\xc3\xa4z", 2);
	/* what is no UTF-8 leaves no trace: lone, overlong, surrogate, unfinished, too large */
	feed("\x80\xff\xc0\xaf\xe0\x80\x80\xed\xa0\x80\xf5\x80\xf4\x90\x80\x80");
	check("a\xc3\xa4z", 2);
	feed("\xe2\x82x");
	check("a\xc3\xa4xz", 3);
	/* a replaced character that shares its first byte with the old one */
	feed("\010\010\xc3\xb6");
	check("a\xc3\xb6z", 2);
	/* exchanged characters that share their last byte */
	feed("\025\013\xc3\xa4\xc4\xa4");
	feed("\024");
	check("\xc4\xa4\xc3\xa4", 2);
}

static void
margin(void **state)
{
	begin(10);
	feed("12345678"); /* fills the row: the cursor waits on the next one */
	check("12345678", 8);
	assert_int_equal(term.row, 1);
	feed("9");
	check("123456789", 9);
	feed("\010\010");
	check("1234567", 7);
	feed("8");
	assert_int_equal(feed("\r"), LE_LINE);
	assert_string_equal(last_line, "12345678");
	assert_int_equal(term.row, 1); /* no empty row between */
	feed("1234567890123456789012345678\001");
	check("1234567890123456789012345678", 0);
	feed("\013");
	check("", 0);
}

static void
full_line(void **state)
{
	begin(80);
	for (unsigned i = 0; i < LE_LINE_MAX + 50; i++)
		feed("x");
	assert_int_equal(strlen(le_line(&le)), LE_LINE_MAX - 1);
	check(le_line(&le), LE_LINE_MAX - 1);
	feed("\010\xc3\xa4");
	assert_int_equal(strlen(le_line(&le)), LE_LINE_MAX - 2);
	feed("\025\031\031");
	assert_int_equal(strlen(le_line(&le)), LE_LINE_MAX - 2);
	check(le_line(&le), LE_LINE_MAX - 2);
}

static void
check_row(unsigned row, const char *text)
{
	for (unsigned col = 0; col < term.cols; col++)
		assert_int_equal(term.cell[row][col],
				 col < strlen(text) ? (unsigned char)text[col] : ' ');
}

/* A line that lost its end must not be executed: it means something else. */
static void
overlong_line(void **state)
{
	char text[LE_LINE_MAX + 20];

	memset(text, ' ', sizeof(text));
	strlcpy(text + LE_LINE_MAX - 10, "poke 0 0x12345678", 20);
	begin(80);
	feed(text);
	assert_int_equal(term.bells, 1);
	assert_int_equal(feed("\r"), LE_TOO_LONG);
	assert_string_equal(last_line, "");
	assert_null(le_history_get(&le, 0));
	check_row(term.row - 1, "line too long (1023 bytes at most): not executed");
	assert_int_equal(feed("help\r"), LE_LINE); /* the next one is a line like any other */
	assert_string_equal(last_line, "help");
}

static void
overlong_line_stays_so_until_emptied(void **state)
{
	char text[LE_LINE_MAX + 20];

	memset(text, 'x', sizeof(text));
	begin(80);
	feed_n(text, sizeof(text));
	feed("\010\010\010y\027");
	assert_int_equal(strlen(le_line(&le)), 0); /* one word: Ctrl-W empties the line */
	assert_int_equal(feed("a\r"), LE_LINE);
	feed_n(text, sizeof(text));
	assert_int_equal(feed("\010\010\010y\r"), LE_TOO_LONG);
	feed_n(text, sizeof(text));
	assert_int_equal(feed("\025help\r"), LE_LINE);
	feed_n(text, sizeof(text));
	assert_int_equal(feed("\003"), LE_CANCEL);
	assert_int_equal(feed("help\r"), LE_LINE);
	feed_n(text, 600);
	assert_int_equal(feed("\025\031\031\r"), LE_TOO_LONG); /* yanked twice */
	feed_n(text, sizeof(text));
	assert_int_equal(feed("\033[A\r"), LE_LINE); /* another line is shown in its place... */
	assert_string_equal(last_line, "help");
	feed_n(text, sizeof(text));
	assert_int_equal(feed("\033[A\033[B\r"), LE_TOO_LONG); /* ...and it comes back */
	feed_n(text, LE_LINE_MAX - 1);
	assert_int_equal(feed("\r"), LE_LINE); /* exactly full */
}

/* --- ends of a line ------------------------------------------------------------------------------ */

static void
enter(void **state)
{
	begin(80);
	assert_int_equal(feed("help\r"), LE_LINE);
	assert_string_equal(last_line, "help");
	assert_int_equal(feed("\n"), LE_MORE); /* CR LF is one Enter */
	assert_int_equal(feed("\n"), LE_LINE);
	assert_string_equal(last_line, "");
	assert_int_equal(feed("ab\001\n"), LE_LINE);
	assert_string_equal(last_line, "ab");
	check("", 0);
	assert_int_equal(term.row, 3);
}

static void
enter_without_prompt_or_text(void **state)
{
	size_t used;

	begin(80);
	feed("\003");
	le_start(&le, "");
	assert_int_equal(le_feed(&le, "\r", 1, &used), LE_LINE);
	assert_int_equal(term.row, 2);
}

static void
two_lines_in_one_batch(void **state)
{
	size_t used;

	begin(80);
	assert_int_equal(le_feed(&le, "one\rtwo", 7, &used), LE_LINE);
	assert_int_equal(used, 4);
	assert_string_equal(le_line(&le), "one");
}

static void
cancel_and_eof(void **state)
{
	begin(80);
	assert_int_equal(feed("\004"), LE_EOF);
	assert_int_equal(feed("abc\002\003"), LE_CANCEL);
	assert_string_equal(last_line, "");
	assert_int_equal(term.cell[1][5], 0x5e); /* ^C */
	assert_int_equal(term.cell[1][6], 0x43);
	check("", 0);
	assert_int_equal(feed("a\001\004\004"), LE_EOF);
}

static void
clear_screen(void **state)
{
	begin(10);
	feed("x\ry\r0123456789abc\002\002\014");
	assert_int_equal(term.row, 1);
	check("0123456789abc", 11);
	assert_int_equal(term.cell[0][0], '>');
}

static void
redraw(void **state)
{
	begin(10);
	feed("0123456789abc\002\002");
	term_out(&term, "\r\nlog line\r\n", 12);
	le_redraw(&le);
	check("0123456789abc", 11);
}

/* --- history ------------------------------------------------------------------------------------- */

static void
history(void **state)
{
	begin(80);
	feed("one\rtwo\rthree\rtyped");
	feed("\033[A");
	check("three", 5);
	feed("\020\033OA\033[A\033[A");
	check("one", 3);
	feed("\016");
	check("two", 3);
	feed("changed\033[B\033[B");
	check("typed", 5);
	feed("\033[B");
	check("typed", 5);
	feed("\033[A\033[A");
	check("two", 3); /* the change was not kept */
}

static void
history_keeps_no_duplicates(void **state)
{
	begin(80);
	feed("one\rtwo\rone\rone\r\r");
	assert_string_equal(le_history_get(&le, 0), "two");
	assert_string_equal(le_history_get(&le, 1), "one");
	assert_null(le_history_get(&le, 2));
}

static void
history_forgets_the_oldest(void **state)
{
	char line[64];

	begin(80);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(line, sizeof(line), "a rather long command number %u", i);
		le_history_add(&le, line);
	}
	assert_string_equal(le_history_get(&le, le.history_count - 1), line);
	assert_true(le.history_len <= LE_HISTORY_MAX);
	snprintf(line, sizeof(line), "a rather long command number %u", 1000 - le.history_count);
	assert_string_equal(le_history_get(&le, 0), line);
}

static void
search(void **state)
{
	begin(80);
	feed("mem\rvmmap 0x1000\rdmesg\rhelp\rty");
	feed("\022");
	check_screen("(reverse-i-search)`': ", "ty", 2);
	feed("m");
	check_screen("(reverse-i-search)`m': ", "dmesg", 1);
	feed("\022");
	check_screen("(reverse-i-search)`m': ", "vmmap 0x1000", 1);
	feed("em");
	check_screen("(reverse-i-search)`mem': ", "mem", 0);
	feed("\022");
	check_screen("(failed reverse-i-search)`mem': ", "mem", 0);
	feed("\010\010");
	check_screen("(reverse-i-search)`m': ", "dmesg", 1);
	feed("\007");
	check("ty", 2);
	feed("\022vmm\005 x");
	check("vmmap 0x1000 x", 14);
	feed("\003\022help\r");
	assert_string_equal(last_line, "help");
	feed("\022zzz");
	check_screen("(failed reverse-i-search)`zzz': ", "", 0);
	assert_int_equal(feed("\003"), LE_CANCEL);
	check("", 0);
}

/* --- Tab ----------------------------------------------------------------------------------------- */

static const char *
candidates(void *arg, const char *line, size_t pos, unsigned i, size_t *start)
{
	static const char *const words[] = {"dmesg", "dump", "mem", "peek", "poke", "poweroff"};
	static unsigned next;

	*start = pos;
	while (*start > 0 && line[*start - 1] != ' ')
		--*start;
	if (i == 0)
		next = 0;
	while (next < ARRAY_SIZE(words)) {
		const char *w = words[next++];

		if (strncmp(w, line + *start, pos - *start) == 0)
			return w;
	}
	return NULL;
}

static void
tab(void **state)
{
	begin_with(80, candidates);
	feed("m\t");
	check("mem ", 4);
	feed("x\t\t");
	check("mem x", 5);
	feed("\025p\t");
	check("p", 1);
	assert_int_equal(term.row, 0);
	feed("\t"); /* the second Tab lists them below, and shows the line again */
	assert_int_equal(term.row, 2);
	assert_int_equal(term.cell[1][0], 'p');
	assert_int_equal(term.cell[1][10], 'p');
	assert_int_equal(term.cell[1][20], 'p');
	check("p", 1);
	feed("o\t");
	check("po", 2);
	feed("w\t");
	check("poweroff ", 9);
	feed("\001du\t");
	check("dump poweroff ", 5);
	feed("\001\006\006\t"); /* inside a word: what is left of the cursor counts */
	check("dump mp poweroff ", 5);
}

static const char *
many(void *arg, const char *line, size_t pos, unsigned i, size_t *start)
{
	static char word[16];

	*start = 0;
	snprintf(word, sizeof(word), "word%03u", i);
	return i < 500 && strncmp(word, line, pos) == 0 ? word : NULL;
}

static void
tab_with_many_candidates(void **state)
{
	begin_with(80, many);
	feed("\t");
	check("word", 4);
	feed("\t\t");
	check("word", 4);
	assert_int_equal(term.row, 200 / 8 + 2); /* 200 are shown, the rest is counted */
	assert_int_equal(term.cell[26][8], '3');
}

/* --- random editing against a naive model -------------------------------------------------------- */

struct model {
	uint32_t text[TEXT_MAX], killed[TEXT_MAX];
	size_t n, pos, nr_killed;
	bool joined;
};

static void
model_insert(struct model *m, const uint32_t *s, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		for (size_t i = m->n; i > m->pos; i--)
			m->text[i] = m->text[i - 1];
		m->text[m->pos++] = s[k];
		m->n++;
	}
}

static void
model_delete(struct model *m, size_t from, size_t to)
{
	for (size_t i = to; i < m->n; i++)
		m->text[from + i - to] = m->text[i];
	m->n -= to - from;
	m->pos = from;
}

static void
model_kill(struct model *m, size_t from, size_t to, bool joined)
{
	const size_t n = to - from, keep = joined ? m->nr_killed : 0;
	const bool forward = from == m->pos;

	for (size_t i = 0; i < keep && !forward; i++)
		m->killed[n + keep - 1 - i] = m->killed[keep - 1 - i];
	for (size_t i = 0; i < n; i++)
		m->killed[(forward ? keep : 0) + i] = m->text[from + i];
	m->nr_killed = keep + n;
	m->joined = true;
	model_delete(m, from, to);
}

static bool
model_is_word(uint32_t c)
{
	return c >= 0x80 ||
	       (c > 0 && strchr("0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
				(int)c) != NULL);
}

static size_t
model_word_left(const struct model *m, bool blanks)
{
	size_t p = m->pos;

	while (p > 0 && (blanks ? m->text[p - 1] == ' ' : !model_is_word(m->text[p - 1])))
		p--;
	while (p > 0 && (blanks ? m->text[p - 1] != ' ' : model_is_word(m->text[p - 1])))
		p--;
	return p;
}

static size_t
model_word_right(const struct model *m)
{
	size_t p = m->pos;

	while (p < m->n && !model_is_word(m->text[p]))
		p++;
	while (p < m->n && model_is_word(m->text[p]))
		p++;
	return p;
}

static void
model_transpose(struct model *m)
{
	const size_t b = m->pos == m->n && m->n > 0 ? m->n - 1 : m->pos;
	const uint32_t saved = m->text[b];

	if (b == 0)
		return;
	m->text[b] = m->text[b - 1];
	m->text[b - 1] = saved;
	m->pos = b + 1;
}

/* One random key for both. */
static const char *
random_key(struct model *m)
{
	static const char *const texts[] = {
		"a",	  "Z", "7", " ", ".", "_", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
		"foo bar"};
	uint32_t code[8];
	const bool joined = m->joined;
	const int key = rand() % 30;

	m->joined = false;
	switch (key) {
	case 0: m->pos = 0; return "\001";
	case 1: m->pos = m->n; return "\033[F";
	case 2: m->pos -= m->pos > 0; return "\033[D";
	case 3: m->pos += m->pos < m->n; return "\006";
	case 4: m->pos = model_word_left(m, false); return "\033[1;5D";
	case 5: m->pos = model_word_right(m); return "\033f";
	case 6:
	case 7:
		if (m->pos > 0)
			model_delete(m, m->pos - 1, m->pos);
		return "\177";
	case 8:
		if (m->pos < m->n)
			model_delete(m, m->pos, m->pos + 1);
		return "\033[3~";
	case 9:
		if (rand() % 4)
			break;
		model_kill(m, m->pos, m->n, joined);
		return "\013";
	case 10:
		if (rand() % 4)
			break;
		model_kill(m, 0, m->pos, joined);
		return "\025";
	case 11: model_kill(m, model_word_left(m, true), m->pos, joined); return "\027";
	case 12: model_kill(m, m->pos, model_word_right(m), joined); return "\033d";
	case 13:
		if (m->n + m->nr_killed > 200)
			break;
		model_insert(m, m->killed, m->nr_killed);
		return "\031";
	case 14: model_transpose(m); return "\024";
	default: break;
	}
	const char *text = m->n < 200 ? texts[(unsigned)rand() % ARRAY_SIZE(texts)] : "\001";

	if (*text == '\001')
		m->pos = 0;
	else
		model_insert(m, code, decode(text, code));
	return text;
}

static void
check_against(const struct model *m)
{
	uint32_t text[LE_LINE_MAX];
	const size_t n = decode(le_line(&le), text);

	assert_int_equal(n, m->n);
	assert_memory_equal(text, m->text, n * sizeof(*text));
	check_screen("> ", le_line(&le), m->pos);
}

static void
random_editing(void **state)
{
	static const unsigned widths[] = {80, 10, 7, 3, 33};
	static struct model m;

	for (unsigned seed = 1; seed <= 25; seed++) {
		srand(seed);
		memset(&m, 0, sizeof(m));
		begin(widths[seed % ARRAY_SIZE(widths)]);
		for (unsigned i = 0; i < 400; i++) {
			feed(random_key(&m));
			check_against(&m);
		}
	}
}

/* Several keys in one batch give the same picture with less output. */
static void
random_batches(void **state)
{
	static struct model m;
	char batch[256];

	for (unsigned seed = 100; seed < 120; seed++) {
		srand(seed);
		memset(&m, 0, sizeof(m));
		begin(11);
		for (unsigned i = 0; i < 100; i++) {
			batch[0] = '\0';
			for (int k = rand() % 12; k >= 0; k--)
				strlcpy(batch + strlen(batch), random_key(&m),
					sizeof(batch) - strlen(batch));
			feed(batch);
			check_against(&m);
		}
	}
}

/* Whatever bytes come, the editor keeps its own borders (the sanitizers watch) and shows what it has. */
static void
random_bytes(void **state)
{
	for (unsigned seed = 1; seed <= 10; seed++) {
		srand(seed);
		begin_with(13, candidates);
		for (unsigned i = 0; i < 3000; i++) {
			const char c = (char)(rand() % 4 == 0 ? rand() % 32 : rand() % 256);

			feed_n(&c, 1);
		}
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(typing_costs_one_byte),
		cmocka_unit_test(moving),
		cmocka_unit_test(deleting),
		cmocka_unit_test(inserting_in_the_middle),
		cmocka_unit_test(transposing_at_the_start_does_nothing),
		cmocka_unit_test(utf8),
		cmocka_unit_test(margin),
		cmocka_unit_test(full_line),
		cmocka_unit_test(overlong_line),
		cmocka_unit_test(overlong_line_stays_so_until_emptied),
		cmocka_unit_test(enter),
		cmocka_unit_test(enter_without_prompt_or_text),
		cmocka_unit_test(two_lines_in_one_batch),
		cmocka_unit_test(cancel_and_eof),
		cmocka_unit_test(clear_screen),
		cmocka_unit_test(redraw),
		cmocka_unit_test(history),
		cmocka_unit_test(history_keeps_no_duplicates),
		cmocka_unit_test(history_forgets_the_oldest),
		cmocka_unit_test(search),
		cmocka_unit_test(tab),
		cmocka_unit_test(tab_with_many_candidates),
		cmocka_unit_test(random_editing),
		cmocka_unit_test(random_batches),
		cmocka_unit_test(random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
