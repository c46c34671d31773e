/*
 * tty_file.c - terminals as files: read, write, ioctl, poll; job control.
 */
#include <dev/console.h>
#include <fs/device.h>
#include <kern/clock.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <uapi/fcntl.h>
#include "proc/signal.h"
#include "tty_internal.h"

#define PIECE 256 /* bytes copied at a time */

/* --- job control --------------------------------------------------------------------------------------- */

/*
 * A process of the terminal's session that is not in the foreground group must not @signo (SIGTTIN, SIGTTOU): its
 * group gets that signal and stops.  0; -EIO: it would not stop; -ERESTARTSYS: it got the signal.
 */
static int
check_foreground(struct tty *t, int signo)
{
	const struct process *p = process_self();
	const struct k_siginfo info = {.signo = signo, .code = SI_KERNEL};
	const bool refuses = p->sig.action[signo - 1].handler == SIG_IGN ||
			     (task_self()->blocked & sig_bit(signo)) != 0;

	if (p->tty != t || t->foreground == 0 || p->pgid == t->foreground)
		return 0;
	if (refuses)
		return signo == SIGTTIN ? -EIO : 0;
	(void)signal_send_group(p->pgid, &info);
	return -ERESTARTSYS;
}

/* --- reading ----------------------------------------------------------------------------------------------- */

static bool
readable(const struct tty *t)
{
	return t->termios.lflag & ICANON ? t->nr_ends > 0 : t->in != t->out;
}

/* Move up to @n bytes out of the ring. */
static ssize_t
move_out(struct tty *t, struct iobuf *b, size_t n)
{
	uint8_t piece[PIECE];
	ssize_t total = 0;

	while (n > 0) {
		const size_t part = MIN(n, sizeof(piece));
		ssize_t done;

		for (size_t i = 0; i < part; i++)
			piece[i] = t->ring[(t->out + i) % TTY_RING];
		done = iobuf_put(b, piece, part);
		if (done <= 0)
			return total > 0 ? total : done;
		t->out += (size_t)done;
		total += done;
		n -= (size_t)done;
		if ((size_t)done < part)
			break;
	}
	return total;
}

static ssize_t
read_line(struct tty *t, struct iobuf *b)
{
	const size_t end = t->ends[t->first_end];
	const size_t n = MIN(end - t->out, b->left);
	const ssize_t done = move_out(t, b, n);

	if (t->out == end) {
		t->first_end = (t->first_end + 1) % TTY_ENDS;
		t->nr_ends--;
	}
	return done;
}

/* VMIN and VTIME: how many bytes are enough, and how long to wait.  True: take what there is. */
static int
wait_bytes(struct tty *t, size_t want, bool nonblock)
{
	const size_t min = MIN((size_t)t->termios.cc[VMIN], want);
	const uint64_t ms = t->termios.cc[VTIME] * 100UL;
	int result = 0;

	if (min == 0 && ms == 0)
		return 0;
	if (nonblock)
		return t->in != t->out ? 0 : -EAGAIN;
	if (min == 0)
		result = wait_event_timeout(&t->readers, t->in != t->out, ms);
	else
		result = wait_event(&t->readers, t->in != t->out);
	while (result == 0 && min > 1 && t->in - t->out < min) {
		const size_t seen = t->in;

		result = ms != 0 ? wait_event_timeout(&t->readers, t->in != seen, ms)
				 : wait_event(&t->readers, t->in != seen);
	}
	if (result == -ETIMEDOUT || (result == -EINTR && t->in != t->out))
		return 0;
	return result == -EINTR ? -ERESTARTSYS : result;
}

static ssize_t
read_once(struct tty *t, struct iobuf *b)
{
	ssize_t done = -EAGAIN;

	mutex_lock(&t->lock);
	if (t->termios.lflag & ICANON) {
		if (t->nr_ends > 0)
			done = read_line(t, b);
	} else {
		done = move_out(t, b, MIN(t->in - t->out, b->left));
	}
	mutex_unlock(&t->lock);
	return done;
}

