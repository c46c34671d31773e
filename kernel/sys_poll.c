/*
 * sys_poll.c - waiting for files to be ready: poll, ppoll, select, pselect6.
 */
#include <fs/poll.h>
#include <fs/vfs.h>
#include <kern/clock.h>
#include <kern/process.h>
#include <kern/sys.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <uapi/resource.h>
#include <uapi/sched.h>
#include "proc/signal.h"

struct pollfd {
	int fd;
	int16_t events, revents;
};

#define ALWAYS (POLLERR | POLLHUP | POLLNVAL)

static unsigned
look(int fd, unsigned wanted, struct poll_table *pt)
{
	struct fd_ref ref;
	struct file *f;
	unsigned bits;

	if (fd < 0)
		return 0;
	ref = fd_borrow(fd);
	f = ref.file;
	if (f == NULL)
		return POLLNVAL;
	bits = f->flags & O_PATH      ? POLLNVAL
	       : f->ops->poll != NULL ? f->ops->poll(f, pt)
				      : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	fd_return(ref);
	return bits & (wanted | ALWAYS);
}

/* Bits of all; how many descriptors have some.  @pt NULL: only look. */
static int
look_at_all(struct pollfd *p, unsigned n, struct poll_table *pt)
{
	int ready = 0;

	for (unsigned i = 0; i < n; i++) {
		const unsigned bits = look(p[i].fd, (uint16_t)p[i].events, pt);

		p[i].revents = (int16_t)bits;
		ready += bits != 0;
		if (ready > 0)
			pt = NULL; /* there will be no sleep */
	}
	return ready;
}

static int
poll_until(struct pollfd *p, unsigned n, uint64_t deadline)
{
	const int at_once = look_at_all(p, n, NULL);

	if (at_once != 0 || deadline <= clock_ns())
		return at_once;
	for (;;) {
		struct poll_table pt;
		int ready, slept;

		poll_begin(&pt);
		ready = look_at_all(p, n, &pt);
		if (ready == 0 && pt.no_memory)
			ready = -ENOMEM;
		slept = ready == 0 ? poll_sleep(&pt, deadline) : 0;
		poll_end(&pt);
		if (ready != 0)
			return ready;
		if (slept == -ETIMEDOUT)
			return look_at_all(p, n, NULL);
		if (slept != 0)
			return -ERESTARTNOHAND;
	}
}

static int64_t
do_poll(uptr_t fds, unsigned n, uint64_t deadline)
{
	struct pollfd few[16], *p = few;
	const size_t size = n * sizeof(*p);
	int64_t result;

	if (n > process_self()->rlimits[RLIMIT_NOFILE].cur)
		return -EINVAL;
	if (n > ARRAY_SIZE(few))
		p = kmalloc(size);
	if (p == NULL)
		return -ENOMEM;
	result = copy_from_user(p, fds, size);
	if (result == 0)
		result = poll_until(p, n, deadline);
	for (unsigned i = 0; i < n && result >= 0; i++) {
		if (put_user(p[i].revents,
			     uptr_add(fds, i * sizeof(*p) + offsetof(struct pollfd, revents))) != 0)
			result = -EFAULT;
	}
	if (p != few)
		kfree(p);
	return result;
}

int64_t
sys_poll(uptr_t fds, unsigned n, int timeout_ms)
{
	const uint64_t deadline =
		timeout_ms < 0 ? WAIT_FOREVER : clock_ns() + (uint64_t)timeout_ms * NS_PER_MS;
	const int64_t result = do_poll(fds, n, deadline);

	return result == -ERESTARTNOHAND && timeout_ms >= 0 ? -EINTR : result;
}

/* The deadline that a timespec means; NULL = never. */
static int
read_timeout(uptr_t at, uint64_t *deadline)
{
	struct timespec64 t;

	*deadline = WAIT_FOREVER;
	if (uptr_null(at))
		return 0;
	if (copy_from_user(&t, at, sizeof(t)) != 0)
		return -EFAULT;
	if (t.sec < 0 || t.nsec < 0 || t.nsec >= (int64_t)NS_PER_SEC)
		return -EINVAL;
	*deadline = clock_ns() + (uint64_t)MIN(t.sec, 1L << 32) * NS_PER_SEC + (uint64_t)t.nsec;
	return 0;
}

/* What is left, as Linux writes it back. */
static void
write_timeout(uptr_t at, uint64_t deadline)
{
	const uint64_t now = clock_ns(), left = deadline > now ? deadline - now : 0;
	const struct timespec64 t = {(int64_t)(left / NS_PER_SEC), (int64_t)(left % NS_PER_SEC)};

	if (!uptr_null(at) && copy_to_user(at, &t, sizeof(t)) != 0)
		log_debug("poll: the time that is left cannot be written back");
}

static int
take_mask(uptr_t mask, uint64_t size)
{
	k_sigset_t set;

	if (uptr_null(mask))
		return 0;
	if (size != sizeof(set))
		return -EINVAL;
	if (get_user(set, mask) != 0)
		return -EFAULT;
	signal_block_for_wait(set);
	return 0;
}

int64_t
sys_ppoll(uptr_t fds, unsigned n, uptr_t timeout, uptr_t mask, uint64_t size)
{
	uint64_t deadline;
	int64_t result = read_timeout(timeout, &deadline);

	if (result == 0)
		result = take_mask(mask, size);
	if (result == 0)
		result = do_poll(fds, n, deadline);
	write_timeout(timeout, deadline);
	return result;
}

/* --- select -------------------------------------------------------------------------------------------------- */

