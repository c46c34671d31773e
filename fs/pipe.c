/*
 * pipe.c - pipes and FIFOs: a ring of bytes between those who write and those who read.
 *
 * A write of up to PIPE_BUF bytes goes in whole or not at all; a longer one may mix with others'.  Without
 * readers a write ends with SIGPIPE, without writers a read ends with what is there, then with 0.
 * Spec: pipe(7), fifo(7).
 */
#include <fs/pipe.h>
#include <fs/byte_ring.h>
#include <kern/process.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <kern/usercopy.h>
#include <uapi/fcntl.h>
#include "internal.h"

#define PIPE_BUF  4096
#define PIPE_SIZE 65536

struct pipe {
	struct mutex lock;
	struct byte_ring ring;	     /* [lock] */
	unsigned readers, writers;   /* [lock] open files */
	volatile uint32_t opened[2]; /* [lock] count those that came: readers, writers */
	struct wait_queue to_read, to_write, to_open;
	unsigned refs; /* [lock] open files, for a FIFO */
};

static struct pipe *
pipe_alloc(void)
{
	struct pipe *p = kzalloc(sizeof(*p));

	if (p == NULL)
		return NULL;
	if (byte_ring_init(&p->ring, PIPE_SIZE) != 0) {
		kfree(p);
		return NULL;
	}
	mutex_init(&p->lock, "pipe");
	wait_queue_init(&p->to_read);
	wait_queue_init(&p->to_write);
	wait_queue_init(&p->to_open);
	return p;
}

static void
pipe_free(struct pipe *p)
{
	kfree(p->ring.bytes);
	kfree(p);
}

/* --- reading and writing --------------------------------------------------------------------------------- */

static ssize_t
pipe_read(struct file *f, struct iobuf *b, uint64_t *pos)
{
	struct pipe *p = f->private;
	ssize_t done = 0;
	unsigned writers;

	(void)pos;
	while (b->left > 0) {
		mutex_lock(&p->lock);
		done = byte_ring_get(&p->ring, b, false);
		writers = p->writers;
		mutex_unlock(&p->lock);
		if (done > 0)
			(void)wake_all(&p->to_write);
		if (done != 0 || writers == 0)
			return done;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event(&p->to_read, byte_ring_used(&p->ring) > 0 || p->writers == 0) != 0)
			return -ERESTARTSYS;
	}
	return 0;
}

static bool
fits(const struct pipe *p, size_t atomic)
{
	return byte_ring_room(&p->ring) >= MAX(atomic, (size_t)1);
}

ssize_t
pipe_broken(void)
{
	const struct k_siginfo info = {.signo = SIGPIPE, .code = SI_USER};

	if (task_self() != NULL)
		(void)signal_send(process_self(), &info);
	return -EPIPE;
}

static ssize_t
pipe_write(struct file *f, struct iobuf *b, uint64_t *pos)
{
	struct pipe *p = f->private;
	const size_t atomic = b->left <= PIPE_BUF ? b->left : 1;
	ssize_t total = 0, done;

	(void)pos;
	while (b->left > 0) {
		mutex_lock(&p->lock);
		if (p->readers == 0)
			done = -EPIPE;
		else
			done = fits(p, atomic) ? byte_ring_put(&p->ring, b) : -EAGAIN;
		mutex_unlock(&p->lock);
		if (done > 0) {
			total += done;
			(void)wake_all(&p->to_read);
			continue;
		}
		if (done == -EPIPE)
			return total > 0 ? total : pipe_broken();
		if (done != -EAGAIN || f->flags & O_NONBLOCK)
			return total > 0 ? total : done;
		if (wait_event(&p->to_write, fits(p, atomic) || p->readers == 0) != 0)
			return total > 0 ? total : -ERESTARTSYS;
	}
	return total;
}

static unsigned
pipe_poll(struct file *f, struct poll_table *pt)
{
	struct pipe *p = f->private;
	const unsigned mode = f->flags & O_ACCMODE;
	unsigned bits = 0;

	if (mode != O_WRONLY) {
		poll_wait(pt, &p->to_read);
		if (byte_ring_used(&p->ring) > 0)
			bits |= POLLIN | POLLRDNORM;
		if (p->writers == 0)
			bits |= POLLHUP;
	}
	if (mode != O_RDONLY) {
		poll_wait(pt, &p->to_write);
		if (byte_ring_room(&p->ring) >= PIPE_BUF)
			bits |= POLLOUT | POLLWRNORM;
		if (p->readers == 0)
			bits |= POLLERR;
	}
	return bits;
}

static int64_t
pipe_ioctl(struct file *f, unsigned cmd, uint64_t arg)
{
	struct pipe *p = f->private;

	return cmd == FIONREAD ? put_user((int)byte_ring_used(&p->ring), (uptr_t){arg}) : -ENOTTY;
}