static ssize_t
tty_read(struct file *f, struct iobuf *b, uint64_t *pos)
{
	struct tty *t = f->private;
	const bool nonblock = (f->flags & O_NONBLOCK) != 0;

	(void)pos;
	if (b->left == 0)
		return 0;
	for (;;) {
		ssize_t done;
		int result = check_foreground(t, SIGTTIN);

		if (result != 0)
			return result;
		if ((t->termios.lflag & ICANON) == 0) {
			result = wait_bytes(t, b->left, nonblock);
			return result != 0 ? result : read_once(t, b);
		}
		done = read_once(t, b);
		if (done != -EAGAIN || nonblock)
			return done;
		if (wait_event(&t->readers, readable(t) || !(t->termios.lflag & ICANON)) != 0)
			return -ERESTARTSYS;
	}
}

/* --- writing, readiness ---------------------------------------------------------------------------------------- */

static ssize_t
tty_write(struct file *f, struct iobuf *b, uint64_t *pos)
{
	struct tty *t = f->private;
	ssize_t total = 0;
	char piece[PIECE];
	int result = 0;

	(void)pos;
	if (t->termios.lflag & TOSTOP)
		result = check_foreground(t, SIGTTOU);
	while (result == 0 && b->left > 0) {
		const ssize_t n = iobuf_take(b, piece, sizeof(piece));

		if (n <= 0)
			return total > 0 ? total : n;
		tty_put(t, piece, (size_t)n);
		total += n;
		if (b->left > 0 && signal_pending())
			break;
	}
	return result != 0 ? result : total;
}

static unsigned
tty_poll(struct file *f, struct poll_table *pt)
{
	struct tty *t = f->private;

	poll_wait(pt, &t->readers);
	return POLLOUT | POLLWRNORM | (readable(t) ? POLLIN | POLLRDNORM : 0);
}

/* --- ioctl ------------------------------------------------------------------------------------------------------- */

static int64_t
set_termios(struct tty *t, uptr_t arg, bool flush)
{
	struct k_termios n;
	int result = check_foreground(t, SIGTTOU);

	if (result != 0)
		return result;
	if (copy_from_user(&n, arg, sizeof(n)) != 0)
		return -EFAULT;
	mutex_lock(&t->lock);
	if ((t->termios.lflag ^ n.lflag) & ICANON) {
		/* What was read as bytes is a line now, or the other way round. */
		if (n.lflag & ICANON && t->in != t->out && t->nr_ends < TTY_ENDS)
			t->ends[(t->first_end + t->nr_ends++) % TTY_ENDS] = t->in;
		else
			t->nr_ends = 0;
		if ((n.lflag & ICANON) == 0) {
			for (size_t i = 0; i < t->line_len; i++)
				t->ring[t->in++ % TTY_RING] = t->line[i];
			t->line_len = 0;
		}
	}
	t->termios = n;
	if (flush)
		tty_flush_input(t);
	mutex_unlock(&t->lock);
	(void)wake_all(&t->readers);
	return 0;
}

static int64_t
get_winsize(const struct tty *t, uptr_t arg)
{
	struct k_winsize w = t->size;
	unsigned cols, rows;

	if (w.row == 0 && w.col == 0) {
		console_size(&cols, &rows);
		w.col = (uint16_t)cols;
		w.row = (uint16_t)rows;
	}
	return copy_to_user(arg, &w, sizeof(w));
}

static int64_t
set_winsize(struct tty *t, uptr_t arg)
{
	const struct k_siginfo info = {.signo = SIGWINCH, .code = SI_KERNEL};
	struct k_winsize w;

	if (copy_from_user(&w, arg, sizeof(w)) != 0)
		return -EFAULT;
	if (memcmp(&w, &t->size, sizeof(w)) == 0)
		return 0;
	t->size = w;
	if (t->foreground != 0)
		(void)signal_send_group(t->foreground, &info);
	return 0;
}

