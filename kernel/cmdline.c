/*
 * cmdline.c - the kernel command line.
 *
 * Words separated by spaces; a value may stand in double quotes: run="mem; ps".  The first
 * occurrence of a key counts.
 */
#include <kern/cmdline.h>
#include <boot/boot_info.h>
#include <lib/string.h>

static char line[BOOT_CMDLINE_MAX]; /* [I] */

void
cmdline_init(const char *text)
{
	if (strlcpy(line, text, sizeof(line)) >= sizeof(line))
		log_warn("cmdline: longer than %zu bytes, the rest is ignored", sizeof(line) - 1);
}

const char *
cmdline_raw(void)
{
	return line;
}

/* End of the word that starts at @p: the next space outside quotes. */
static const char *
word_end(const char *p)
{
	bool quoted = false;

	for (; *p != '\0' && (quoted || *p != ' '); p++) {
		if (*p == '"')
			quoted = !quoted;
	}
	return p;
}

/* The first word that is @key alone or @key=...; NULL if there is none. */
static const char *
find_word(const char *key, const char **end)
{
	const size_t len = strlen(key);
	const char *p = line;

	for (;;) {
		while (*p == ' ')
			p++;
		if (*p == '\0')
			return NULL;
		*end = word_end(p);
		if (strncmp(p, key, len) == 0 && (p + len == *end || p[len] == '='))
			return p;
		p = *end;
	}
}

bool
cmdline_has(const char *flag)
{
	const char *end;

	return find_word(flag, &end) != NULL;
}

ssize_t
cmdline_get(const char *key, char *buf, size_t size)
{
	const char *end, *p = find_word(key, &end);
	size_t n = 0;

	if (p == NULL || p[strlen(key)] != '=')
		return -ENOENT;
	for (p += strlen(key) + 1; p < end; p++) {
		if (*p == '"')
			continue;
		if (n + 1 >= size)
			return -ERANGE;
		buf[n++] = *p;
	}
	buf[n] = '\0';
	return (ssize_t)n;
}
