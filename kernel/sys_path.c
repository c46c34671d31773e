/*
 * sys_path.c - system calls on names: open, make, remove, rename, link; and on the directory one stands in.
 */
#include <fs/vfs.h>
#include <kern/process.h>
#include <kern/sys.h>
#include <fs/user_path.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <uapi/fcntl.h>

/* --- open --------------------------------------------------------------------------------------------- */

static int64_t
open_at(int dirfd, uptr_t path, unsigned flags, uint32_t mode)
{
	struct user_path p;
	struct file *f;
	int result = user_path_get(dirfd, path, 0, &p);

	if (result != 0)
		return result;
	if ((flags & O_TMPFILE) == O_TMPFILE)
		result = -EOPNOTSUPP;
	else
		result = vfs_open(p.at, p.name, (flags & ~(unsigned)O_CLOEXEC) | O_LARGEFILE,
				  mode & 07777, &f);
	user_path_put(&p);
	if (result != 0)
		return result;
	result = fd_install(f, 0, (flags & O_CLOEXEC) != 0);
	if (result < 0)
		file_put(f);
	return result;
}

int64_t
sys_open(uptr_t path, int flags, unsigned mode)
{
	return open_at(AT_FDCWD, path, (unsigned)flags, mode);
}

int64_t
sys_openat(int dirfd, uptr_t path, int flags, unsigned mode)
{
	return open_at(dirfd, path, (unsigned)flags, mode);
}

int64_t
sys_creat(uptr_t path, unsigned mode)
{
	return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* --- make and remove ------------------------------------------------------------------------------------ */

static uint32_t
unmasked(uint32_t mode)
{
	return mode & ~process_self()->fs->umask;
}

static int64_t
make_directory(int dirfd, uptr_t path, uint32_t mode)
{
	struct user_path p;
	int result = user_path_get(dirfd, path, 0, &p);

	if (result != 0)
		return result;
	result = vfs_mkdir(p.at, p.name, unmasked(mode & 01777));
	user_path_put(&p);
	return result;
}

int64_t
sys_mkdir(uptr_t path, unsigned mode)
{
	return make_directory(AT_FDCWD, path, mode);
}

int64_t
sys_mkdirat(int dirfd, uptr_t path, unsigned mode)
{
	return make_directory(dirfd, path, mode);
}

static int64_t
make_node(int dirfd, uptr_t path, uint32_t mode, uint64_t dev)
{
	const uint32_t type = mode & S_IFMT;
	struct user_path p;
	int result;

	if (type == S_IFDIR)
		return -EPERM;
	if (type != 0 && type != S_IFREG && type != S_IFCHR && type != S_IFBLK && type != S_IFIFO &&
	    type != S_IFSOCK)
		return -EINVAL;
	result = user_path_get(dirfd, path, 0, &p);
	if (result != 0)
		return result;
	result = vfs_mknod(p.at, p.name, (type != 0 ? type : S_IFREG) | (mode & 07777), dev);
	user_path_put(&p);
	return result;
}

int64_t
sys_mknod(uptr_t path, unsigned mode, uint64_t dev)
{
	return make_node(AT_FDCWD, path, mode, dev & UINT32_MAX);
}

int64_t
sys_mknodat(int dirfd, uptr_t path, unsigned mode, unsigned dev)
{
	return make_node(dirfd, path, mode, dev);
}

static int64_t
remove_name(int dirfd, uptr_t path, bool directory)
{
	struct user_path p;
	int result = user_path_get(dirfd, path, 0, &p);

	if (result != 0)
		return result;
	result = directory ? vfs_rmdir(p.at, p.name) : vfs_unlink(p.at, p.name);
	user_path_put(&p);
	return result;
}

int64_t
sys_rmdir(uptr_t path)
{
	return remove_name(AT_FDCWD, path, true);
}

int64_t
sys_unlink(uptr_t path)
{
	return remove_name(AT_FDCWD, path, false);
}

int64_t
sys_unlinkat(int dirfd, uptr_t path, int flags)
{
	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	return remove_name(dirfd, path, (flags & AT_REMOVEDIR) != 0);
}

/* --- two names ----------------------------------------------------------------------------------------- */

struct two_paths {
	struct user_path from, to;
};

struct named {
	int dirfd;
	uptr_t path;
};

static int
two_get(struct named from, unsigned flags, struct named to, struct two_paths *out)
{
	int result = user_path_get(from.dirfd, from.path, flags, &out->from);

	if (result != 0)
		return result;
	result = user_path_get(to.dirfd, to.path, 0, &out->to);
	if (result != 0)
		user_path_put(&out->from);
	return result;
}

static void
two_put(struct two_paths *t)
{
	user_path_put(&t->from);
	user_path_put(&t->to);
}

int64_t
sys_renameat2(int from_fd, uptr_t from, int to_fd, uptr_t to, unsigned flags)
{
	struct two_paths t;
	int result;

	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE) ||
	    (flags & RENAME_NOREPLACE && flags & RENAME_EXCHANGE))
		return -EINVAL;
	result = two_get((struct named){from_fd, from}, 0, (struct named){to_fd, to}, &t);
	if (result != 0)
		return result;
	result = vfs_rename(t.from.at, t.from.name, t.to.at, t.to.name, flags);
	two_put(&t);
	return result;
}

