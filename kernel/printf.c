/*
 * printf.c - formatted output to the console, gathered so that short lines go out in one piece.
 */
#include <kern/log.h>
#include <dev/console.h>
#include <lib/printf.h>
#include <lib/string.h>

struct gather {
	size_t used;
	char text[120];
};

static void
flush(struct gather *g)
{
	if (g->used > 0)
		console_write(g->text, g->used);
	g->used = 0;
}

static void
console_sink(void *arg, const char *s, size_t n)
{
	struct gather *g = arg;

	if (n > sizeof(g->text) - g->used)
		flush(g);
	if (n > sizeof(g->text)) {
		console_write(s, n);
		return;
	}
	memcpy(g->text + g->used, s, n);
	g->used += n;
}

int
vprintf(const char *fmt, va_list ap)
{
	struct gather g;
	int n;

	g.used = 0;
	n = vfmt(console_sink, &g, fmt, ap);
	flush(&g);
	return n;
}

int
printf(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vprintf(fmt, ap);
	va_end(ap);
	return n;
}