#define SELECT_MAX 4096 /* descriptors */
#define WORDS	   (SELECT_MAX / 64)
#define SETS	   3

static const unsigned set_events[SETS] = {POLLIN | POLLRDNORM, POLLOUT | POLLWRNORM, POLLPRI};
/* What counts as ready to read, to write, exceptional. */
static const unsigned set_bits[SETS] = {POLLIN | POLLRDNORM | POLLHUP | POLLERR,
					POLLOUT | POLLWRNORM | POLLERR, POLLPRI};

struct select {
	unsigned n;
	uptr_t user[SETS];
	uint64_t bits[SETS][WORDS], found[SETS][WORDS];
};

static int
read_sets(struct select *s)
{
	const size_t size = (s->n + 63) / 64 * 8;

	for (unsigned k = 0; k < SETS; k++) {
		memset(s->bits[k], 0, sizeof(s->bits[k]));
		if (!uptr_null(s->user[k]) && copy_from_user(s->bits[k], s->user[k], size) != 0)
			return -EFAULT;
	}
	return 0;
}

static int
write_sets(const struct select *s)
{
	const size_t size = (s->n + 63) / 64 * 8;

	for (unsigned k = 0; k < SETS; k++) {
		if (!uptr_null(s->user[k]) && copy_to_user(s->user[k], s->bits[k], size) != 0)
			return -EFAULT;
	}
	return 0;
}

static bool
has(const struct select *s, unsigned k, unsigned fd)
{
	return (s->bits[k][fd / 64] >> fd % 64 & 1) != 0;
}

static unsigned
to_pollfds(const struct select *s, struct pollfd *p)
{
	unsigned n = 0;

	for (unsigned fd = 0; fd < s->n; fd++) {
		unsigned events = 0;

		for (unsigned k = 0; k < SETS; k++)
			events |= has(s, k, fd) ? set_events[k] : 0;
		if (events != 0)
			p[n++] = (struct pollfd){.fd = (int)fd, .events = (int16_t)events};
	}
	return n;
}

static int
from_pollfds(struct select *s, const struct pollfd *p, unsigned n)
{
	int count = 0;

	memset(s->found, 0, sizeof(s->found));
	for (unsigned i = 0; i < n; i++) {
		const unsigned fd = (unsigned)p[i].fd;

		if (p[i].revents & POLLNVAL)
			return -EBADF;
		for (unsigned k = 0; k < SETS; k++) {
			if (has(s, k, fd) && (unsigned)(uint16_t)p[i].revents & set_bits[k]) {
				s->found[k][fd / 64] |= 1ULL << fd % 64;
				count++;
			}
		}
	}
	memcpy(s->bits, s->found, sizeof(s->bits));
	return count;
}

static int64_t
select_with(struct select *s, struct pollfd *p, uint64_t deadline)
{
	int result = read_sets(s);
	unsigned n;

	if (result != 0)
		return result;
	n = to_pollfds(s, p);
	result = poll_until(p, n, deadline);
	if (result >= 0)
		result = from_pollfds(s, p, n);
	if (result >= 0 && write_sets(s) != 0)
		result = -EFAULT;
	return result;
}

static int64_t
do_select(int n, uptr_t in, uptr_t out, uptr_t except, uint64_t deadline)
{
	struct select *s;
	struct pollfd *p;
	int64_t result = -ENOMEM;

	if (n < 0)
		return -EINVAL;
	n = MIN(n, (int)MIN(fd_limit(), (unsigned)SELECT_MAX));
	s = kmalloc(sizeof(*s));
	p = kmalloc(MAX((unsigned)n, 1u) * sizeof(*p));
	if (s != NULL && p != NULL) {
		s->n = (unsigned)n;
		s->user[0] = in;
		s->user[1] = out;
		s->user[2] = except;
		result = select_with(s, p, deadline);
	}
	kfree(s);
	kfree(p);
	return result;
}

int64_t
sys_select(int n, uptr_t in, uptr_t out, uptr_t except, uptr_t timeout)
{
	uint64_t deadline = WAIT_FOREVER, now, left;
	struct k_timeval t;
	int64_t result;

	if (!uptr_null(timeout)) {
		if (copy_from_user(&t, timeout, sizeof(t)) != 0)
			return -EFAULT;
		if (t.sec < 0 || t.usec < 0)
			return -EINVAL;
		deadline = clock_ns() + (uint64_t)MIN(t.sec, 1L << 32) * NS_PER_SEC +
			   (uint64_t)MIN(t.usec, 1L << 40) * 1000;
	}
	result = do_select(n, in, out, except, deadline);
	if (!uptr_null(timeout)) {
		now = clock_ns();
		left = deadline > now ? (deadline - now) / 1000 : 0;
		t = (struct k_timeval){(int64_t)(left / 1000000), (int64_t)(left % 1000000)};
		if (copy_to_user(timeout, &t, sizeof(t)) != 0)
			log_debug("select: the time that is left cannot be written back");
	}
	return result;
}

int64_t
sys_pselect6(int n, uptr_t in, uptr_t out, uptr_t except, uptr_t timeout, uptr_t mask)
{
	struct {
		uptr_t set;
		uint64_t size;
	} m = {0};
	uint64_t deadline;
	int64_t result = read_timeout(timeout, &deadline);

	if (result == 0 && !uptr_null(mask))
		result = copy_from_user(&m, mask, sizeof(m));
	if (result == 0)
		result = take_mask(m.set, m.size);
	if (result == 0)
		result = do_select(n, in, out, except, deadline);
	write_timeout(timeout, deadline);
	return result;
}