int64_t
sys_renameat(int from_fd, uptr_t from, int to_fd, uptr_t to)
{
	return sys_renameat2(from_fd, from, to_fd, to, 0);
}

int64_t
sys_rename(uptr_t from, uptr_t to)
{
	return sys_renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int64_t
sys_linkat(int from_fd, uptr_t from, int to_fd, uptr_t to, int flags)
{
	struct two_paths t;
	unsigned look = 0;
	int result;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_SYMLINK_FOLLOW)
		look |= LOOKUP_FOLLOW;
	if (flags & AT_EMPTY_PATH)
		look |= LOOKUP_EMPTY;
	result = two_get((struct named){from_fd, from}, look, (struct named){to_fd, to}, &t);
	if (result != 0)
		return result;
	result = vfs_link(t.from.at, t.from.name, t.to.at, t.to.name, look);
	two_put(&t);
	return result;
}

int64_t
sys_link(uptr_t from, uptr_t to)
{
	return sys_linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int64_t
sys_symlinkat(uptr_t target, int dirfd, uptr_t path)
{
	struct two_paths t;
	int result = two_get((struct named){AT_FDCWD, target}, 0, (struct named){dirfd, path}, &t);

	if (result != 0)
		return result;
	result = vfs_symlink(t.from.name, t.to.at, t.to.name);
	two_put(&t);
	return result;
}

int64_t
sys_symlink(uptr_t target, uptr_t path)
{
	return sys_symlinkat(target, AT_FDCWD, path);
}

int64_t
sys_readlinkat(int dirfd, uptr_t path, uptr_t buf, int size)
{
	struct path p;
	struct inode *i;
	char *target;
	ssize_t len;
	int result;

	if (size <= 0)
		return -EINVAL;
	result = user_path_lookup(dirfd, path, LOOKUP_EMPTY, &p);
	if (result != 0)
		return result;
	i = p.dentry->inode;
	target = kmalloc(PATH_MAX);
	if (target == NULL)
		len = -ENOMEM;
	else
		len = (i->mode & S_IFMT) == S_IFLNK && i->ops->readlink != NULL
			      ? i->ops->readlink(i, target, PATH_MAX)
			      : -EINVAL;
	if (len > 0) {
		len = MIN(len, (ssize_t)size);
		if (copy_to_user(buf, target, (size_t)len) != 0)
			len = -EFAULT;
	}
	kfree(target);
	path_put(&p);
	return len;
}

int64_t
sys_readlink(uptr_t path, uptr_t buf, int size)
{
	return sys_readlinkat(AT_FDCWD, path, buf, size);
}

/* --- where one stands ------------------------------------------------------------------------------------- */

int64_t
sys_getcwd(uptr_t buf, uint64_t size)
{
	struct path cwd = process_self()->fs->cwd;
	char *name = kmalloc(PATH_MAX), *start;
	int64_t result;
	size_t len;

	if (name == NULL)
		return -ENOMEM;
	start = cwd.dentry->inode->nlink == 0 ? NULL : path_name(&cwd, name, PATH_MAX);
	if (start == NULL) {
		result = -ENOENT;
	} else {
		len = strlen(start) + 1;
		if (len > size)
			result = -ERANGE;
		else
			result = copy_to_user(buf, start, len) != 0 ? -EFAULT : (int64_t)len;
	}
	kfree(name);
	return result;
}

static int64_t
go_to(struct path *p, void (*set)(struct path *))
{
	int result = inode_permission(p->dentry->inode, MAY_EXEC);

	if (result != 0)
		path_put(p);
	else
		set(p);
	return result;
}

int64_t
sys_chdir(uptr_t path)
{
	struct path p;
	const int result = user_path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	return result != 0 ? result : go_to(&p, fs_set_cwd);
}

int64_t
sys_fchdir(int fd)
{
	struct file *f = fd_get(fd);
	struct path p;

	if (f == NULL)
		return -EBADF;
	if (f->path.dentry == NULL || (f->inode->mode & S_IFMT) != S_IFDIR) {
		file_put(f);
		return -ENOTDIR;
	}
	p = f->path;
	path_get(&p);
	file_put(f);
	return go_to(&p, fs_set_cwd);
}

int64_t
sys_chroot(uptr_t path)
{
	struct path p;
	const int result = user_path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	if (result != 0)
		return result;
	if (process_self()->cred.euid != 0) {
		path_put(&p);
		return -EPERM;
	}
	return go_to(&p, fs_set_root);
}

int64_t
sys_umask(unsigned mask)
{
	struct fs_context *c = process_self()->fs;
	const uint32_t old = c->umask;

	c->umask = mask & 0777;
	return old;
}
