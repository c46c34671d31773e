/*
 * usercopy.c - checked copies between the kernel and a program's memory.
 */
#include <kern/usercopy.h>
#include <kern/iobuf.h>
#include <x86/extable.h>

size_t
copy_from_user_part(void *dst, uptr_t src, size_t n)
{
	return user_range_ok(src, n) ? user_copy(dst, (const void *)src.addr, n) : n;
}

size_t
copy_to_user_part(uptr_t dst, const void *src, size_t n)
{
	return user_range_ok(dst, n) ? user_copy((void *)dst.addr, src, n) : n;
}

int
copy_from_user(void *dst, uptr_t src, size_t n)
{
	return copy_from_user_part(dst, src, n) == 0 ? 0 : -EFAULT;
}

int
copy_to_user(uptr_t dst, const void *src, size_t n)
{
	return copy_to_user_part(dst, src, n) == 0 ? 0 : -EFAULT;
}

int
clear_user(uptr_t dst, size_t n)
{
	return user_range_ok(dst, n) && user_clear((void *)dst.addr, n) == 0 ? 0 : -EFAULT;
}

ssize_t
strncpy_from_user(char *dst, uptr_t src, size_t size)
{
	size_t room = size;
	int64_t len;

	if (src.addr >= USER_END || size == 0)
		return -EFAULT;
	room = MIN(room, USER_END - src.addr);
	len = user_string(dst, (const char *)src.addr, room);
	if (len < 0 || ((size_t)len == room && room < size))
		return -EFAULT;
	return (size_t)len == room ? -ENAMETOOLONG : len;
}

ssize_t
iobuf_put(struct iobuf *b, const void *src, size_t n)
{
	n = MIN(n, b->left);
	if (b->user) {
		const size_t missing = copy_to_user_part(b->u, src, n);

		if (missing == n && n > 0)
			return -EFAULT;
		n -= missing;
	} else {
		memcpy(b->k, src, n);
	}
	iobuf_skip(b, n);
	return (ssize_t)n;
}

ssize_t
iobuf_take(struct iobuf *b, void *dst, size_t n)
{
	n = MIN(n, b->left);
	if (b->user) {
		const size_t missing = copy_from_user_part(dst, b->u, n);

		if (missing == n && n > 0)
			return -EFAULT;
		n -= missing;
	} else {
		memcpy(dst, b->k, n);
	}
	iobuf_skip(b, n);
	return (ssize_t)n;
}

ssize_t
iobuf_put_zeros(struct iobuf *b, size_t n)
{
	n = MIN(n, b->left);
	if (b->user && clear_user(b->u, n) != 0)
		return -EFAULT;
	if (!b->user)
		memset(b->k, 0, n);
	iobuf_skip(b, n);
	return (ssize_t)n;
}
