/*
 * line_history.c - the line editor's memory: earlier lines, and the search through them.
 *
 * All lines stand one behind the other in one buffer, oldest first.  While an older line or a search
 * result is shown, what was being typed is kept in le->typed; coming back down brings it back.
 */
#include <kern/line_edit.h>
#include <lib/string.h>

const char *
le_history_get(const struct line_edit *le, unsigned i)
{
	const char *p = le->history;

	if (i >= le->history_count)
		return NULL;
	while (i-- > 0)
		p += strlen(p) + 1;
	return p;
}

static void
forget(struct line_edit *le, unsigned i)
{
	char *p = le->history + (le_history_get(le, i) - le->history);
	const size_t size = strlen(p) + 1;

	memmove(p, p + size, le->history_len - (size_t)(p + size - le->history));
	le->history_len -= size;
	le->history_count--;
}

void
le_history_add(struct line_edit *le, const char *line)
{
	const size_t size = strlen(line) + 1;
	const char *old = le->history;

	if (size == 1 || size > LE_HISTORY_MAX)
		return;
	for (unsigned i = 0; i < le->history_count; i++, old += strlen(old) + 1) {
		if (strcmp(old, line) == 0) {
			forget(le, i);
			break;
		}
	}
	while (le->history_len + size > LE_HISTORY_MAX)
		forget(le, 0);
	memcpy(le->history + le->history_len, line, size);
	le->history_len += size;
	le->history_at = ++le->history_count;
}

/* Show line @at, keeping what was typed when leaving it. */
static void
show(struct line_edit *le, unsigned at)
{
	if (le->history_at == le->history_count) {
		memcpy(le->typed, le->line, le->len + 1);
		le->typed_overflow = le->overflow;
	}
	le->history_at = at;
	le->overflow = at == le->history_count && le->typed_overflow;
	le_set_line(le, at == le->history_count ? le->typed : le_history_get(le, at));
}

void
le_history_move(struct line_edit *le, int step)
{
	if (step < 0 && le->history_at > 0)
		show(le, le->history_at - 1);
	else if (step > 0 && le->history_at < le->history_count)
		show(le, le->history_at + 1);
}

void
le_search_start(struct line_edit *le)
{
	le->searching = true;
	le->search_failed = false;
	le->pattern_len = 0;
	le->pattern[0] = '\0';
}

void
le_search(struct line_edit *le, unsigned from)
{
	if (le->pattern_len == 0)
		return;
	for (unsigned i = MIN(from + 1, le->history_count); i-- > 0;) {
		const char *line = le_history_get(le, i);
		const char *hit = strstr(line, le->pattern);

		if (hit == NULL)
			continue;
		show(le, i);
		le->pos = (size_t)(hit - line);
		le->search_failed = false;
		return;
	}
	le->search_failed = true;
}

static void
pattern_add(struct line_edit *le)
{
	if (le->pattern_len + le->utf8_len >= LE_PATTERN_MAX)
		return;
	memcpy(le->pattern + le->pattern_len, le->utf8, le->utf8_len);
	le->pattern_len += le->utf8_len;
	le->pattern[le->pattern_len] = '\0';
	le_search(le, le->history_at);
}

static void
pattern_shorten(struct line_edit *le)
{
	while (le->pattern_len > 0 && (le->pattern[--le->pattern_len] & 0xc0) == 0x80)
		;
	le->pattern[le->pattern_len] = '\0';
	le->search_failed = false;
	le_search(le, le->history_count);
}

bool
le_search_key(struct line_edit *le, unsigned key)
{
	switch (key) {
	case LE_KEY_TEXT: pattern_add(le); return true;
	case LE_CTRL('H'):
	case 0x7f: pattern_shorten(le); return true;
	case LE_CTRL('R'):
		if (le->history_at > 0)
			le_search(le, le->history_at - 1);
		else
			le->search_failed = true;
		return true;
	case LE_CTRL('G'):
		le->searching = false;
		if (le->history_at != le->history_count)
			show(le, le->history_count);
		return true;
	default: /* keep the line that was found, and let the key do its work on it */
		le->searching = false;
		return false;
	}
}
