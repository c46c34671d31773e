/*
 * utf8.h - UTF-8 and code page 437: what terminals speak and what the PC's text screen can show.
 *
 * Pure; any context.  Implementation: drivers/utf8.c, drivers/cp437.c.
 * Spec: The Unicode Standard, "UTF-8" and "Constraints on Conversion Processes".
 */
#pragma once
#include <lib/base.h>

#define UTF8_REPLACEMENT 0xfffd
#define UTF8_MAX	 4 /* bytes of one character */

/* A decoder between two bytes; all zero = at a character's start. */
struct utf8 {
	uint32_t cp;  /* bits collected so far */
	uint8_t need; /* continuation bytes still to come */
	uint8_t lo,
		hi; /* what the next one may be: rules out overlong forms, surrogates, > 10FFFFh */
};

enum utf8_result {
	UTF8_MORE,  /* byte taken, character not complete */
	UTF8_DONE,  /* byte taken, *@cp is a character (the replacement if none starts so) */
	UTF8_AGAIN, /* *@cp is the replacement for what came before; feed the same byte once more */
};

enum utf8_result utf8_feed(struct utf8 *u, uint8_t byte, uint32_t *cp);
/*
 * Encode into @out, which has room for UTF8_MAX; returns 1-4, the bytes.  What is no character
 * becomes the replacement.
 */
size_t utf8_encode(uint32_t cp, char *out);
/* Cells that a terminal gives to @cp: 0 (combining, invisible), 1 or 2 (East Asian wide, emoji). */
unsigned unicode_width(uint32_t cp);

/* The character of code page 437 that shows @cp, or resembles it; '?' if there is none. */
uint8_t cp437_from_unicode(uint32_t cp);
uint16_t cp437_to_unicode(uint8_t c);
