/*
 * sys_file.c - system calls on open files: read, write, seek, duplicate, control.
 */
#include <fs/pipe.h>
#include <kern/process.h>
#include <kern/sys.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <uapi/fcntl.h>
#include <uapi/sched.h>

#define RW_MAX 0x7ffff000UL /* bytes in one call, as on Linux */

/* --- read and write -------------------------------------------------------------------------------- */

static ssize_t
transfer(struct file *f, struct iobuf *b, uint64_t *pos, bool write)
{
	return write ? vfs_write(f, b, pos) : vfs_read(f, b, pos);
}

/* At the file's own position. */
static int64_t NO_LOCK_ANALYSIS
at_position(struct file *f, const struct iovec *v, unsigned n, bool write)
{
	const bool seeks = !f->ops->no_seek;
	int64_t total = 0;

	if (seeks)
		mutex_lock(&f->pos_lock);
	for (unsigned i = 0; i < n; i++) {
		struct iobuf b = iobuf_user(v[i].base, v[i].len);
		ssize_t got;

		if (v[i].len == 0 && n > 1)
			continue;
		got = user_range_ok(v[i].base, v[i].len) ? transfer(f, &b, &f->pos, write)
							 : -EFAULT;
		if (got < 0 && total == 0)
			total = got;
		if (got < 0)
			break;
		total += got;
		if ((uint64_t)got < v[i].len)
			break;
	}
	if (seeks)
		mutex_unlock(&f->pos_lock);
	return total;
}

static int64_t
at_offset(struct file *f, const struct iovec *v, unsigned n, int64_t offset, bool write)
{
	uint64_t pos = (uint64_t)offset;
	int64_t total = 0;

	if (offset < 0)
		return -EINVAL;
	if (f->ops->no_seek)
		return -ESPIPE;
	for (unsigned i = 0; i < n; i++) {
		struct iobuf b = iobuf_user(v[i].base, v[i].len);
		const ssize_t got =
			user_range_ok(v[i].base, v[i].len) ? transfer(f, &b, &pos, write) : -EFAULT;

		if (got < 0)
			return total != 0 ? total : got;
		total += got;
		if ((uint64_t)got < v[i].len)
			break;
	}
	return total;
}

static int64_t
one_buffer(int fd, uptr_t buf, uint64_t count, bool write)
{
	const struct iovec v = {buf, MIN(count, RW_MAX)};
	const struct fd_ref ref = fd_borrow(fd);
	struct file *f = ref.file;
	int64_t result;

	if (f == NULL)
		return -EBADF;
	result = at_position(f, &v, 1, write);
	fd_return(ref);
	return result;
}

int64_t
sys_read(int fd, uptr_t buf, uint64_t count)
{
	return one_buffer(fd, buf, count, false);
}

int64_t
sys_write(int fd, uptr_t buf, uint64_t count)
{
	return one_buffer(fd, buf, count, true);
}

static int64_t
one_buffer_at(int fd, uptr_t buf, uint64_t count, int64_t offset, bool write)
{
	const struct iovec v = {buf, MIN(count, RW_MAX)};
	struct fd_ref ref;
	int64_t result;

	if (offset < 0)
		return -EINVAL;
	ref = fd_borrow(fd);
	if (ref.file == NULL)
		return -EBADF;
	result = at_offset(ref.file, &v, 1, offset, write);
	fd_return(ref);
	return result;
}

int64_t
sys_pread64(int fd, uptr_t buf, uint64_t count, int64_t offset)
{
	return one_buffer_at(fd, buf, count, offset, false);
}

int64_t
sys_pwrite64(int fd, uptr_t buf, uint64_t count, int64_t offset)
{
	return one_buffer_at(fd, buf, count, offset, true);
}

