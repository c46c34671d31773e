/*
 * test_ansi.c - the terminal: each control function, deferred wrap, scrollback, and random streams
 * against a second, naive implementation (ansi_model.h).
 *
 * SOURCES: drivers/ansi.c drivers/ansi_screen.c drivers/ansi_sgr.c drivers/utf8.c drivers/cp437.c
 * SOURCES: kernel/lib/string.c kernel/lib/printf.c
 */
#include "host.h"
#include <dev/ansi.h>
#include <lib/printf.h>
#include <lib/string.h>
#include "ansi_model.h"

static struct ansi term, other;
static char replies[256];

static void
on_reply(void *arg, const char *s, size_t n)
{
	const size_t used = strlen(replies);

	assert_true(used + n < sizeof(replies));
	memcpy(replies + used, s, n);
	replies[used + n] = '\0';
}

static int
fresh(void **state)
{
	ansi_init(&term);
	term.reply = on_reply;
	replies[0] = '\0';
	return 0;
}

static void
feed(const char *s)
{
	ansi_write(&term, s, strlen(s));
}

/* The text of a line without trailing blanks. */
static const char *
text(unsigned row)
{
	static char buf[4][ANSI_COLS + 1];
	static unsigned turn;
	char *out = buf[turn++ % 4];
	size_t len = 0;

	for (unsigned col = 0; col < ANSI_COLS; col++) {
		out[col] = (char)ansi_line(&term, row)[col];
		if (out[col] != ' ')
			len = col + 1;
	}
	out[len] = '\0';
	return out;
}

static unsigned
attr(unsigned row, unsigned col)
{
	return ansi_line(&term, row)[col] >> 8;
}

#define assert_cursor(r, c)                    \
	do {                                   \
		assert_int_equal(term.row, r); \
		assert_int_equal(term.col, c); \
	} while (0)

static void
plain_text(void **state)
{
	feed("Hello\nWorld\r\n\ttab");
	assert_string_equal(text(0), "Hello");
	assert_string_equal(text(1), "World");
	assert_string_equal(text(2), "        tab");
	assert_cursor(2, 11);
	assert_int_equal(attr(0, 0), 0x07);
	feed("\b\bX");
	assert_string_equal(text(2), "        tXb");
	feed("\033Enext\033Ddown");
	assert_string_equal(text(3), "next");
	assert_string_equal(text(4), "    down");
}

static void
deferred_wrap(void **state)
{
	char line[ANSI_COLS + 1];

	memset(line, 'x', ANSI_COLS);
	line[ANSI_COLS] = '\0';
	feed(line);
	assert_cursor(0, 79); /* it waits in the last column */
	assert_true(term.wrap_pending);
	feed("\r");
	assert_cursor(0, 0);
	feed(line);
	feed("y");
	assert_cursor(1, 1);
	assert_string_equal(text(1), "y");
	/* Newline after a full line: one line on, not two. */
	feed("\033[H");
	feed(line);
	feed("\nz");
	assert_cursor(1, 1);
	/* Backspace leaves the last column; any cursor motion forgets the wrap. */
	feed("\033[H");
	feed(line);
	feed("\b");
	assert_cursor(0, 78);
	feed("\033[1;80HA\033[CB");
	assert_cursor(0, 79);
	assert_int_equal((char)ansi_line(&term, 0)[79], 'B');
	/* Autowrap off: the last column is overwritten. */
	feed("\033[?7l\033[H");
	feed(line);
	feed("PQ");
	assert_cursor(0, 79);
	assert_int_equal((char)ansi_line(&term, 0)[79], 'Q');
	feed("\033[?7hR\033[?7lS"); /* a wrap that waits is forgotten with it */
	assert_cursor(0, 79);
	assert_int_equal((char)ansi_line(&term, 0)[79], 'S');
}

static void
cursor_moves(void **state)
{
	feed("\033[10;20H");
	assert_cursor(9, 19);
	feed("\033[3A\033[2B\033[5C\033[1D");
	assert_cursor(8, 23);
	feed("\033[2E");
	assert_cursor(10, 0);
	feed("\033[7C\033[F");
	assert_cursor(9, 0);
	feed("\033[33G\033[4d");
	assert_cursor(3, 32);
	feed("\033[6;7f");
	assert_cursor(5, 6);
	feed("\033[999;999H");
	assert_cursor(24, 79);
	feed("\033[999A\033[999D");
	assert_cursor(0, 0);
	feed("\033[0C"); /* 0 counts as 1 */
	assert_cursor(0, 1);
	feed("\033[99999999999999999999C");
	assert_cursor(0, 79);
}

