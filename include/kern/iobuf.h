/*
 * iobuf.h - where bytes of a read or write come from or go to: a program's memory or the kernel's.
 *
 * So that a file system or device is written once for both.  A list of pieces (readv) is walked by
 * the caller, piece by piece.
 */
#pragma once
#include <kern/usercopy.h>
#include <lib/string.h>

/* A piece of a list as programs give it (readv, sendmsg). */
#define IOV_MAX 1024
struct iovec {
	uptr_t base;
	uint64_t len;
};

struct iobuf {
	bool user;
	union {
		uptr_t u;
		uint8_t *k;
	};
	size_t left; /* bytes */
};

static inline struct iobuf
iobuf_user(uptr_t p, size_t n)
{
	return (struct iobuf){.user = true, .u = p, .left = n};
}

static inline struct iobuf
iobuf_kernel(const void *p, size_t n)
{
	return (struct iobuf){.user = false, .k = (uint8_t *)(uintptr_t)p, .left = n};
}

/* Move on by @n bytes. */
static inline void
iobuf_skip(struct iobuf *b, size_t n)
{
	if (b->user)
		b->u.addr += n;
	else
		b->k += n;
	b->left -= n;
}

/* Put @n bytes into it (a read), at most what is left.  Returns how many went in, or -EFAULT if none could. */
ssize_t iobuf_put(struct iobuf *b, const void *src, size_t n);
/* Take @n bytes from it (a write).  The same. */
ssize_t iobuf_take(struct iobuf *b, void *dst, size_t n);
/* Put zeros. */
ssize_t iobuf_put_zeros(struct iobuf *b, size_t n);