/* The program's list, its lengths checked.  The caller frees it. */
static int
read_iovec(uptr_t list, uint64_t n, struct iovec **out)
{
	struct iovec *v;
	uint64_t total = 0;

	if (n > IOV_MAX)
		return -EINVAL;
	v = kmalloc(MAX(n, 1UL) * sizeof(*v));
	if (v == NULL)
		return -ENOMEM;
	if (copy_from_user(v, list, n * sizeof(*v)) != 0) {
		kfree(v);
		return -EFAULT;
	}
	for (uint64_t i = 0; i < n; i++) {
		if ((int64_t)v[i].len < 0) {
			kfree(v);
			return -EINVAL;
		}
		v[i].len = MIN(v[i].len, RW_MAX - total);
		total += v[i].len;
	}
	*out = v;
	return 0;
}

#define OWN_POSITION (-1)

static int64_t
vector(int fd, uptr_t list, uint64_t n, int64_t offset, bool write)
{
	const struct fd_ref ref = fd_borrow(fd);
	struct file *f = ref.file;
	struct iovec *v;
	int64_t result;

	if (f == NULL)
		return -EBADF;
	result = read_iovec(list, n, &v);
	if (result == 0) {
		result = offset != OWN_POSITION ? at_offset(f, v, (unsigned)n, offset, write)
						: at_position(f, v, (unsigned)n, write);
		kfree(v);
	}
	fd_return(ref);
	return result;
}

int64_t
sys_readv(int fd, uptr_t list, uint64_t n)
{
	return vector(fd, list, n, OWN_POSITION, false);
}

int64_t
sys_writev(int fd, uptr_t list, uint64_t n)
{
	return vector(fd, list, n, OWN_POSITION, true);
}

int64_t
sys_preadv(int fd, uptr_t list, uint64_t n, int64_t offset)
{
	return offset < 0 ? -EINVAL : vector(fd, list, n, offset, false);
}

int64_t
sys_pwritev(int fd, uptr_t list, uint64_t n, int64_t offset)
{
	return offset < 0 ? -EINVAL : vector(fd, list, n, offset, true);
}

int64_t
sys_lseek(int fd, int64_t offset, unsigned whence)
{
	struct file *f = fd_get(fd);
	int64_t result;

	if (f == NULL)
		return -EBADF;
	result = vfs_llseek(f, offset, (int)whence);
	file_put(f);
	return result;
}

/* --- descriptors ------------------------------------------------------------------------------------ */

int64_t
sys_close(int fd)
{
	return fd_close(fd);
}

int64_t
sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	if (first > last || flags & ~(unsigned)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC))
		return -EINVAL;
	for (unsigned fd = first; fd <= last && fd < fd_limit(); fd++) {
		if (flags & CLOSE_RANGE_CLOEXEC)
			(void)fd_set_cloexec((int)fd, true);
		else
			(void)fd_close((int)fd);
	}
	return 0;
}

static int64_t
duplicate(int fd, int from, bool cloexec)
{
	struct file *f = fd_get(fd);
	int result;

	if (f == NULL)
		return -EBADF;
	result = fd_install(f, from, cloexec);
	if (result < 0)
		file_put(f);
	return result;
}

int64_t
sys_dup(int fd)
{
	return duplicate(fd, 0, false);
}

static int64_t
duplicate_to(int fd, int to, bool cloexec)
{
	struct file *f = fd_get(fd);
	int result;

	if (f == NULL)
		return -EBADF;
	result = fd_replace(to, f, cloexec);
	if (result < 0)
		file_put(f);
	return result;
}

int64_t
sys_dup2(int fd, int to)
{
	struct file *f;

	if (fd != to)
		return duplicate_to(fd, to, false);
	f = fd_get(fd);
	if (f == NULL)
		return -EBADF;
	file_put(f);
	return to;
}

int64_t
sys_dup3(int fd, int to, int flags)
{
	if (flags & ~O_CLOEXEC || fd == to)
		return -EINVAL;
	return duplicate_to(fd, to, (flags & O_CLOEXEC) != 0);
}

/* --- fcntl, ioctl ------------------------------------------------------------------------------------ */

#define CHANGEABLE (O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME)