static void
erase(void **state)
{
	for (unsigned i = 0; i < 24; i++)
		feed("abcdefghij\n");
	feed("\033[5;5H\033[K");
	assert_string_equal(text(4), "abcd");
	feed("\033[6;5H\033[1K");
	assert_string_equal(text(5), "     fghij");
	feed("\033[7;5H\033[2K");
	assert_string_equal(text(6), "");
	feed("\033[8;3H\033[2X");
	assert_string_equal(text(7), "ab  efghij");
	feed("\033[20;4H\033[J");
	assert_string_equal(text(19), "abc");
	assert_string_equal(text(20), "");
	feed("\033[2;4H\033[1J");
	assert_string_equal(text(0), "");
	assert_string_equal(text(1), "    efghij");
	assert_string_equal(text(2), "abcdefghij");
	feed("\033[44m\033[2J"); /* erased cells take the background */
	assert_string_equal(text(2), "");
	assert_int_equal(attr(12, 40), 0x17);
}

static void
insert_and_delete(void **state)
{
	feed("one\ntwo\nthree\nfour");
	feed("\033[2;2H\033[L");
	assert_string_equal(text(1), "");
	assert_string_equal(text(2), "two");
	assert_cursor(1, 0);
	feed("\033[2M");
	assert_string_equal(text(1), "three");
	feed("\033[1;2H\033[2@");
	assert_string_equal(text(0), "o  ne");
	feed("\033[3P");
	assert_string_equal(text(0), "oe");
	feed("\033[4hXY\033[4l");
	assert_string_equal(text(0), "oXYe");
	feed("\033[1;79H\033[9@\033[999P\033[999L\033[999M"); /* beyond all edges */
}

static void
margins(void **state)
{
	for (unsigned i = 0; i < 24; i++) {
		const char line[] = {(char)('a' + i), '\n', '\0'};

		feed(line);
	}
	feed("\033[5;10r");
	assert_cursor(0, 0);
	feed("\033[10;1H\n"); /* a line feed at the bottom margin scrolls only the region */
	assert_string_equal(text(3), "d");
	assert_string_equal(text(4), "f");
	assert_string_equal(text(8), "j");
	assert_string_equal(text(9), "");
	assert_string_equal(text(10), "k");
	feed("\033[5;1H\033M");
	assert_string_equal(text(4), "");
	assert_string_equal(text(5), "f");
	feed("\033[2S");
	assert_string_equal(text(4), "g");
	feed("\033[1T");
	assert_string_equal(text(5), "g");
	feed("\033[?6h"); /* origin mode */
	assert_cursor(4, 0);
	feed("\033[99;3H");
	assert_cursor(9, 2);
	feed("\033[6;9r");
	assert_cursor(5, 0);
	feed("\033[2;4H\033[6n");
	assert_cursor(6, 3);
	assert_string_equal(replies, "\033[2;4R");
	feed("\033[?6l\033[r\033[24;1H");
	assert_cursor(23, 0);
	feed("\033[9;3r"); /* upside down: refused */
	assert_int_equal(term.margin_top, 0);
	assert_int_equal(term.margin_bottom, 24);
}

static void
colors(void **state)
{
	feed("\033[31mR\033[1mB\033[0mN\033[7mV\033[27;42mG\033[92;104mH\033[39;49mD");
	assert_int_equal(attr(0, 0), 0x04);
	assert_int_equal(attr(0, 1), 0x0c);
	assert_int_equal(attr(0, 2), 0x07);
	assert_int_equal(attr(0, 3), 0x70);
	assert_int_equal(attr(0, 4), 0x27);
	assert_int_equal(attr(0, 5), 0x9a);
	assert_int_equal(attr(0, 6), 0x07);
	feed("\r\033[38;5;1ma\033[38;5;196mb\033[38;5;21mc\033[38;5;255md\033[48;5;226me");
	assert_int_equal(attr(0, 0), 0x04);
	assert_int_equal(attr(0, 1), 0x04); /* ff0000 is nearer to aa0000 than to ff5555 */
	assert_int_equal(attr(0, 2), 0x01);
	assert_int_equal(attr(0, 3), 0x0f);
	assert_int_equal(attr(0, 4) >> 4, 0x0e);
	feed("\r\033[m\033[38;2;85;255;85;44mx\033[0;38mz"); /* true colour, then more; a cut one */
	assert_int_equal(attr(0, 0), 0x1a);
	assert_int_equal(attr(0, 1), 0x07);
	/* Their numbers mean nothing else. */
	feed("\r\033[0;48;5;1mb\033[0;38;5;1mf\033[0;48;2;1;7;1mt");
	assert_int_equal(attr(0, 0), 0x47);
	assert_int_equal(attr(0, 1), 0x04);
	assert_int_equal(attr(0, 2), 0x07);
	feed("\r\033[0;8mS\033[28mT");
	assert_int_equal(attr(0, 0), 0x00);
	assert_int_equal(attr(0, 1), 0x07);
}

