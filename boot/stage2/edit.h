/*
 * edit.h - a line of text that is edited in place.  Pure; tested on the host.
 */
#pragma once
#include <lib/base.h>

#define EDIT_WIDTH 64 /* characters that are shown at a time */

struct edit {
	char *text; /* NUL-terminated */
	uint32_t size, length, cursor;
	uint32_t scroll; /* first character shown; the cursor is always among them */
};

/* Edit @text in its buffer of @size bytes; the cursor stands at its end. */
void edit_start(struct edit *e, char *text, uint32_t size);
/* Take a key of keys.h.  What does not fit, and keys without a meaning, change nothing. */
void edit_key(struct edit *e, int key);
/* What is to be seen, NUL-terminated: unprintable characters as ?. */
void edit_view(const struct edit *e, char view[EDIT_WIDTH + 1]);
