/*
 * sys_stat.c - system calls about what a file is: stat, access, mode, owner, times, size; statfs.
 */
#include <fs/device.h>
#include <kern/process.h>
#include <kern/sys.h>
#include <fs/user_path.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/pmm.h>
#include <uapi/statfs.h>

/* --- stat ------------------------------------------------------------------------------------------------ */

/* The inode that @fd or @path stands for: exactly one of the two is to be given back. */
struct target {
	struct path path;
	struct fd_ref ref;
	struct file *file; /* of ref, or NULL */
	struct inode *inode;
};

static int
target_path(int dirfd, uptr_t path, unsigned flags, struct target *t)
{
	const int result = user_path_lookup(dirfd, path, flags, &t->path);

	t->file = NULL;
	if (result == 0)
		t->inode = t->path.dentry->inode;
	return result;
}

static int
target_fd(int fd, struct target *t)
{
	t->ref = fd_borrow(fd);
	t->file = t->ref.file;
	if (t->file == NULL)
		return -EBADF;
	t->path = t->file->path;
	t->inode = t->file->inode;
	return 0;
}

static void
target_put(struct target *t)
{
	if (t->file != NULL)
		fd_return(t->ref);
	else
		path_put(&t->path);
}

/* "" with AT_EMPTY_PATH may be a descriptor of any kind. */
static int
target_at(int dirfd, uptr_t path, int flags, unsigned look, struct target *t)
{
	char first = 1;

	if (flags & AT_EMPTY_PATH) {
		if (uptr_null(path))
			first = '\0';
		else if (get_user(first, path) != 0)
			return -EFAULT;
		if (first == '\0' && dirfd != AT_FDCWD)
			return target_fd(dirfd, t);
		look |= LOOKUP_EMPTY;
	}
	return target_path(dirfd, path, look, t);
}

static int64_t
stat_target(struct target *t, uptr_t out)
{
	struct k_stat st;

	vfs_stat(&t->path, t->inode, &st);
	target_put(t);
	return copy_to_user(out, &st, sizeof(st));
}

int64_t
sys_stat(uptr_t path, uptr_t out)
{
	struct target t;
	const int result = target_path(AT_FDCWD, path, LOOKUP_FOLLOW, &t);

	return result != 0 ? result : stat_target(&t, out);
}

int64_t
sys_lstat(uptr_t path, uptr_t out)
{
	struct target t;
	const int result = target_path(AT_FDCWD, path, 0, &t);

	return result != 0 ? result : stat_target(&t, out);
}

int64_t
sys_fstat(int fd, uptr_t out)
{
	struct target t;
	const int result = target_fd(fd, &t);

	return result != 0 ? result : stat_target(&t, out);
}

int64_t
sys_newfstatat(int dirfd, uptr_t path, uptr_t out, int flags)
{
	struct target t;
	int result;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT))
		return -EINVAL;
	result = target_at(dirfd, path, flags, flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &t);
	return result != 0 ? result : stat_target(&t, out);
}

static struct k_statx_time
statx_time(uint64_t sec, uint64_t nsec)
{
	return (struct k_statx_time){.sec = (int64_t)sec, .nsec = (uint32_t)nsec};
}

