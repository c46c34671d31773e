/*
 * console.c - one terminal on two devices: output to both, input from both.
 *
 * Output holds the console lock for a piece of at most PIECE bytes and PIECE_WORK lines: long enough that both devices
 * show the same order, short enough that interrupts are not kept waiting.  Room on the serial line
 * is waited for before the lock is taken.  Input goes into one queue; a key is put in whole.
 * Lock order: console, then serial or input, then a wait queue's.
 */
#include <dev/console.h>
#include <dev/ansi.h>
#include <dev/console_raw.h>
#include <dev/kbd.h>
#include <dev/power.h>
#include <dev/serial.h>
#include <dev/vga.h>
#include <kern/clock.h>
#include <kern/spinlock.h>
#include <kern/timer.h>
#include <kern/wait.h>
#include <lib/string.h>

#define PIECE	   320 /* holds the longest line of the log */
#define PIECE_WORK 4 /* ends of lines and escape sequences in it: each may clear or move a screen */
#define INPUT_SIZE 4096U /* power of 2 */
#define CTRL_C	   0x03
#define ESC	   0x1b

static struct spinlock console_lock = SPINLOCK_INIT("console");
static struct spinlock input_lock = SPINLOCK_INIT("console input");
static struct wait_queue input_queue = WAIT_QUEUE_INIT(input_queue);

/*
 * The screen follows at once what is written after a quiet time, or does not end a line (a prompt,
 * an echoed key).  What comes in quick succession is shown together, at most SHOW_NS late: then
 * scrolling by a hundred lines repaints the screen once.
 */
#define SHOW_NS	       (10 * NS_PER_MS)
#define SHOW_PARTS_MAX 16 /* parts of lines that are shown at once within SHOW_NS */

static struct timer show_timer;
static bool show_deferred;     /* the timer works: not everything must be shown at once */
static bool show_armed;	       /* [console_lock] */
static uint64_t show_after_ns; /* [console_lock] whole lines wait until then */
static unsigned show_parts;    /* [console_lock] shown since the last SHOW_NS began */

static bool initialized;
static bool use_screen, use_serial;
static bool use_keyboard = true;
static bool panicking;
static bool raw; /* panicking, and output failed: the plain way */

static char input[INPUT_SIZE];	     /* [input_lock] */
static uint32_t input_in, input_out; /* [input_lock] free-running */
static uint64_t overruns;	     /* [input_lock] */
static console_interrupt_fn interrupt_hook;

static uint64_t
take(struct spinlock *l) NO_LOCK_ANALYSIS
{
	return panicking ? 0 : spin_lock(l);
}

static void
drop(struct spinlock *l, uint64_t flags) NO_LOCK_ANALYSIS
{
	if (!panicking)
		spin_unlock(l, flags);
}

/* The screen's answers to DSR and DA. */
static void
reply(void *arg, const char *s, size_t n)
{
	if (use_screen)
		console_input(s, n);
}

int
console_init(void)
{
	if (initialized)
		return 0;
	initialized = true;
	use_serial = serial_init() == 0;
	use_screen = vga_init() == 0;
	vga_set_reply(reply);
	return use_serial || use_screen ? 0 : -ENODEV;
}

void
console_select(bool screen, bool serial)
{
	const bool keyboard = screen;

	screen = screen && vga_present();
	serial = serial && serial_present();
	if (!screen && !serial)
		return;
	use_keyboard = keyboard;
	use_screen = screen;
	use_serial = serial;
}

bool
console_uses_screen(void)
{
	return use_screen;
}

bool
console_uses_keyboard(void)
{
	return use_keyboard;
}

bool
console_uses_serial(void)
{
	return use_serial;
}

static void
show_now(void)
{
	show_after_ns = clock_ns() + SHOW_NS;
	show_parts = 0;
	vga_show();
}