static int64_t
set_foreground(struct tty *t, uptr_t arg)
{
	const struct process *p = process_self();
	int pgid, result;

	if (get_user(pgid, arg) != 0)
		return -EFAULT;
	if (p->tty != t || t->session != p->sid)
		return -ENOTTY;
	if (pgid < 0)
		return -EINVAL;
	result = check_foreground(t, SIGTTOU);
	if (result != 0)
		return result;
	if (!process_group_in_session(pgid, p->sid))
		return process_group_in_session(pgid, 0) ? -EPERM : -ESRCH;
	t->foreground = pgid;
	return 0;
}

static int64_t
make_controlling(struct tty *t)
{
	struct process *p = process_self();

	if (p->tty == t && t->session == p->sid)
		return 0;
	if (p->sid != p->pid || p->tty != NULL || (t->session != 0 && t->session != p->sid))
		return -EPERM;
	t->session = p->sid;
	t->foreground = p->pgid;
	p->tty = t;
	t->taken = true;
	return 0;
}

static int64_t
queued_bytes(struct tty *t, uptr_t arg)
{
	const int n = (int)(t->termios.lflag & ICANON
				    ? (t->nr_ends > 0 ? t->ends[t->first_end] - t->out : 0)
				    : t->in - t->out);

	return put_user(n, arg);
}

static int64_t
tty_ioctl(struct file *f, unsigned cmd, uint64_t value)
{
	const uptr_t arg = {value};
	struct tty *t = f->private;
	const bool ours = process_self()->tty == t;

	switch (cmd) {
	case TCGETS: return copy_to_user(arg, &t->termios, sizeof(t->termios));
	case TCSETS:
	case TCSETSW:
	case TCSETSF: return set_termios(t, arg, cmd == TCSETSF);
	case TIOCGWINSZ: return get_winsize(t, arg);
	case TIOCSWINSZ: return set_winsize(t, arg);
	case TIOCGPGRP: return ours ? put_user(t->foreground, arg) : -ENOTTY;
	case TIOCSPGRP: return set_foreground(t, arg);
	case TIOCGSID: return ours ? put_user(t->session, arg) : -ENOTTY;
	case TIOCSCTTY: return make_controlling(t);
	case TIOCNOTTY:
		if (!ours)
			return -ENOTTY;
		process_self()->tty = NULL;
		return 0;
	case FIONREAD: return queued_bytes(t, arg);
	case TIOCOUTQ: return put_user((int)0, arg);
	case TCFLSH:
		if (value > 2)
			return -EINVAL;
		if (value != 1)
			tty_flush_input(t);
		return 0;
	case TCSBRK:
	case TCXONC:
	case TIOCEXCL:
	case TIOCNXCL: return 0;
	default: return -ENOTTY;
	}
}

/* --- devices -------------------------------------------------------------------------------------------------------- */

#define MAJOR_TTY     4
#define MAJOR_CONSOLE 5 /* minor 0: the controlling terminal, 1: the console */

/* A session leader's first terminal becomes its controlling one, but not by the name /dev/console.  Spec: as Linux. */
static int
tty_open(struct inode *i, struct file *f)
{
	struct process *p = task_self() != NULL ? process_self() : NULL;

	if (device_major(i->rdev) == MAJOR_CONSOLE && device_minor(i->rdev) == 0 &&
	    (p == NULL || p->tty == NULL))
		return -ENXIO;
	f->private = &tty_console;
	if (p != NULL && p->sid == p->pid && p->tty == NULL && tty_console.session == 0 &&
	    (f->flags & O_NOCTTY) == 0 && i->rdev != device_number(MAJOR_CONSOLE, 1)) {
		tty_console.session = p->sid;
		tty_console.foreground = p->pgid;
		p->tty = &tty_console;
	}
	return 0;
}

static const struct file_ops ops = {
	.open = tty_open,
	.read = tty_read,
	.write = tty_write,
	.ioctl = tty_ioctl,
	.poll = tty_poll,
	.no_seek = true,
};

void
tty_register_devices(void)
{
	device_register(MAJOR_TTY, &ops);
	device_register(MAJOR_CONSOLE, &ops);
}