int64_t
sys_statx(int dirfd, uptr_t path, int flags, unsigned mask, uptr_t out)
{
	struct k_statx x = {.mask = STATX_BASIC_STATS};
	struct target t;
	struct k_stat st;
	int result;

	if (mask & STATX__RESERVED || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE ||
	    flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	result = target_at(dirfd, path, flags, flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &t);
	if (result != 0)
		return result;
	vfs_stat(&t.path, t.inode, &st);
	target_put(&t);
	x.blksize = (uint32_t)st.blksize;
	x.nlink = (uint32_t)st.nlink;
	x.uid = st.uid;
	x.gid = st.gid;
	x.mode = (uint16_t)st.mode;
	x.ino = st.ino;
	x.size = (uint64_t)st.size;
	x.blocks = (uint64_t)st.blocks;
	x.atime = statx_time(st.atime, st.atime_ns);
	x.mtime = statx_time(st.mtime, st.mtime_ns);
	x.ctime = statx_time(st.ctime, st.ctime_ns);
	x.rdev_major = device_major(st.rdev);
	x.rdev_minor = device_minor(st.rdev);
	x.dev_major = device_major(st.dev);
	x.dev_minor = device_minor(st.dev);
	return copy_to_user(out, &x, sizeof(x));
}

/* --- access ------------------------------------------------------------------------------------------------ */

/* By the real user and group, unless @flags say the effective ones. */
static int64_t
check_access(int dirfd, uptr_t path, int mode, int flags)
{
	struct cred *c = &process_self()->cred;
	const struct cred saved = *c;
	struct target t;
	int result;

	if (mode & ~7 || flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if ((flags & AT_EACCESS) == 0) {
		c->fsuid = c->uid;
		c->fsgid = c->gid;
	}
	result = target_at(dirfd, path, flags, flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &t);
	if (result == 0) {
		result = mode != 0 ? inode_permission(t.inode, mode) : 0;
		target_put(&t);
	}
	*c = saved;
	return result;
}

int64_t
sys_access(uptr_t path, int mode)
{
	return check_access(AT_FDCWD, path, mode, 0);
}

int64_t
sys_faccessat(int dirfd, uptr_t path, int mode)
{
	return check_access(dirfd, path, mode, 0);
}

int64_t
sys_faccessat2(int dirfd, uptr_t path, int mode, int flags)
{
	return check_access(dirfd, path, mode, flags);
}

/* --- mode, owner ---------------------------------------------------------------------------------------------- */

static int64_t
chmod_target(struct target *t, uint32_t mode)
{
	int result;

	if (t->file != NULL && t->file->flags & O_PATH)
		result = -EBADF;
	else
		result = vfs_chmod(t->inode, mode & 07777);
	target_put(t);
	return result;
}

int64_t
sys_chmod(uptr_t path, unsigned mode)
{
	return sys_fchmodat(AT_FDCWD, path, mode);
}

int64_t
sys_fchmod(int fd, unsigned mode)
{
	struct target t;
	const int result = target_fd(fd, &t);

	return result != 0 ? result : chmod_target(&t, mode);
}

int64_t
sys_fchmodat(int dirfd, uptr_t path, unsigned mode)
{
	struct target t;
	const int result = target_path(dirfd, path, LOOKUP_FOLLOW, &t);

	return result != 0 ? result : chmod_target(&t, mode);
}

static int64_t
chown_target(struct target *t, uint32_t uid, uint32_t gid)
{
	int result;

	if (t->file != NULL && t->file->flags & O_PATH)
		result = -EBADF;
	else
		result = vfs_chown(t->inode, uid, gid);
	target_put(t);
	return result;
}

int64_t
sys_fchownat(int dirfd, uptr_t path, unsigned uid, unsigned gid, int flags)
{
	struct target t;
	int result;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	result = target_at(dirfd, path, flags, flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &t);
	return result != 0 ? result : chown_target(&t, uid, gid);
}

int64_t
sys_chown(uptr_t path, unsigned uid, unsigned gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, 0);
}

int64_t
sys_lchown(uptr_t path, unsigned uid, unsigned gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

int64_t
sys_fchown(int fd, unsigned uid, unsigned gid)
{
	struct target t;
	const int result = target_fd(fd, &t);

	return result != 0 ? result : chown_target(&t, uid, gid);
}

/* --- times, size -------------------------------------------------------------------------------------------------- */

static int64_t
set_times(int dirfd, uptr_t path, const struct timespec64 *times, int flags)
{
	struct target t;
	int result;

	if (uptr_null(path) && dirfd != AT_FDCWD && (flags & AT_SYMLINK_NOFOLLOW) == 0)
		result = target_fd(dirfd, &t);
	else
		result = target_at(dirfd, path, flags,
				   flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &t);
	if (result != 0)
		return result;
	result = vfs_utimes(t.inode, times);
	target_put(&t);
	return result;
}

int64_t
sys_utimensat(int dirfd, uptr_t path, uptr_t times, int flags)
{
	struct timespec64 ts[2];

	if (!uptr_null(times)) {
		if (copy_from_user(ts, times, sizeof(ts)) != 0)
			return -EFAULT;
		for (unsigned i = 0; i < 2; i++) {
			if ((ts[i].nsec < 0 || ts[i].nsec >= 1000000000) &&
			    ts[i].nsec != UTIME_NOW && ts[i].nsec != UTIME_OMIT)
				return -EINVAL;
		}
		if (ts[0].nsec == UTIME_OMIT && ts[1].nsec == UTIME_OMIT)
			return 0;
	}
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return set_times(dirfd, path, uptr_null(times) ? NULL : ts, flags);
}

/* struct timeval[2], seconds and microseconds. */
static int64_t
times_from_timeval(int dirfd, uptr_t path, uptr_t times)
{
	struct timespec64 ts[2];

	if (uptr_null(times))
		return set_times(dirfd, path, NULL, 0);
	if (copy_from_user(ts, times, sizeof(ts)) != 0)
		return -EFAULT;
	for (unsigned i = 0; i < 2; i++) {
		if (ts[i].nsec < 0 || ts[i].nsec >= 1000000)
			return -EINVAL;
		ts[i].nsec *= 1000;
	}
	return set_times(dirfd, path, ts, 0);
}

int64_t
sys_utimes(uptr_t path, uptr_t times)
{
	return times_from_timeval(AT_FDCWD, path, times);
}

int64_t
sys_futimesat(int dirfd, uptr_t path, uptr_t times)
{
	return times_from_timeval(dirfd, path, times);
}

int64_t
sys_utime(uptr_t path, uptr_t times)
{
	struct timespec64 ts[2] = {0};
	int64_t sec[2];

	if (uptr_null(times))
		return set_times(AT_FDCWD, path, NULL, 0);
	if (copy_from_user(sec, times, sizeof(sec)) != 0)
		return -EFAULT;
	ts[0].sec = sec[0];
	ts[1].sec = sec[1];
	return set_times(AT_FDCWD, path, ts, 0);
}

int64_t
sys_truncate(uptr_t path, int64_t size)
{
	struct target t;
	int result;

	if (size < 0)
		return -EINVAL;
	result = target_path(AT_FDCWD, path, LOOKUP_FOLLOW, &t);
	if (result != 0)
		return result;
	if ((t.inode->mode & S_IFMT) == S_IFDIR)
		result = -EISDIR;
	else if ((t.inode->mode & S_IFMT) != S_IFREG)
		result = -EINVAL;
	else
		result = inode_permission(t.inode, MAY_WRITE);
	if (result == 0)
		result = vfs_truncate(t.inode, (uint64_t)size);
	target_put(&t);
	return result;
}

/* --- the file system -------------------------------------------------------------------------------------------------- */

static int64_t
statfs_target(struct target *t, uptr_t out)
{
	struct superblock *sb = t->inode->sb;
	struct statfs64 s = {.bsize = PAGE_SIZE, .frsize = PAGE_SIZE, .namelen = NAME_MAX};
	struct pmm_stats pmm;
	int result = 0;

	pmm_stats(&pmm);
	if (sb != NULL && sb->ops != NULL && sb->ops->statfs != NULL) {
		result = sb->ops->statfs(sb, &s);
	} else {
		s.type = TMPFS_MAGIC;
		s.blocks = pmm.total;
		s.bfree = s.bavail = pmm.free;
		s.files = pmm.total;
		s.ffree = pmm.free;
	}
	if (sb != NULL)
		s.fsid[0] = (int32_t)sb->dev;
	s.flags = 0x20; /* ST_VALID */
	target_put(t);
	return result != 0 ? result : copy_to_user(out, &s, sizeof(s));
}

int64_t
sys_statfs(uptr_t path, uptr_t out)
{
	struct target t;
	const int result = target_path(AT_FDCWD, path, LOOKUP_FOLLOW, &t);

	return result != 0 ? result : statfs_target(&t, out);
}

int64_t
sys_fstatfs(int fd, uptr_t out)
{
	struct target t;
	const int result = target_fd(fd, &t);

	return result != 0 ? result : statfs_target(&t, out);
}