static void
show_soon(bool line_ended)
{
	if (panicking || !show_deferred || clock_ns() >= show_after_ns) {
		show_now();
	} else if (!line_ended && show_parts < SHOW_PARTS_MAX) {
		show_parts++;
		vga_show();
	} else if (!show_armed) {
		show_armed = true;
		timer_arm(&show_timer, show_after_ns);
	}
}

static void
show_timeout(void *arg)
{
	const uint64_t flags = take(&console_lock);

	show_armed = false;
	show_now();
	drop(&console_lock, flags);
}

int
console_start_timer(void)
{
	if (!vga_present())
		return -ENODEV;
	timer_setup(&show_timer, show_timeout, NULL);
	show_deferred = true;
	return 0;
}

/* Before something that takes time: nothing must be left unseen. */
static void
show_all(void)
{
	if (vga_dirty()) {
		const uint64_t flags = take(&console_lock);

		show_now();
		drop(&console_lock, flags);
	}
}

/*
 * A program's question to the terminal (ESC [ 6 n: where is the cursor?) must get one answer, and
 * the screen gives it: there may be nobody at the serial line.  So DSR (final n) and DA (final c)
 * are not sent there while the screen is in use.  The beginning of a sequence is held back until it
 * is known what it becomes.
 */
#define QUERY_MAX 6 /* ESC [ ? 1 5 n and the like; longer ones are no questions */

static char held[QUERY_MAX]; /* [console_lock] */
static size_t nr_held;	     /* [console_lock] */

/*
 * Put @c, and what was held back before it, to @out, unless it is, or may become, a question.
 * Returns the bytes put.
 */
static size_t
filter_query(char c, char *out)
{
	const bool first = nr_held == 0, second = nr_held == 1;
	size_t n = nr_held;

	if ((first && c == ESC) || (second && c == '[') ||
	    (nr_held >= 2 && nr_held < QUERY_MAX && ((c >= '0' && c <= '9') || c == '?'))) {
		held[nr_held++] = c;
		return 0;
	}
	nr_held = 0;
	if (n >= 2 && (c == 'n' || c == 'c'))
		return 0;
	memcpy(out, held, n);
	if (c == '\n')
		out[n++] = '\r';
	out[n++] = c;
	return n;
}

/* \n becomes \r\n. */
static void
write_serial(const char *s, size_t n)
{
	char out[2 * PIECE + QUERY_MAX]; /* each byte may become two */
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (unlikely(s[i] == ESC || nr_held > 0) && use_screen) {
			len += filter_query(s[i], out + len);
			continue;
		}
		if (s[i] == '\n')
			out[len++] = '\r';
		out[len++] = s[i];
	}
	serial_put(out, len);
}

/* How much of @s to write with interrupts off. */
static size_t
piece_of(const char *s, size_t n)
{
	size_t len = 0, work = 0;

	for (n = MIN(n, (size_t)PIECE); len < n; len++) {
		if ((s[len] == '\n' || s[len] == ESC) && work++ == PIECE_WORK)
			break;
	}
	return len;
}

void
console_write(const char *s, size_t n)
{
	if (raw) {
		console_raw_write(s, n, use_screen, use_serial);
		return;
	}
	if (!initialized)
		(void)console_init();
	while (n > 0) {
		const size_t piece = piece_of(s, n);
		uint64_t flags;

		if (use_serial)
			serial_wait_room(2 * piece + QUERY_MAX);
		flags = take(&console_lock);
		if (use_screen) {
			vga_write(s, piece);
			show_soon(piece < n || s[piece - 1] == '\n');
		}
		if (use_serial)
			write_serial(s, piece);
		drop(&console_lock, flags);
		s += piece;
		n -= piece;
	}
}

void
console_panic(void)
{
	panicking = true;
	if (!initialized)
		(void)console_init();
	/* A panic is for everybody to see, whatever console= said. */
	use_screen = vga_present();
	use_serial = serial_present();
	nr_held = 0;
	serial_panic();
	vga_panic();
	vga_show();
}

