/*
 * tty.c - the line discipline: from keys to lines, signals and echo; from a program's bytes to the console.
 *
 * Drivers deliver in interrupts; those bytes wait in a ring, and the worker thread treats them, since it may
 * take locks and write.  Readers wait for lines (canonical) or bytes.
 */
#include <kern/tty.h>
#include <dev/console.h>
#include <kern/sync.h>
#include <kern/work.h>
#include <lib/string.h>
#include "tty_internal.h"

#define CTRL(c) ((c)&0x1f)

struct tty tty_console;

const struct k_termios tty_default_termios = {
	.iflag = ICRNL | IXON | IUTF8,
	.oflag = OPOST | ONLCR,
	.cflag = B38400 | CS8 | CREAD | HUPCL,
	.lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.cc = {[VINTR] = CTRL('C'),
	       [VQUIT] = CTRL('\\'),
	       [VERASE] = 0x7f,
	       [VKILL] = CTRL('U'),
	       [VEOF] = CTRL('D'),
	       [VMIN] = 1,
	       [VSTART] = CTRL('Q'),
	       [VSTOP] = CTRL('S'),
	       [VSUSP] = CTRL('Z'),
	       [VREPRINT] = CTRL('R'),
	       [VDISCARD] = CTRL('O'),
	       [VWERASE] = CTRL('W'),
	       [VLNEXT] = CTRL('V')},
};

/* --- output ------------------------------------------------------------------------------------------ */

void
tty_put(struct tty *t, const char *s, size_t n)
{
	(void)t; /* the console makes \r\n of \n, whatever OPOST and ONLCR say: docs/caveats.md */
	console_write(s, n);
}

static void
echo_byte(struct tty *t, uint8_t c)
{
	const char control[2] = {'^', (char)(c ^ 0x40)};

	if ((t->termios.lflag & ECHO) == 0 && !(c == '\n' && t->termios.lflag & ECHONL))
		return;
	if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f) {
		if (t->termios.lflag & ECHOCTL)
			tty_put(t, control, 2);
	} else {
		tty_put(t, (const char *)&c, 1);
	}
}

/* --- editing ------------------------------------------------------------------------------------------- */

static bool
is_cc(const struct tty *t, unsigned which, uint8_t c)
{
	return c != 0 && t->termios.cc[which] == c;
}

/* Columns that a byte took on the screen. */
static unsigned
columns_of(uint8_t c)
{
	if (c < ' ' || c == 0x7f)
		return 2;
	return (c & 0xc0) == 0x80 ? 0 : 1;
}

static void
erase_last(struct tty *t)
{
	unsigned columns = 0;
	uint8_t c;

	do { /* a whole character of UTF-8 */
		c = t->line[--t->line_len];
		columns += columns_of(c);
	} while (t->line_len > 0 && t->termios.iflag & IUTF8 && (c & 0xc0) == 0x80);
	if ((t->termios.lflag & (ECHO | ECHOE)) == (ECHO | ECHOE))
		while (columns-- > 0)
			tty_put(t, "\b \b", 3);
}

static void
erase_word(struct tty *t)
{
	while (t->line_len > 0 && t->line[t->line_len - 1] == ' ')
		erase_last(t);
	while (t->line_len > 0 && t->line[t->line_len - 1] != ' ')
		erase_last(t);
}

static size_t
room(const struct tty *t)
{
	return TTY_RING - (t->in - t->out);
}

static void
store(struct tty *t, uint8_t c)
{
	t->ring[t->in++ % TTY_RING] = c;
}

/* The line can be read; @end 0: it ends without a character of its own (^D). */
static void
finish_line(struct tty *t, uint8_t end)
{
	const size_t n = t->line_len + (end != 0);

	if (room(t) >= n && t->nr_ends < TTY_ENDS) {
		for (size_t i = 0; i < t->line_len; i++)
			store(t, t->line[i]);
		if (end != 0)
			store(t, end);
		t->ends[(t->first_end + t->nr_ends++) % TTY_ENDS] = t->in;
	} else {
		t->overruns += n;
	}
	t->line_len = 0;
	(void)wake_all(&t->readers);
}

static void
canonical(struct tty *t, uint8_t c)
{
	if (t->literal) {
		t->literal = false;
	} else if (is_cc(t, VERASE, c) || c == '\b') {
		if (t->line_len > 0)
			erase_last(t);
		return;
	} else if (is_cc(t, VKILL, c)) {
		while (t->line_len > 0)
			erase_last(t);
		return;
	} else if (t->termios.lflag & IEXTEN && is_cc(t, VWERASE, c)) {
		erase_word(t);
		return;
	} else if (t->termios.lflag & IEXTEN && is_cc(t, VLNEXT, c)) {
		t->literal = true;
		return;
	} else if (is_cc(t, VEOF, c)) {
		finish_line(t, 0);
		return;
	} else if (c == '\n' || is_cc(t, VEOL, c) || is_cc(t, VEOL2, c)) {
		echo_byte(t, c);
		finish_line(t, c);
		return;
	}
	if (t->line_len >= TTY_LINE_MAX - 1) {
		tty_put(t, "\a", 1);
		t->overruns++;
		return;
	}
	t->line[t->line_len++] = c;
	echo_byte(t, c);
}

/* --- signals ---------------------------------------------------------------------------------------------- */