/* --- opening and closing ------------------------------------------------------------------------------------ */

static bool
reads(const struct file *f)
{
	return (f->flags & O_ACCMODE) != O_WRONLY;
}

static bool
writes(const struct file *f)
{
	return (f->flags & O_ACCMODE) != O_RDONLY;
}

static void
join(struct pipe *p, const struct file *f)
{
	mutex_lock(&p->lock);
	p->refs++;
	if (reads(f)) {
		p->readers++;
		p->opened[0]++;
	}
	if (writes(f)) {
		p->writers++;
		p->opened[1]++;
	}
	mutex_unlock(&p->lock);
	(void)wake_all(&p->to_open);
}

static void
pipe_release(struct file *f)
{
	struct pipe *p = f->private;
	bool last;

	if (p == NULL)
		return;
	mutex_lock(&f->inode->lock);
	mutex_lock(&p->lock);
	p->readers -= reads(f);
	p->writers -= writes(f);
	last = --p->refs == 0;
	mutex_unlock(&p->lock);
	if (last)
		f->inode->pipe = NULL;
	mutex_unlock(&f->inode->lock);
	if (last) {
		pipe_free(p);
		return;
	}
	(void)wake_all(&p->to_read);
	(void)wake_all(&p->to_write);
}

static const struct file_ops ops = {
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.release = pipe_release,
	.no_seek = true,
};

static struct file *
end_of(struct inode *i, struct pipe *p, unsigned flags)
{
	struct file *f = file_new(i, &ops, flags);

	if (f != NULL) {
		f->private = p;
		join(p, f);
	}
	return f;
}

int
pipe_make(unsigned flags, struct file *end[2])
{
	struct inode *i = inode_new(NULL);
	struct pipe *p = pipe_alloc();

	if (i == NULL || p == NULL) {
		if (i != NULL)
			inode_put(i);
		if (p != NULL)
			pipe_free(p);
		return -ENOMEM;
	}
	i->mode = S_IFIFO | 0600;
	i->fops = &fifo_fops; /* by /proc/PID/fd it is opened again */
	i->pipe = p;
	end[0] = end_of(i, p, O_RDONLY | flags);
	if (end[0] == NULL) {
		inode_put(i);
		pipe_free(p);
		return -ENOMEM;
	}
	end[1] = end_of(inode_get(i), p, O_WRONLY | flags);
	if (end[1] == NULL) {
		inode_put(i);
		file_put(end[0]);
		return -ENOMEM;
	}
	return 0;
}

/* The pipe of a FIFO, made for the first that opens it. */
static struct pipe *
pipe_of(struct inode *i, const struct file *f)
{
	mutex_lock(&i->lock);
	if (i->pipe == NULL)
		i->pipe = pipe_alloc();
	if (i->pipe != NULL)
		join(i->pipe, f);
	mutex_unlock(&i->lock);
	return i->pipe;
}

/* Wait until somebody is, or was, at the other end. */
static int
wait_for_other(struct file *f, struct pipe *p)
{
	const unsigned other = reads(f) ? 1 : 0;
	const uint32_t seen = p->opened[other];

	if (reads(f) && writes(f))
		return 0;
	if (f->flags & O_NONBLOCK)
		return writes(f) && p->readers == 0 ? -ENXIO : 0;
	if ((other == 1 ? p->writers : p->readers) > 0)
		return 0;
	return wait_event(&p->to_open, p->opened[other] != seen) != 0 ? -ERESTARTSYS : 0;
}

static int
fifo_open(struct inode *i, struct file *f)
{
	struct pipe *p = pipe_of(i, f);
	int result;

	if (p == NULL)
		return -ENOMEM;
	f->private = p;
	f->ops = &ops;
	result = i->sb == NULL
			 ? 0
			 : wait_for_other(f, p); /* pipe(2)'s, opened again: nobody has to come */
	if (result != 0)
		pipe_release(f);
	return result;
}

const struct file_ops fifo_fops = {.open = fifo_open, .no_seek = true};

int64_t
pipe_size_control(struct file *f, int cmd, uint64_t arg)
{
	struct pipe *p = f->private;
	size_t size = PIPE_BUF;
	int result;

	if (f->ops != &ops)
		return -EBADF;
	if (cmd == F_GETPIPE_SZ)
		return (int64_t)p->ring.size;
	if ((int)arg < 0)
		return -EINVAL;
	while (size < (uint32_t)arg)
		size *= 2;
	if (size > PIPE_SIZE_MAX)
		return -EPERM;
	mutex_lock(&p->lock);
	result = byte_ring_resize(&p->ring, size);
	mutex_unlock(&p->lock);
	return result == 0 ? (int64_t)size : result;
}