void
console_raw(void)
{
	panicking = raw = true;
	use_screen = use_serial = true;
	console_raw_init();
}

void
console_flush(void)
{
	if (raw)
		return;
	show_all();
	serial_flush();
}

void
console_scroll_view(int lines)
{
	const uint64_t flags = take(&console_lock);

	if (use_screen && !raw)
		vga_scroll_view(lines);
	drop(&console_lock, flags);
}

void
console_size(unsigned *cols, unsigned *rows)
{
	*cols = ANSI_COLS;
	*rows = ANSI_ROWS;
}

/* --- input ---------------------------------------------------------------------------------- */

static uint32_t
input_used(void)
{
	return input_in - input_out;
}

size_t
console_input_room(void)
{
	return INPUT_SIZE - input_used();
}

/* The interrupt key acts at once, whoever reads, even when the queue is full. */
static bool
swallowed(char c)
{
	return c == CTRL_C && interrupt_hook != NULL && interrupt_hook();
}

static console_input_fn input_hook; /* [I] */

void
console_set_input_hook(console_input_fn fn)
{
	input_hook = fn;
}

static void
input_key(const char *bytes, size_t n)
{
	const uint64_t flags = take(&input_lock);

	if (n > INPUT_SIZE - input_used()) {
		overruns += n;
	} else {
		for (size_t i = 0; i < n; i++)
			input[input_in++ % INPUT_SIZE] = bytes[i];
	}
	drop(&input_lock, flags);
}

void
console_input(const char *bytes, size_t n)
{
	const console_input_fn hook = input_hook;
	char kept[64];
	size_t len = 0;

	if (hook != NULL && hook(bytes, n))
		return;
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == CTRL_C && len > 0) { /* the hook may flush what came before it */
			input_key(kept, len);
			len = 0;
		}
		if (!swallowed(bytes[i]))
			kept[len++] = bytes[i];
		if (len == sizeof(kept) || (i + 1 == n && len > 0)) {
			input_key(kept, len);
			len = 0;
		}
	}
	wake_one(&input_queue);
}

ssize_t
console_read(char *buf, size_t n, uint64_t timeout_ms)
{
	uint64_t flags;
	size_t got = 0;
	int result;

	if (n == 0)
		return 0;
	show_all();
	do {
		result = wait_event_timeout(&input_queue, input_used() > 0, timeout_ms);
		if (result != 0)
			return result;
		flags = spin_lock(&input_lock);
		while (got < n && input_used() > 0)
			buf[got++] = input[input_out++ % INPUT_SIZE];
		spin_unlock(&input_lock, flags);
	} while (got == 0); /* another reader was faster */
	serial_input_resume();
	return (ssize_t)got;
}

void
console_input_flush(void)
{
	const uint64_t flags = spin_lock(&input_lock);

	input_out = input_in;
	spin_unlock(&input_lock, flags);
	serial_input_resume();
}

console_interrupt_fn
console_set_interrupt_hook(console_interrupt_fn fn)
{
	const console_interrupt_fn old = interrupt_hook;

	interrupt_hook = fn;
	return old;
}

uint64_t
console_input_overruns(void)
{
	return overruns;
}

/* --- input while panicking ------------------------------------------------------------------- */

static struct kbd_event polled; /* of the key pressed last */
static size_t polled_used;	/* bytes of it that were taken */

static bool
poll_keyboard(void)
{
	if (!kbd_poll(&polled))
		return false;
	polled_used = 0;
	if (polled.action == KBD_ACTION_SCROLL_UP)
		console_scroll_view(ANSI_ROWS - 1);
	else if (polled.action == KBD_ACTION_SCROLL_DOWN)
		console_scroll_view(1 - ANSI_ROWS);
	else if (polled.action == KBD_ACTION_REBOOT)
		power_reboot();
	return polled.len > 0;
}

int
console_poll(void)
{
	if (polled_used < polled.len || poll_keyboard())
		return (uint8_t)polled.text[polled_used++];
	return serial_poll();
}
