/*
 * pager.c - output a screenful at a time: space for the next page, Enter for a line, q to quit.
 *
 * It counts the rows that text takes on a terminal of the console's size: UTF-8 characters take one
 * cell, escape sequences none.
 */
#include "pager.h"
#include <dev/console.h>
#include <kern/wait.h>
#include <lib/string.h>
#include "cmds.h"

#define KEY_TIMEOUT_MS 50 /* between the bytes of one key */

void
pager_init(struct pager *p)
{
	memset(p, 0, sizeof(*p));
	console_size(&p->cols, &p->rows);
	if (p->rows < 3)
		p->rows = 25;
}

/* Rows to go on by for the typed byte @c; 0: not a key of ours. */
static unsigned
rows_for_key(const struct pager *p, int c)
{
	char seq[3] = "";

	switch (c) {
	case ' ':
	case 'f': return p->rows - 1;
	case '\r':
	case '\n':
	case 'j': return 1;
	case 0x1b:
		for (unsigned i = 0; i < sizeof(seq); i++) {
			const int next = sh_read_byte(KEY_TIMEOUT_MS);

			if (next < 0)
				break;
			seq[i] = (char)next;
			if (i > 0 && next >= 0x40)
				break;
		}
		if (seq[0] == '[' && seq[1] == 'B')
			return 1;					 /* arrow down */
		return seq[0] == '[' && seq[1] == '6' ? p->rows - 1 : 0; /* page down */
	default: return 0;
	}
}

static void
stop(struct pager *p)
{
	static const char ask[] = "\033[7m-- more: space = page, Enter = line, q = quit --";
	unsigned go_on = 0;

	console_write(ask, sizeof(ask) - 1);
	console_write(sh_normal(), strlen(sh_normal()));
	while (go_on == 0) {
		const int c = sh_read_byte(WAIT_FOREVER);

		if (c == 'q' || c == 'Q' || c < 0) {
			p->quit = true;
			break;
		}
		go_on = rows_for_key(p, c);
	}
	console_write("\r\033[K", 4);
	p->row = p->rows - 1 - go_on;
	p->col = 0;
}

/* Does @c, printed now, begin a new row? */
static bool
advances(struct pager *p, char c)
{
	if (p->escape > 0) {
		if (p->escape == 1)
			p->escape = c == '[' ? 2 : 0;
		else if (c >= 0x40 && c <= 0x7e)
			p->escape = 0;
		return false;
	}
	switch (c) {
	case 0x1b: p->escape = 1; return false;
	case '\n': p->col = 0; return true;
	case '\r': p->col = 0; return false;
	case '\t': p->col = MIN((p->col | 7) + 1, p->cols - 1); return false;
	default: break;
	}
	if (((unsigned char)c & 0xc0) == 0x80)
		return false;
	if (p->col++ < p->cols)
		return false;
	p->col = 1; /* the line was full: this character wrapped */
	return true;
}

void
pager_write(struct pager *p, const char *s, size_t n)
{
	size_t start = 0;

	for (size_t i = 0; i < n && !p->quit; i++) {
		if (p->row >= p->rows - 1) {
			console_write(s + start, i - start);
			start = i;
			stop(p);
			if (p->quit)
				return;
		}
		if (advances(p, s[i]))
			p->row++;
	}
	if (!p->quit)
		console_write(s + start, n - start);
}
