/*
 * edit.c - one line of text, a cursor in it, and a window that follows the cursor.
 */
#include "edit.h"
#include <lib/string.h>
#include "keys.h"

void
edit_start(struct edit *e, char *text, uint32_t size)
{
	*e = (struct edit){.text = text, .size = size, .length = (uint32_t)strlen(text)};
	edit_key(e, KEY_END);
}

static void
insert(struct edit *e, char c)
{
	char *at = e->text + e->cursor;

	if (e->length + 1 >= e->size)
		return;
	memmove(at + 1, at, e->length - e->cursor + 1);
	*at = c;
	e->length++;
	e->cursor++;
}

/* Take out the character under the cursor. */
static void
take_out(struct edit *e)
{
	char *at = e->text + e->cursor;

	if (e->cursor == e->length)
		return;
	memmove(at, at + 1, e->length - e->cursor);
	e->length--;
}

/* Drop all that stands before the cursor. */
static void
cut_start(struct edit *e)
{
	memmove(e->text, e->text + e->cursor, e->length - e->cursor + 1);
	e->length -= e->cursor;
	e->cursor = 0;
}

void
edit_key(struct edit *e, int key)
{
	if (key == KEY_LEFT && e->cursor > 0) {
		e->cursor--;
	} else if (key == KEY_RIGHT && e->cursor < e->length) {
		e->cursor++;
	} else if (key == KEY_HOME) {
		e->cursor = 0;
	} else if (key == KEY_END) {
		e->cursor = e->length;
	} else if (key == KEY_DELETE) {
		take_out(e);
	} else if (key == KEY_BACKSPACE && e->cursor > 0) {
		e->cursor--;
		take_out(e);
	} else if (key == KEY_CTRL_U) {
		cut_start(e);
	} else if (key >= ' ' && key <= '~') {
		insert(e, (char)key);
	}
	if (e->cursor < e->scroll)
		e->scroll = e->cursor;
	if (e->cursor >= e->scroll + EDIT_WIDTH)
		e->scroll = e->cursor - EDIT_WIDTH + 1;
}

void
edit_view(const struct edit *e, char view[EDIT_WIDTH + 1])
{
	uint32_t i;

	for (i = 0; i < EDIT_WIDTH && e->scroll + i < e->length; i++) {
		const char c = e->text[e->scroll + i];

		view[i] = c >= ' ' && c <= '~' ? c : '?';
	}
	view[i] = '\0';
}