static int64_t
control_descriptor(int fd, struct file *f, int cmd, uint64_t arg)
{
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if ((int)arg < 0 || arg >= process_self()->rlimits[RLIMIT_NOFILE].cur)
			return -EINVAL;
		return duplicate(fd, (int)arg, cmd == F_DUPFD_CLOEXEC);
	case F_GETFD: return fd_cloexec(fd) ? FD_CLOEXEC : 0;
	case F_SETFD: return fd_set_cloexec(fd, (arg & FD_CLOEXEC) != 0);
	case F_GETFL: return f->flags & ~(unsigned)O_CLOEXEC;
	case F_SETFL:
		f->flags = (f->flags & ~(unsigned)CHANGEABLE) | ((unsigned)arg & CHANGEABLE);
		return 0;
	default: return -EINVAL;
	}
}

int64_t
sys_fcntl(int fd, int cmd, uint64_t arg)
{
	struct file *f = fd_get(fd);
	int64_t result;

	if (f == NULL)
		return -EBADF;
	if (f->flags & O_PATH && cmd != F_DUPFD && cmd != F_DUPFD_CLOEXEC && cmd != F_GETFD &&
	    cmd != F_SETFD && cmd != F_GETFL) {
		file_put(f);
		return -EBADF;
	}
	switch (cmd) {
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW: result = file_lock_control(f, cmd, (uptr_t){arg}); break;
	case F_GETPIPE_SZ:
	case F_SETPIPE_SZ: result = pipe_size_control(f, cmd, arg); break;
	case F_GETOWN:
	case F_SETOWN:
	case F_SETSIG:
	case F_GETSIG: result = 0; break;
	default: result = control_descriptor(fd, f, cmd, arg);
	}
	file_put(f);
	return result;
}

int64_t
sys_flock(int fd, int operation)
{
	struct file *f = fd_get(fd);
	int64_t result;

	if (f == NULL)
		return -EBADF;
	result = f->flags & O_PATH ? -EBADF : file_flock(f, operation);
	file_put(f);
	return result;
}

int64_t
sys_ioctl(int fd, unsigned cmd, uint64_t arg)
{
	struct file *f = fd_get(fd);
	int64_t result;

	if (f == NULL)
		return -EBADF;
	if (f->flags & O_PATH)
		result = -EBADF;
	else if (cmd == FIOCLEX || cmd == FIONCLEX)
		result = fd_set_cloexec(fd, cmd == FIOCLEX);
	else if (cmd == FIONBIO) {
		int on;

		result = get_user(on, (uptr_t){arg});
		if (result == 0)
			f->flags = on ? f->flags | O_NONBLOCK : f->flags & ~(unsigned)O_NONBLOCK;
	} else if (cmd == FIONREAD && (f->inode->mode & S_IFMT) == S_IFREG) {
		const int left = (int)(f->inode->size - MIN(f->pos, f->inode->size));

		result = put_user(left, (uptr_t){arg});
	} else
		result = f->ops->ioctl != NULL ? f->ops->ioctl(f, cmd, arg) : -ENOTTY;
	file_put(f);
	return result;
}

/* --- contents ----------------------------------------------------------------------------------------- */

static int64_t
sync_file(int fd)
{
	struct file *f = fd_get(fd);
	int64_t result;

	if (f == NULL)
		return -EBADF;
	if (f->flags & O_PATH)
		result = -EBADF;
	else if (f->ops->fsync != NULL)
		result = f->ops->fsync(f);
	else
		result =
			(f->inode->mode & S_IFMT) == S_IFREG || (f->inode->mode & S_IFMT) == S_IFDIR
				? 0
				: -EINVAL;
	file_put(f);
	return result;
}

int64_t
sys_fsync(int fd)
{
	return sync_file(fd);
}

int64_t
sys_fdatasync(int fd)
{
	return sync_file(fd);
}

int64_t
sys_sync(void)
{
	return 0;
}

int64_t
sys_syncfs(int fd)
{
	struct file *f = fd_get(fd);

	if (f == NULL)
		return -EBADF;
	file_put(f);
	return 0;
}

