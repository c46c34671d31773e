/*
 * line_edit.h - the line editor: bytes from a terminal in, one edited line out.
 *
 * Pure: it knows neither consoles nor threads; it writes through a callback and never asks the
 * terminal anything.  Implementation: kernel/shell/line_edit.c (display, keys) and
 * kernel/shell/line_history.c; tested on the host against a model terminal.
 * Units: positions in the line are bytes, positions on the screen are cells counted from the
 * first cell of the prompt; every UTF-8 character takes one cell.
 */
#pragma once
#include <lib/base.h>

#define LE_LINE_MAX    1024 /* bytes of a line, with its NUL */
#define LE_PROMPT_MAX  112  /* bytes of a prompt, with its NUL */
#define LE_PATTERN_MAX 48   /* bytes searched for with Ctrl-R, with the NUL */
#define LE_HISTORY_MAX 8192 /* bytes of all remembered lines, each with its NUL */

typedef void (*le_out_fn)(void *arg, const char *s, size_t n);

/*
 * Tab: the @i-th candidate for the word that ends at byte @pos of @line, NULL past the last, and in
 * *@start the byte where that word begins.  Every candidate begins with the word.  The editor asks
 * for i = 0, 1, 2... in order; a result must stay valid until the next call only.
 */
typedef const char *(*le_complete_fn)(void *arg, const char *line, size_t pos, unsigned i,
				      size_t *start);

enum le_result {
	LE_MORE,     /* the line is still being edited */
	LE_LINE,     /* Enter: le_line() has it */
	LE_CANCEL,   /* Ctrl-C: "^C" was printed, the line is empty */
	LE_EOF,	     /* Ctrl-D in an empty line */
	LE_TOO_LONG, /* Enter, but not all that was typed fitted: that was said, the line is empty */
};

struct line_edit {
	le_out_fn out;
	le_complete_fn complete; /* may be NULL */
	void *arg;		 /* for both */
	unsigned width;		 /* columns of the terminal */

	char line[LE_LINE_MAX];
	size_t len, pos; /* both at the border of a character */
	bool overflow;	 /* something typed did not fit: the line is not what was meant */
	char prompt[LE_PROMPT_MAX];

	char killed[LE_LINE_MAX]; /* what Ctrl-Y brings back */
	size_t killed_len;
	bool kill_again; /* the last key killed: the next kill joins its text */
	bool tab_again;	 /* the last key was a Tab that could not add anything */

	/* What stands on the terminal now, and what should. */
	char shown[LE_LINE_MAX + LE_PROMPT_MAX], want[LE_LINE_MAX + LE_PROMPT_MAX];
	size_t shown_len;
	size_t cursor; /* cell */
	char out_buf[128];
	size_t out_len;

	/* Decoding of input. */
	unsigned state;
	unsigned param[2], nr_params;
	char utf8[4];
	unsigned utf8_len, utf8_need;
	bool after_cr;

	/* Remembered lines, oldest first, each NUL-terminated. */
	char history[LE_HISTORY_MAX];
	size_t history_len;
	unsigned history_count, history_at; /* at == count: the line being typed */
	char typed[LE_LINE_MAX];	    /* that line, while another is shown */
	bool typed_overflow;

	bool searching, search_failed;
	char pattern[LE_PATTERN_MAX];
	size_t pattern_len;
};

/* @width of 0 is taken as 80.  The history is emptied. */
void le_init(struct line_edit *le, le_out_fn out, le_complete_fn complete, void *arg,
	     unsigned width);
/* Begin a new line: the terminal's cursor stands in column 0; the prompt is printed. */
void le_start(struct line_edit *le, const char *prompt);
/*
 * Feed @n typed bytes.  Stops behind the byte that ends the line; *@used says how many were taken.
 * The cursor is then in column 0 of the row below the text.
 */
enum le_result le_feed(struct line_edit *le, const char *bytes, size_t n, size_t *used);
/* Take prompt and line off the terminal, so that something else can be printed there; then le_redraw(). */
void le_hide(struct line_edit *le);
/* The line as it is now. */
const char *le_line(const struct line_edit *le);
/* Something else was printed: the cursor is in column 0 of a fresh row; show prompt and line again. */
void le_redraw(struct line_edit *le);

/* Remember @line unless it is empty; an older line with the same text is forgotten. */
void le_history_add(struct line_edit *le, const char *line);
/* Remembered line @i, 0 = oldest; NULL past the end. */
const char *le_history_get(const struct line_edit *le, unsigned i);

/* For kernel/shell/line_history.c. */
void le_set_line(struct line_edit *le, const char *text);
void le_history_move(struct line_edit *le, int step);
void le_search_start(struct line_edit *le);
/* Look for the pattern in line @from and older ones; shows what it finds. */
void le_search(struct line_edit *le, unsigned from);
/* Keys while searching.  True when the key is done with, false when the line editor must handle it. */
bool le_search_key(struct line_edit *le, unsigned key);

/* Keys as the decoder gives them: control characters are themselves. */
enum le_key {
	LE_KEY_NONE = 0x100,
	LE_KEY_TEXT, /* one character, in le->utf8 */
	LE_KEY_UP,
	LE_KEY_DOWN,
	LE_KEY_LEFT,
	LE_KEY_RIGHT,
	LE_KEY_HOME,
	LE_KEY_END,
	LE_KEY_DELETE,
	LE_KEY_WORD_LEFT,
	LE_KEY_WORD_RIGHT,
	LE_KEY_KILL_WORD_RIGHT,
	LE_KEY_KILL_WORD_LEFT,
};
#define LE_CTRL(c) ((c)&0x1f)
/* Feed the decoder one byte.  LE_KEY_NONE until a key is complete.  (kernel/shell/line_keys.c) */
unsigned le_decode(struct line_edit *le, unsigned char c);
