/*
 * eventfd.c - a counter that one side adds to and the other takes from.  Spec: eventfd(2).
 */
#include <fs/eventfd.h>
#include <kern/process.h>
#include <mm/kmalloc.h>
#include "internal.h"

#define VALUE_MAX (UINT64_MAX - 1)

struct eventfd {
	struct mutex lock;
	volatile uint64_t value; /* [lock] */
	bool semaphore;		 /* [I] */
	struct wait_queue changed;
};

static ssize_t
event_read(struct file *f, struct iobuf *b, uint64_t *pos)
{
	struct eventfd *e = f->private;
	uint64_t got = 0;

	(void)pos;
	if (b->left < sizeof(got))
		return -EINVAL;
	while (got == 0) {
		mutex_lock(&e->lock);
		if (e->value != 0) {
			got = e->semaphore ? 1 : e->value;
			e->value -= got;
		}
		mutex_unlock(&e->lock);
		if (got != 0)
			break;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event(&e->changed, e->value != 0) != 0)
			return -ERESTARTSYS;
	}
	(void)wake_all(&e->changed);
	return iobuf_put(b, &got, sizeof(got));
}

static ssize_t
event_write(struct file *f, struct iobuf *b, uint64_t *pos)
{
	struct eventfd *e = f->private;
	bool done = false;
	uint64_t add;

	(void)pos;
	if (b->left < sizeof(add))
		return -EINVAL;
	if (iobuf_take(b, &add, sizeof(add)) != sizeof(add))
		return -EFAULT;
	if (add == UINT64_MAX)
		return -EINVAL;
	while (!done) {
		mutex_lock(&e->lock);
		done = add <= VALUE_MAX - e->value;
		if (done)
			e->value += add;
		mutex_unlock(&e->lock);
		if (done)
			break;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event(&e->changed, add <= VALUE_MAX - e->value) != 0)
			return -ERESTARTSYS;
	}
	(void)wake_all(&e->changed);
	return sizeof(add);
}

static unsigned
event_poll(struct file *f, struct poll_table *pt)
{
	struct eventfd *e = f->private;

	poll_wait(pt, &e->changed);
	return (e->value != 0 ? POLLIN : 0u) | (e->value < VALUE_MAX ? POLLOUT : 0u);
}

static void
event_release(struct file *f)
{
	kfree(f->private);
}

static const struct file_ops ops = {.read = event_read,
				    .write = event_write,
				    .poll = event_poll,
				    .release = event_release,
				    .no_seek = true};

struct file *
eventfd_make(uint64_t value, bool semaphore, unsigned flags)
{
	struct inode *i = inode_new(NULL);
	struct eventfd *e = kzalloc(sizeof(*e));
	struct file *f = i != NULL && e != NULL ? file_new(i, &ops, O_RDWR | flags) : NULL;

	if (f == NULL) {
		if (i != NULL)
			inode_put(i);
		kfree(e);
		return NULL;
	}
	i->mode = 0600;
	mutex_init(&e->lock, "eventfd");
	wait_queue_init(&e->changed);
	e->value = value;
	e->semaphore = semaphore;
	f->private = e;
	return f;
}
