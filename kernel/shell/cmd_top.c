/*
 * cmd_top.c - `top`: who uses the CPU, once a second.
 *
 * What a thread used is the difference between two snapshots, both in the order of ids.
 */
#include <dev/console.h>
#include <kern/clock.h>
#include <kern/thread.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include "cmds.h"

#define REFRESH_MS  1000
#define LINES_ABOVE 4 /* the threads, and one free at the end */

struct top_row {
	const struct thread_info *info;
	uint64_t used_ns; /* since the last refresh */
};

enum top_order { BY_USE, BY_TOTAL, BY_ID };

struct top {
	struct thread_info *before, *now; /* [nr_...], room for room_... */
	size_t nr_before, nr_now, room_before, room_now;
	struct top_row *rows;	  /* [nr_now] */
	struct sched_stats stats; /* at the last refresh */
	uint64_t ns;		  /* when that was */
	uint64_t span_ns;	  /* since the one before it */
	uint64_t idle, load;	  /* per mille of that time; hundredths of a thread */
	enum top_order order;
};

static bool
comes_before(const struct top *top, const struct top_row *a, const struct top_row *b)
{
	switch (top->order) {
	case BY_USE: return a->used_ns > b->used_ns;
	case BY_TOTAL: return a->info->cpu_ns > b->info->cpu_ns;
	default: return a->info->id < b->info->id;
	}
}

/* Insert the threads one by one where they belong. */
static void
sort(struct top *top)
{
	size_t old = 0;

	for (size_t i = 0; i < top->nr_now; i++) {
		struct top_row row = {.info = &top->now[i], .used_ns = top->now[i].cpu_ns};
		size_t at = i;

		while (old < top->nr_before && top->before[old].id < row.info->id)
			old++;
		if (old < top->nr_before && top->before[old].id == row.info->id)
			row.used_ns -= MIN(top->before[old].cpu_ns, row.used_ns);
		for (; at > 0 && comes_before(top, &row, &top->rows[at - 1]); at--)
			top->rows[at] = top->rows[at - 1];
		top->rows[at] = row;
	}
}

static void line(const char *fmt, ...) PRINTF(1, 2);

static void
line(const char *fmt, ...)
{
	char text[160];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text) - 8, fmt, ap);
	va_end(ap);
	(void)strlcpy(text + MIN((size_t)n, sizeof(text) - 9), "\033[K\r\n", 8);
	sh_write(text);
}

/* @part of @whole in tenths of a percent. */
static uint64_t
permille(uint64_t part, uint64_t whole)
{
	return MIN(part / MAX(whole / 1000, (uint64_t)1), (uint64_t)1000);
}

/* What happened since the last refresh. */
static void
count(struct top *top)
{
	const struct sched_stats was = top->stats;
	const uint64_t now_ns = clock_ns();

	sched_stats(&top->stats);
	top->span_ns = now_ns - top->ns;
	top->ns = now_ns;
	top->idle = permille(top->stats.idle - was.idle,
			     top->stats.now - (was.now != 0 ? was.now : top->stats.start));
	top->load = (top->stats.ready_ticks - was.ready_ticks) * 100 /
		    MAX(top->span_ns / NS_PER_TICK, (uint64_t)1);
}

static void
paint_head(const struct top *top)
{
	static const char *const orders[] = {"CPU since the last refresh", "CPU in total", "ID"};
	const uint64_t s = top->ns / NS_PER_SEC, busy = 1000 - top->idle;

	line("top - up %02lu:%02lu:%02lu, %u threads; q or Ctrl-C ends it", s / 3600, s / 60 % 60,
	     s % 60, top->stats.threads);
	line("CPU %lu.%lu %% busy, load %lu.%02lu; sorted by %s (keys: c t i)", busy / 10,
	     busy % 10, top->load / 100, top->load % 100, orders[top->order]);
	line("\033[7m  ID  NAME            STATE     NICE   CPU %%   CPU TOTAL    SWITCHES  %s",
	     sh_normal());
}

static void
paint_row(const struct top_row *row, uint64_t span_ns)
{
	const struct thread_info *t = row->info;
	const uint64_t share = permille(row->used_ns, span_ns);

	line("%4u  %-14s  %-8s  %4s   %3lu.%lu %8lu ms  %10lu", t->id, t->name,
	     thread_state_text(t->state), nice_text(t->nice), share / 10, share % 10,
	     ns_to_ms(t->cpu_ns), t->switches);
}

/* The last snapshot becomes the old one, and its array is used for the next. */
static void
keep_as_before(struct top *top)
{
	struct thread_info *info = top->before;
	const size_t room = top->room_before;

	top->before = top->now;
	top->room_before = top->room_now;
	top->nr_before = top->nr_now;
	top->now = info;
	top->room_now = room;
}

/* Take a new snapshot.  0 or -ENOMEM. */
static int
refresh(struct top *top)
{
	struct top_row *rows;

	keep_as_before(top);
	top->nr_now = snapshot_grow(&top->now, &top->room_now);
	rows = krealloc(top->rows, MAX(top->nr_now, (size_t)1) * sizeof(*rows));
	if (rows == NULL)
		return -ENOMEM;
	top->rows = rows;
	count(top);
	return 0;
}

static void
paint(struct top *top, unsigned screen_rows)
{
	sort(top);
	sh_write("\033[H");
	paint_head(top);
	for (size_t i = 0; i < MIN(top->nr_now, (size_t)screen_rows - LINES_ABOVE); i++)
		paint_row(&top->rows[i], top->span_ns);
	sh_write("\033[J");
}

/* Show it again in another order for each key that asks for one; any other key, and time, ends that. */
static int
wait_key(struct top *top, unsigned screen_rows)
{
	const uint64_t next_ns = top->ns + REFRESH_MS * NS_PER_MS;

	for (;;) {
		const uint64_t now_ns = clock_ns();
		const int key = now_ns < next_ns ? sh_read_byte(ns_to_ms(next_ns - now_ns) + 1)
						 : -ETIMEDOUT;

		if (key == 'c')
			top->order = BY_USE;
		else if (key == 't')
			top->order = BY_TOTAL;
		else if (key == 'i')
			top->order = BY_ID;
		else
			return key;
		paint(top, screen_rows);
	}
}

int
cmd_top(int argc, char **argv)
{
	struct top top = {.order = BY_USE};
	unsigned cols, rows;
	int result, key;

	if (argc > 1)
		return -EINVAL;
	console_size(&cols, &rows);
	rows = MAX(rows, 10u);
	sh_write("\033[2J");
	do {
		result = refresh(&top);
		if (result != 0)
			break;
		paint(&top, rows);
		key = wait_key(&top, rows);
	} while (key != 'q' && key != 'Q' && (key >= 0 || key == -ETIMEDOUT));
	kfree(top.before);
	kfree(top.now);
	kfree(top.rows);
	return result;
}