static void
save_and_restore(void **state)
{
	feed("\033[5;6H\033[33m\0337\033[m\033[20;20H\0338x");
	assert_cursor(4, 6);
	assert_int_equal(attr(4, 5), 0x06);
	feed("\033[s\033[1;1H\033[u");
	assert_cursor(4, 6);
	fresh(NULL);
	feed("\033[9;9H\0338"); /* nothing saved: home */
	assert_cursor(0, 0);
}

static void
tabs(void **state)
{
	feed("\t\t");
	assert_cursor(0, 16);
	feed("\033[Z");
	assert_cursor(0, 8);
	feed("\033[3I");
	assert_cursor(0, 32);
	feed("\033[3g\r\t");
	assert_cursor(0, 79);
	feed("\033[1;5H\033H\r\t");
	assert_cursor(0, 4);
	feed("\033[g\r\t\033[99Z");
	assert_cursor(0, 0);
}

static void
reports(void **state)
{
	feed("\033[3;4H\033[6n");
	assert_string_equal(replies, "\033[3;4R");
	replies[0] = '\0';
	feed("\033[5n\033[c");
	assert_string_equal(replies, "\033[0n\033[?6c");
	feed("\033[?25l");
	assert_false(term.cursor_visible);
	feed("\033[?25h");
	assert_true(term.cursor_visible);
}

static void
reset(void **state)
{
	feed("\033[31;44mfoo\033[3;9r\033[4h\033[?25l\033c");
	assert_string_equal(text(0), "");
	assert_cursor(0, 0);
	assert_int_equal(attr(0, 0), 0x07);
	assert_int_equal(term.margin_bottom, 24);
	assert_false(term.insert);
	assert_true(term.cursor_visible);
	feed("\033[7m\033[!pR");
	assert_int_equal(attr(0, 0), 0x07);
}

static void
unicode(void **state)
{
	feed("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xe2\x82\xac");
	assert_memory_equal(text(0), "\x84\x94\x81\xe1\xee", 5);
	feed("\r\n\xe2\x94\x8c\xe2\x94\x80\xe2\x95\x97");
	assert_memory_equal(text(1), "\xda\xc4\xbb", 3);
	feed("\r\nA\xcc\x81"
	     "B"); /* a combining accent takes no cell */
	assert_string_equal(text(2), "AB");
	feed("\r\nA\xc2\x85\xc2\x9b"
	     "C"); /* C1 controls in UTF-8 show nothing */
	assert_string_equal(text(3), "AC");
	feed("\033[2K\033[A");
	feed("\r\n\xe4\xb8\xad"
	     "C"); /* a wide character takes two */
	assert_string_equal(text(3), "? C");
	feed("\r\n\xff\xc3(\xe2\x82\r");
	assert_memory_equal(text(4), "\xfe\xfe(\xfe", 4);
	feed("\033(0lqk\033(Bq"); /* DEC line drawing */
	assert_memory_equal(text(4), "\xda\xc4\xbfq", 4);
}

static void
broken_sequences(void **state)
{
	feed("\033[31;3\030A"); /* CAN abandons */
	assert_string_equal(text(0), "A");
	feed("\033[3\033[2CB"); /* ESC begins anew */
	assert_string_equal(text(0), "A  B");
	feed("\r\033[1\n;1HC"); /* a control inside a sequence is obeyed */
	assert_string_equal(text(0), "C  B");
	feed("\r\033]0;title\007D\033P1;2|data\033\\E\033_x\033\\F");
	assert_string_equal(text(0), "DEFB");
	feed("\r\033[?99zG\033[>1;2cH\033[ qI\033[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18mJ");
	assert_string_equal(text(0), "GHIJ");
	assert_string_equal(replies, "");
	feed("\r\033[5\xc3\xa4K");
	assert_memory_equal(text(0), "\x84KIJ", 4);
}

