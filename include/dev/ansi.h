/*
 * ansi.h - a terminal without hardware: bytes in, cells out.
 *
 * A VT100 with the colours and habits of xterm, on 80x25 cells in the format of the PC's text
 * screen (attribute << 8 | code page 437 character), with the lines that scrolled off the top kept.
 * Implementation: drivers/ansi.c (bytes to functions), drivers/ansi_screen.c (functions on cells),
 * drivers/ansi_sgr.c (colours).  Pure: no locks of its own, the owner serialises.
 * Spec: ECMA-48, "Definition of control functions"; DEC VT510 Video Terminal Programmer
 * Information, "ANSI Control Functions"; xterm, "Xterm Control Sequences".
 */
#pragma once
#include <lib/base.h>
#include <dev/utf8.h>

#define ANSI_COLS      80
#define ANSI_ROWS      25
#define ANSI_HISTORY   1000			  /* lines kept above the screen */
#define ANSI_LINES     (ANSI_HISTORY + ANSI_ROWS) /* of the ring that holds both */
#define ANSI_PARAMS    16
#define ANSI_DIRTY_ALL ((1U << ANSI_ROWS) - 1)

enum ansi_state {
	ANSI_GROUND,
	ANSI_ESC,	 /* after ESC */
	ANSI_ESC_INTER,	 /* ESC and an intermediate byte, 20h-2Fh */
	ANSI_CSI,	 /* after ESC [ and parameters */
	ANSI_CSI_INTER,	 /* after an intermediate byte in it */
	ANSI_CSI_IGNORE, /* malformed: to its final byte */
	ANSI_STRING,	 /* OSC, DCS, SOS, PM, APC: to BEL or ESC \ */
};

/* Select Graphic Rendition, as set; ansi_sgr_update() makes cells' attributes of it. */
struct ansi_sgr {
	uint8_t fg, bg; /* VGA colours, 0-15 */
	bool bold, reverse, conceal;
};

/* What ESC 7 keeps. */
struct ansi_saved {
	unsigned row, col;
	bool wrap_pending, origin;
	struct ansi_sgr sgr;
	uint8_t charset[2], shift;
};

struct ansi {
	unsigned top;
	unsigned history; /* lines before top that hold something, up to ANSI_HISTORY */
	uint32_t dirty;	  /* bit r: line r changed; the owner clears it */

	unsigned row, col;   /* cursor */
	bool wrap_pending;   /* the last column is written: the next character starts a line */
	bool cursor_visible; /* DECTCEM */
	bool autowrap;	     /* DECAWM */
	bool origin;	     /* DECOM: rows count from the top margin */
	bool insert;	     /* IRM */
	bool newline;	     /* LNM: LF implies CR */
	unsigned margin_top, margin_bottom; /* scroll region, both inclusive */
	uint8_t tabs[ANSI_COLS / 8];	    /* bit set = tab stop */

	struct ansi_sgr sgr;
	uint16_t attr;	    /* of written cells, in the high byte */
	uint16_t blank;	    /* erased cell: a space on the current background */
	uint8_t charset[2]; /* G0, G1: 'B' = ASCII, '0' = DEC line drawing */
	uint8_t shift;	    /* which of them: SI, SO */
	struct ansi_saved saved;

	enum ansi_state state;
	struct utf8 utf8;
	uint32_t last_cp; /* for REP */
	uint8_t private;  /* '?', '>' ... after CSI, or 0 */
	uint8_t inter;	  /* intermediate byte */
	uint16_t param[ANSI_PARAMS];
	unsigned nr_params;

	/* Answers to the questions of programs (DSR, DA); may be NULL. */
	void (*reply)(void *arg, const char *s, size_t n);
	void *reply_arg;

	/*
	 * Cells. Line r of the screen is ring[(top + r) % ANSI_LINES]; the history lies before top.
	 * Aligned, so that four cells can be read at once.
	 */
	uint16_t ring[ANSI_LINES][ANSI_COLS] __attribute__((aligned(8)));
};

/* An empty screen in the default colours, history forgotten. */
void ansi_init(struct ansi *t);
/* Feed any bytes, UTF-8 and control sequences, split anywhere. */
void ansi_write(struct ansi *t, const char *s, size_t n);

/* Cells of screen line @row. */
static inline uint16_t *
ansi_line(struct ansi *t, unsigned row)
{
	const unsigned i = t->top + row;

	return t->ring[i < ANSI_LINES ? i : i - ANSI_LINES];
}
/* The same with the screen moved @back lines into the history (<= t->history). */
static inline uint16_t *
ansi_view_line(struct ansi *t, unsigned back, unsigned row)
{
	unsigned i = t->top + row;

	i += i < back ? ANSI_LINES - back : -back;
	return t->ring[i < ANSI_LINES ? i : i - ANSI_LINES];
}
