/*
 * parse.h - the shell's language: one line of text to commands with arguments.
 *
 *	word 'as it is' "with \" and \\" back\ slash ; next command | more   # comment
 *
 * Pure; implementation: kernel/shell/parse.c.
 */
#pragma once
#include <lib/base.h>

#define PARSE_ARGS_MAX 32
#define PARSE_TEXT_MAX 1024 /* bytes of all words of a command with their NULs */

struct parse_command {
	int argc;
	char *argv[PARSE_ARGS_MAX + 1]; /* into @text; argv[argc] is NULL */
	bool more;			/* `| more` stood behind it */
	char text[PARSE_TEXT_MAX];
};

/*
 * Take the next command from *@line and move *@line behind it.  Returns 1, 0 at the end of the
 * line, or -EINVAL with *@error telling a person why (a constant string).  Empty commands (";;")
 * are skipped.
 */
int parse_next(const char **line, struct parse_command *cmd, const char **error);

/* Check a whole line: 0, or -EINVAL and *@error.  @scratch is overwritten. */
int parse_check(const char *line, struct parse_command *scratch, const char **error);

/*
 * How many keystrokes lie between two words (insert, delete, replace, exchange neighbours); words
 * longer than 31 bytes count as very different.  For "did you mean".
 */
unsigned parse_distance(const char *a, const char *b);