int64_t
sys_ftruncate(int fd, int64_t size)
{
	struct file *f;
	int64_t result;

	if (size < 0)
		return -EINVAL;
	f = fd_get(fd);
	if (f == NULL)
		return -EBADF;
	if (f->flags & O_PATH)
		result = -EBADF;
	else if ((f->inode->mode & S_IFMT) != S_IFREG || (f->flags & O_ACCMODE) == O_RDONLY)
		result = -EINVAL;
	else
		result = vfs_truncate(f->inode, (uint64_t)size);
	file_put(f);
	return result;
}

int64_t
sys_fallocate(int fd, int mode, int64_t offset, int64_t len)
{
	struct file *f;
	int64_t result = 0;

	if (offset < 0 || len <= 0)
		return -EINVAL;
	f = fd_get(fd);
	if (f == NULL)
		return -EBADF;
	if ((f->flags & O_ACCMODE) == O_RDONLY || f->flags & O_PATH)
		result = -EBADF;
	else if ((f->inode->mode & S_IFMT) == S_IFIFO)
		result = -ESPIPE;
	else if ((f->inode->mode & S_IFMT) != S_IFREG)
		result = (f->inode->mode & S_IFMT) == S_IFDIR ? -EISDIR : -ENODEV;
	else if (mode & ~FALLOC_FL_KEEP_SIZE)
		result = -EOPNOTSUPP;
	else if (mode == 0 && (uint64_t)(offset + len) > f->inode->size)
		result = vfs_truncate(f->inode, (uint64_t)(offset + len));
	file_put(f);
	return result;
}

int64_t
sys_fadvise64(int fd, int64_t offset, uint64_t len, int advice)
{
	struct file *f = fd_get(fd);
	int64_t result = 0;

	(void)offset;
	if (f == NULL)
		return -EBADF;
	if (f->ops->no_seek)
		result = -ESPIPE;
	else if ((int64_t)len < 0 || advice < 0 || advice > 5)
		result = -EINVAL;
	file_put(f);
	return result;
}

/* --- directories ---------------------------------------------------------------------------------------- */

struct dirent_writer {
	struct dir_context ctx;
	uptr_t at, last; /* where the next entry goes; the last one's start */
	uint64_t left;
	bool any, fault, small;
};

#define DIRENT_NAME 19 /* offset of the name in struct linux_dirent64 */

static bool
emit(struct dir_context *ctx, const char *name, size_t len, uint64_t ino, unsigned type)
{
	struct dirent_writer *w = container_of(ctx, struct dirent_writer, ctx);
	const size_t size = ALIGN_UP(DIRENT_NAME + len + 1, 8);
	uint8_t entry[DIRENT_NAME + NAME_MAX + 1 + 8] = {0};
	const uint64_t next = ctx->pos + 1;
	const uint16_t reclen = (uint16_t)size;

	if (size > w->left) {
		w->small = !w->any;
		return false;
	}
	memcpy(entry, &ino, 8);
	memcpy(entry + 8, &next, 8);
	memcpy(entry + 16, &reclen, 2);
	entry[18] = (uint8_t)type;
	memcpy(entry + DIRENT_NAME, name, len);
	if (copy_to_user(w->at, entry, size) != 0) {
		w->fault = true;
		return false;
	}
	w->at = uptr_add(w->at, size);
	w->left -= size;
	w->any = true;
	return true;
}

int64_t
sys_getdents64(int fd, uptr_t buf, unsigned count)
{
	struct file *f = fd_get(fd);
	struct dirent_writer w = {.ctx.emit = emit, .at = buf, .left = count};
	int64_t result;

	if (f == NULL)
		return -EBADF;
	if (f->flags & O_PATH)
		result = -EBADF;
	else if (f->ops->readdir == NULL)
		result = -ENOTDIR;
	else {
		mutex_lock(&f->pos_lock);
		w.ctx.pos = f->pos;
		result = f->ops->readdir(f, &w.ctx);
		f->pos = w.ctx.pos;
		mutex_unlock(&f->pos_lock);
	}
	file_put(f);
	if (result < 0)
		return result;
	if (!w.any && (w.fault || w.small))
		return w.fault ? -EFAULT : -EINVAL;
	return (int64_t)(w.at.addr - buf.addr);
}
