/*
 * byte_ring.c - a ring of bytes.  See include/fs/byte_ring.h.
 */
#include <fs/byte_ring.h>
#include <mm/kmalloc.h>

int
byte_ring_init(struct byte_ring *r, size_t size)
{
	*r = (struct byte_ring){.bytes = kmalloc(size), .size = size};
	return r->bytes != NULL ? 0 : -ENOMEM;
}

int
byte_ring_resize(struct byte_ring *r, size_t size)
{
	uint8_t *bytes;

	if (byte_ring_used(r) > size)
		return -EBUSY;
	bytes = kmalloc(size);
	if (bytes == NULL)
		return -ENOMEM;
	for (size_t at = r->out; at != r->in; at++)
		bytes[at & (size - 1)] = r->bytes[at & (r->size - 1)];
	kfree(r->bytes);
	r->bytes = bytes;
	r->size = size;
	return 0;
}

ssize_t
byte_ring_get(struct byte_ring *r, struct iobuf *b, bool peek)
{
	size_t out = r->out;
	ssize_t total = 0;

	while (out != r->in && b->left > 0) {
		const size_t at = out & (r->size - 1);
		const size_t n = MIN(MIN(r->in - out, r->size - at), b->left);
		const ssize_t done = iobuf_put(b, r->bytes + at, n);

		if (done <= 0)
			return total > 0 ? total : done;
		out += (size_t)done;
		total += done;
		if (!peek)
			r->out = out;
	}
	return total;
}

ssize_t
byte_ring_put(struct byte_ring *r, struct iobuf *b)
{
	ssize_t total = 0;

	while (byte_ring_room(r) > 0 && b->left > 0) {
		const size_t at = r->in & (r->size - 1);
		const size_t n = MIN(MIN(byte_ring_room(r), r->size - at), b->left);
		const ssize_t done = iobuf_take(b, r->bytes + at, n);

		if (done <= 0)
			return total > 0 ? total : done;
		r->in += (size_t)done;
		total += done;
	}
	return total;
}
