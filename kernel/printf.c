/*
 * printf.c - formatted output to the console, gathered so that short lines go out in one piece.
 */
#include <kern/log.h>
#include <dev/console.h>
#include <kern/log_keep.h>
#include <kern/panic.h>
#include <lib/printf.h>
#include <lib/string.h>

struct gather {
	size_t used;
	char text[120];
};

/* A panic's report is kept for the next boot, too. */
static void
output(const char *s, size_t n)
{
	console_write(s, n);
	if (unlikely(panic_in_progress()))
		log_keep_text(s, n);
}

static void
flush(struct gather *g)
{
	if (g->used > 0)
		output(g->text, g->used);
	g->used = 0;
}

static void
console_sink(void *arg, const char *s, size_t n)
{
	struct gather *g = arg;

	if (n > sizeof(g->text) - g->used)
		flush(g);
	if (n > sizeof(g->text)) {
		output(s, n);
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
