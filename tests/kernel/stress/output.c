/*
 * output.c - `stress`: both consoles and the log are written to by all at once.
 */
#include "stress.h"
#include <dev/console.h>
#include <kern/log.h>
#include <lib/printf.h>
#include <lib/string.h>

#define LOOK_BACK 256 /* records */

/* Words, colours, ends of lines; nothing that a terminal would not forgive. */
void
stress_console_step(struct stress_worker *w)
{
	static const char *const pieces[] = {
		".",	"stress", "\x1b[1m", "\x1b[0m", "\x1b[3%um", "\r",
		"\r\n", "\t",	  " %u ",    "\b",	"\x1b[K",    "\u00e4\u2500",
	};
	char text[32];
	const int n =
		snprintf(text, sizeof(text), pieces[stress_below(w, ARRAY_SIZE(pieces))], w->me);

	console_write(text, (size_t)n);
}

static void
look_at_record(uint64_t seq)
{
	struct log_record r;

	if (!log_read(seq, &r))
		return;
	STRESS_CHECK(r.seq >= seq, "log record %lu came for %lu", r.seq, seq);
	STRESS_CHECK(r.level <= LOG_DEBUG, "log record %lu has level %d", r.seq, r.level);
	STRESS_CHECK(strncmp(r.text, "stress ", 7) != 0 || strchr(r.text, '#') != NULL,
		     "log record %lu is torn: %s", r.seq, r.text);
}

void
stress_log_step(struct stress_worker *w)
{
	static volatile uint64_t written; /* [a] */
	const uint64_t n = __atomic_add_fetch(&written, 1, __ATOMIC_RELAXED);

	klog(LOG_DEBUG, "stress %u wrote line %lu #", w->me, n);
	if (stress_below(w, 8) == 0)
		look_at_record(n > LOOK_BACK ? n - stress_below(w, LOOK_BACK) : 0);
}