static int
signal_of(const struct tty *t, uint8_t c)
{
	if ((t->termios.lflag & ISIG) == 0 || t->literal)
		return 0;
	if (is_cc(t, VINTR, c))
		return SIGINT;
	if (is_cc(t, VQUIT, c))
		return SIGQUIT;
	return is_cc(t, VSUSP, c) ? SIGTSTP : 0;
}

void
tty_flush_input(struct tty *t)
{
	t->out = t->in;
	t->nr_ends = 0;
	t->line_len = 0;
	t->literal = false;
}

static void
raise_signal(struct tty *t, int signo, uint8_t c)
{
	const struct k_siginfo info = {.signo = signo, .code = SI_KERNEL};

	echo_byte(t, c);
	if ((t->termios.lflag & NOFLSH) == 0)
		tty_flush_input(t);
	if (t->foreground != 0)
		(void)signal_send_group(t->foreground, &info);
}

static void
treat(struct tty *t, uint8_t c)
{
	const uint32_t iflag = t->termios.iflag;
	int signo;

	if (iflag & ISTRIP)
		c &= 0x7f;
	if (c == '\r') {
		if (iflag & IGNCR)
			return;
		if (iflag & ICRNL)
			c = '\n';
	} else if (c == '\n' && iflag & INLCR) {
		c = '\r';
	}
	signo = signal_of(t, c);
	if (signo != 0) {
		raise_signal(t, signo, c);
		return;
	}
	if (t->termios.lflag & ICANON) {
		canonical(t, c);
		return;
	}
	echo_byte(t, c);
	if (room(t) > 0)
		store(t, c);
	else
		t->overruns++;
}

/* --- input ------------------------------------------------------------------------------------------------- */

static size_t
take_raw(struct tty *t, uint8_t *buf, size_t max)
{
	const uint64_t flags = spin_lock(&t->raw_lock);
	size_t n = 0;

	while (n < max && t->raw_in != t->raw_out)
		buf[n++] = t->raw[t->raw_out++ % TTY_RAW];
	spin_unlock(&t->raw_lock, flags);
	return n;
}

static void
treat_all(struct work *unused)
{
	struct tty *t = &tty_console;
	uint8_t buf[64];
	size_t n;

	(void)unused;
	while ((n = take_raw(t, buf, sizeof(buf))) > 0) {
		mutex_lock(&t->lock);
		for (size_t i = 0; i < n; i++)
			treat(t, buf[i]);
		mutex_unlock(&t->lock);
	}
	(void)wake_all(&t->readers);
}

static struct work treatment = WORK_INIT(treatment, treat_all);

void
tty_preload(const char *bytes, size_t n)
{
	struct tty *t = &tty_console;
	const uint64_t flags = spin_lock(&t->raw_lock);

	if (TTY_RAW - (t->raw_in - t->raw_out) >= n) {
		for (size_t i = 0; i < n; i++)
			t->raw[t->raw_in++ % TTY_RAW] = (uint8_t)bytes[i];
	} else {
		t->overruns += n;
	}
	spin_unlock(&t->raw_lock, flags);
}

/* From console_input().  Context: any. */
static bool
receive(const char *bytes, size_t n)
{
	if (!tty_console.taken)
		return false;
	tty_preload(bytes, n);
	(void)work_queue(&treatment);
	return true;
}

/* --- whose the console is ------------------------------------------------------------------------------------ */

void
tty_take_console(int pgid)
{
	struct tty *t = &tty_console;
	char ahead[64];
	ssize_t n;

	mutex_lock(&t->lock);
	t->termios = tty_default_termios;
	tty_flush_input(t);
	t->foreground = pgid;
	t->taken = true;
	mutex_unlock(&t->lock);
	/* Typed ahead, behind the line that started the program: meant for it. */
	(void)work_queue(&treatment);
	while ((n = console_read(ahead, sizeof(ahead), 0)) > 0)
		(void)receive(ahead, (size_t)n);
}

/* What was typed ahead and is still unread: the shell's. */
void
tty_give_console_back(void)
{
	struct tty *t = &tty_console;

	mutex_lock(&t->lock);
	t->taken = false;
	t->foreground = 0;
	while (t->out != t->in) {
		const char c = (char)t->ring[t->out++ % TTY_RING];

		console_input(&c, 1);
	}
	if (t->line_len > 0)
		console_input((const char *)t->line, t->line_len);
	tty_flush_input(t);
	mutex_unlock(&t->lock);
}

void
tty_adopt(struct process *p)
{
	struct tty *t = &tty_console;

	mutex_lock(&t->lock);
	t->session = p->sid;
	p->tty = t;
	mutex_unlock(&t->lock);
}

void
tty_process_gone(struct process *p)
{
	struct tty *t = p->tty;

	if (t == NULL || p->sid != p->pid)
		return;
	mutex_lock(&t->lock);
	if (t->session == p->sid)
		t->session = 0;
	mutex_unlock(&t->lock);
	p->tty = NULL;
}

int
tty_init(void)
{
	mutex_init(&tty_console.lock, "terminal");
	tty_console.raw_lock = (struct spinlock)SPINLOCK_INIT("terminal input");
	wait_queue_init(&tty_console.readers);
	tty_console.termios = tty_default_termios;
	console_set_input_hook(receive);
	tty_register_devices();
	return 0;
}

int
tty_number(const struct process *p)
{
	return p->tty != NULL ? 5 << 8 | 1 : 0; /* the console */
}

int
tty_foreground(const struct process *p)
{
	return p->tty != NULL ? p->tty->foreground : -1;
}
