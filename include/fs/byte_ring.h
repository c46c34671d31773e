/*
 * byte_ring.h - a ring of bytes between those who write and those who read: pipes, sockets.
 *
 * Implementation: fs/byte_ring.c.  The owner's lock is held around all of it.
 */
#pragma once
#include <kern/iobuf.h>

struct byte_ring {
	uint8_t *bytes; /* kmalloc()ed */
	size_t size;	/* a power of 2 */
	size_t in, out; /* counts since the start: in - out bytes are there */
};

static inline size_t
byte_ring_used(const struct byte_ring *r)
{
	return r->in - r->out;
}
static inline size_t
byte_ring_room(const struct byte_ring *r)
{
	return r->size - byte_ring_used(r);
}

/* Empty, for @size bytes, a power of 2 as in all of these.  0 or -ENOMEM.  Undo: kfree(r->bytes). */
int byte_ring_init(struct byte_ring *r, size_t size);
/* Make it one of @size bytes with what is in it.  0, -EBUSY (more than that is in it) or -ENOMEM. */
int byte_ring_resize(struct byte_ring *r, size_t size);
/* As many bytes as there are and fit, out of it (left in it if @peek).  Their number, or -EFAULT. */
ssize_t byte_ring_get(struct byte_ring *r, struct iobuf *b, bool peek);
/* As many bytes as there are and fit, into it.  The same. */
ssize_t byte_ring_put(struct byte_ring *r, struct iobuf *b);