static void
scrollback(void **state)
{
	char line[16];

	for (unsigned i = 0; i < 2000; i++) {
		snprintf(line, sizeof(line), "line %u\n", i);
		feed(line);
	}
	assert_int_equal(term.history, ANSI_HISTORY);
	assert_string_equal(text(0), "line 1976");
	for (unsigned back = 1; back <= ANSI_HISTORY; back++) {
		char got[12] = {0};

		for (unsigned i = 0; i < 11; i++)
			got[i] = (char)ansi_view_line(&term, back, 0)[i];
		snprintf(line, sizeof(line), "line %-6u", 1976 - back);
		assert_string_equal(got, line);
	}
	feed("\033[3J");
	assert_int_equal(term.history, 0);
}

/* --- random streams --------------------------------------------------------------------------- */

static uint64_t seed;

static unsigned
rnd(unsigned n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % n;
}

static void
check_invariants(void)
{
	assert_true(term.row < ANSI_ROWS && term.col < ANSI_COLS);
	assert_true(term.margin_top < term.margin_bottom && term.margin_bottom < ANSI_ROWS);
	assert_true(term.top < ANSI_LINES && term.history <= ANSI_HISTORY);
	assert_true(term.nr_params <= ANSI_PARAMS && term.shift < 2);
	assert_true(!term.wrap_pending || term.col == ANSI_COLS - 1);
	assert_int_equal(term.dirty & ~ANSI_DIRTY_ALL, 0);
}

/* Bytes that lead deep into the parser more often than chance would. */
static char
random_byte(void)
{
	static const char likely_bytes[] =
		"\033\033[[[[]?;;;;0123456789ABCDHJKLMPSTXrmsuhl@ \n\r\t\b\xc3\xe2\xf0\x80";

	return rnd(4) ? likely_bytes[rnd(sizeof(likely_bytes) - 1)] : (char)rnd(256);
}

static void
random_bytes(void **state)
{
	for (seed = 1; seed < 400; seed++) {
		char bytes[2048];
		const uint64_t keep = seed;

		fresh(NULL);
		term.reply = NULL;
		ansi_init(&other);
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = random_byte();
		/* All at once, and in pieces of any size: the result is the same. */
		ansi_write(&other, bytes, sizeof(bytes));
		for (size_t at = 0; at < sizeof(bytes);) {
			const size_t piece = rnd(9), n = MIN(sizeof(bytes) - at, piece);

			ansi_write(&term, bytes + at, n);
			check_invariants();
			at += n;
		}
		for (unsigned row = 0; row < ANSI_ROWS; row++)
			assert_memory_equal(ansi_line(&term, row), ansi_line(&other, row),
					    ANSI_COLS * sizeof(uint16_t));
		assert_memory_equal(&term, &other, offsetof(struct ansi, reply));
		seed = keep;
	}
}

static void
compare_with_model(const struct model *m, unsigned step)
{
	if (term.row != m->row || term.col != m->col || term.wrap_pending != m->wrap)
		fail_msg("seed %lu step %u after %s: cursor %u,%u,%d, model %u,%u,%d",
			 (unsigned long)seed, step, m->last, term.row, term.col, term.wrap_pending,
			 m->row, m->col, m->wrap);
	for (unsigned row = 0; row < ANSI_ROWS; row++)
		for (unsigned col = 0; col < ANSI_COLS; col++)
			if (ansi_line(&term, row)[col] != m->cell[row][col])
				fail_msg("step %u after %s: cell %u,%u is %04x, model %04x", step,
					 m->last, row, col, ansi_line(&term, row)[col],
					 m->cell[row][col]);
}

static void
random_functions_against_model(void **state)
{
	static struct model m;

	for (unsigned round = 0; round < 60; round++) {
		seed = 1000 + round;
		fresh(NULL);
		model_init(&m);
		for (unsigned step = 0; step < 600; step++) {
			char sequence[128];

			model_step(&m, rnd, sequence, sizeof(sequence));
			feed(sequence);
			compare_with_model(&m, step);
		}
		assert_int_equal(term.history, MIN(m.scrolled, ANSI_HISTORY));
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, fresh)
	const struct CMUnitTest tests[] = {
		T(plain_text),
		T(deferred_wrap),
		T(cursor_moves),
		T(erase),
		T(insert_and_delete),
		T(margins),
		T(colors),
		T(save_and_restore),
		T(tabs),
		T(reports),
		T(reset),
		T(unicode),
		T(broken_sequences),
		T(scrollback),
		T(random_bytes),
		T(random_functions_against_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
