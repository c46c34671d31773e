/*
 * parse.c - the shell's language: quotes, backslash, `;`, `#`, `| more`.
 *
 * Inside '...' nothing is special; inside "..." a backslash keeps its meaning before " and \ only;
 * elsewhere it takes the next character as it is.  A # begins a comment only where a word could
 * begin, so that a#b is a word.
 */
#include <kern/parse.h>
#include <lib/errno.h>
#include <lib/string.h>

struct cursor {
	const char *p;
	struct parse_command *cmd;
	size_t used; /* bytes of cmd->text */
	const char *error;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool
ends_command(char c)
{
	return c == '\0' || c == ';' || c == '\n' || c == '|';
}

static void
skip_blanks(struct cursor *cur)
{
	while (is_blank(*cur->p))
		cur->p++;
	if (*cur->p == '#')
		while (*cur->p != '\0' && *cur->p != '\n')
			cur->p++;
}

static bool
fail(struct cursor *cur, const char *why)
{
	cur->error = why;
	return false;
}

static bool
put(struct cursor *cur, char c)
{
	if (cur->used >= PARSE_TEXT_MAX)
		return fail(cur, "the command is too long");
	cur->cmd->text[cur->used++] = c;
	return true;
}

/* The text up to the closing quote; cur->p stands behind the opening one. */
static bool
quoted(struct cursor *cur, char quote)
{
	while (*cur->p != quote) {
		if (quote == '"' && cur->p[0] == '\\' && (cur->p[1] == '"' || cur->p[1] == '\\'))
			cur->p++;
		if (*cur->p == '\0')
			return fail(cur, quote == '"' ? "a \" is opened but not closed"
						      : "a ' is opened but not closed");
		if (!put(cur, *cur->p++))
			return false;
	}
	cur->p++;
	return true;
}

static bool
word(struct cursor *cur)
{
	struct parse_command *cmd = cur->cmd;

	if (cmd->argc == PARSE_ARGS_MAX)
		return fail(cur, "too many words in one command");
	cmd->argv[cmd->argc++] = cmd->text + cur->used;
	while (!is_blank(*cur->p) && !ends_command(*cur->p)) {
		const char c = *cur->p++;

		if (c == '\'' || c == '"') {
			if (!quoted(cur, c))
				return false;
			continue;
		}
		if (c == '\\' && *cur->p == '\0')
			return fail(cur, "a \\ stands at the end with nothing to take literally");
		if (!put(cur, c == '\\' ? *cur->p++ : c))
			return false;
	}
	return put(cur, '\0');
}

/* Behind a |: only the word more, and then the end of the command. */
static bool
pipe_to_more(struct cursor *cur)
{
	static const char what[] = "after | only the word more can follow";

	if (cur->cmd->argc == 0)
		return fail(cur, "there is no command before the |");
	cur->p++;
	skip_blanks(cur);
	if (strncmp(cur->p, "more", 4) != 0)
		return fail(cur, what);
	cur->p += 4;
	if (!is_blank(*cur->p) && !ends_command(*cur->p))
		return fail(cur, what);
	skip_blanks(cur);
	if (!ends_command(*cur->p) || *cur->p == '|')
		return fail(cur, what);
	cur->cmd->more = true;
	return true;
}

static bool
command(struct cursor *cur)
{
	for (skip_blanks(cur); !ends_command(*cur->p); skip_blanks(cur))
		if (!word(cur))
			return false;
	if (*cur->p == '|' && !pipe_to_more(cur))
		return false;
	if (*cur->p != '\0')
		cur->p++;
	return true;
}

int
parse_next(const char **line, struct parse_command *cmd, const char **error)
{
	struct cursor cur = {.p = *line, .cmd = cmd};

	do {
		cmd->argc = 0;
		cmd->more = false;
		cur.used = 0;
		if (*cur.p == '\0') {
			*line = cur.p;
			return 0;
		}
		if (!command(&cur)) {
			*error = cur.error;
			return -EINVAL;
		}
	} while (cmd->argc == 0);
	cmd->argv[cmd->argc] = NULL;
	*line = cur.p;
	return 1;
}

int
parse_check(const char *line, struct parse_command *scratch, const char **error)
{
	int result;

	do
		result = parse_next(&line, scratch, error);
	while (result > 0);
	return result;
}

/* Optimal string alignment distance; three rows of the table are enough. */
unsigned
parse_distance(const char *a, const char *b)
{
	uint8_t rows[3][32];
	const size_t la = strlen(a), lb = strlen(b);

	if (la >= 32 || lb >= 32)
		return 32;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = (uint8_t)j;
	for (size_t i = 1; i <= la; i++) {
		uint8_t *now = rows[i % 3];
		const uint8_t *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];

		now[0] = (uint8_t)i;
		for (size_t j = 1; j <= lb; j++) {
			const unsigned differs = a[i - 1] != b[j - 1];
			unsigned d = before[j - 1] + differs;

			d = MIN(d, before[j] + 1u);
			d = MIN(d, now[j - 1] + 1u);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d = MIN(d, earlier[j - 2] + 1u);
			now[j] = (uint8_t)d;
		}
	}
	return rows[la % 3][lb];
}
