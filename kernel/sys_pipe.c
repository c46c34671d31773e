/*
 * sys_pipe.c - pipes, event counters, copying between files inside the kernel.
 */
#include <fs/eventfd.h>
#include <fs/pipe.h>
#include <kern/process.h>
#include <kern/sys.h>
#include <kern/usercopy.h>
#include <mm/kmalloc.h>

/* --- pipe ------------------------------------------------------------------------------------------------ */

static int
install_both(struct file *end[2], bool cloexec, int fd[2])
{
	fd[0] = fd_install(end[0], 0, cloexec);
	if (fd[0] < 0) {
		file_put(end[0]);
		file_put(end[1]);
		return fd[0];
	}
	fd[1] = fd_install(end[1], 0, cloexec);
	if (fd[1] >= 0)
		return 0;
	(void)fd_close(fd[0]);
	file_put(end[1]);
	return fd[1];
}

int64_t
sys_pipe2(uptr_t out, int flags)
{
	struct file *end[2];
	int fd[2], result;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	result = pipe_make((unsigned)flags & (O_NONBLOCK | O_DIRECT), end);
	if (result == 0)
		result = install_both(end, (flags & O_CLOEXEC) != 0, fd);
	if (result != 0)
		return result;
	if (copy_to_user(out, fd, sizeof(fd)) == 0)
		return 0;
	(void)fd_close(fd[0]);
	(void)fd_close(fd[1]);
	return -EFAULT;
}

int64_t
sys_pipe(uptr_t out)
{
	return sys_pipe2(out, 0);
}

/* --- eventfd ---------------------------------------------------------------------------------------------- */

int64_t
sys_eventfd2(unsigned value, int flags)
{
	struct file *f;
	int fd;

	if (flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	f = eventfd_make(value, (flags & EFD_SEMAPHORE) != 0, (unsigned)flags & O_NONBLOCK);
	if (f == NULL)
		return -ENOMEM;
	fd = fd_install(f, 0, (flags & O_CLOEXEC) != 0);
	if (fd < 0)
		file_put(f);
	return fd;
}

int64_t
sys_eventfd(unsigned value)
{
	return sys_eventfd2(value, 0);
}

/* --- sendfile ----------------------------------------------------------------------------------------------- */

#define COPY_PIECE 16384

/* From @in at *@pos to @out at its position; what was written. */
static int64_t
copy_through(struct file *out, struct file *in, uint64_t *pos, uint64_t count)
{
	uint8_t *piece = kmalloc(COPY_PIECE);
	int64_t total = 0;
	ssize_t n = 0;

	if (piece == NULL)
		return -ENOMEM;
	while (count > 0) {
		struct iobuf b = iobuf_kernel(piece, MIN(count, (uint64_t)COPY_PIECE));
		uint64_t at = *pos;

		n = vfs_read(in, &b, &at);
		if (n <= 0)
			break;
		b = iobuf_kernel(piece, (size_t)n);
		n = vfs_write(out, &b, &out->pos);
		if (n <= 0)
			break;
		*pos += (uint64_t)n;
		total += n;
		count -= (uint64_t)n;
		if (signal_pending())
			break;
	}
	kfree(piece);
	return total > 0 ? total : n;
}

static int64_t
send(struct file *out, struct file *in, uptr_t offset, uint64_t count)
{
	int64_t at, result;
	uint64_t pos = in->pos;

	if ((in->flags & O_ACCMODE) == O_WRONLY || (out->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (in->ops->no_seek || out->flags & O_APPEND)
		return -EINVAL;
	if (!uptr_null(offset)) {
		if (get_user(at, offset) != 0)
			return -EFAULT;
		if (at < 0)
			return -EINVAL;
		pos = (uint64_t)at;
	}
	result = copy_through(out, in, &pos, MIN(count, 0x7ffff000UL));
	if (result < 0)
		return result;
	if (uptr_null(offset))
		in->pos = pos;
	else if (put_user((int64_t)pos, offset) != 0)
		return -EFAULT;
	return result;
}

int64_t
sys_sendfile(int out_fd, int in_fd, uptr_t offset, uint64_t count)
{
	struct file *in = fd_get(in_fd), *out = fd_get(out_fd);
	int64_t result = -EBADF;

	if (in != NULL && out != NULL)
		result = send(out, in, offset, count);
	file_put(in);
	file_put(out);
	return result;
}
