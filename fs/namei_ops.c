/*
 * namei_ops.c - making, removing and renaming names.
 *
 * Everything is checked first, with the directory locked; then the file system acts.
 * Spec: the man pages' ERRORS; POSIX.1-2017, "rename".
 */
#include <lib/string.h>
#include "internal.h"

struct mutex vfs_rename_lock = MUTEX_INIT(vfs_rename_lock, "rename");

static uint32_t
masked(uint32_t mode)
{
	const struct task *t = task_self();

	return mode & ~(t != NULL && t->proc->fs != NULL ? t->proc->fs->umask : 0);
}

/* The place for a new name: a negative dentry in a directory that may be written to. */
static int
new_place(const struct path *at, const char *name, unsigned flags, struct path *dir,
	  struct dentry **last)
{
	int result = path_lookup_last(at, name, flags, dir, last);

	if (result != 0)
		return result;
	result = (*last)->inode != NULL ? -EEXIST : may_create(dir->dentry->inode);
	if (result != 0)
		path_unlock_last(dir, *last);
	return result;
}

int
vfs_mkdir(const struct path *at, const char *name, uint32_t mode)
{
	struct path dir;
	struct dentry *d;
	int result = new_place(at, name, LOOKUP_DIRECTORY, &dir, &d);

	if (result != 0)
		return result;
	result = -EPERM;
	if (dir.dentry->inode->ops->mkdir != NULL)
		result = dir.dentry->inode->ops->mkdir(dir.dentry->inode, d,
						       S_IFDIR | (masked(mode) & (0777 | S_ISVTX)));
	path_unlock_last(&dir, d);
	return result;
}

int
vfs_mknod(const struct path *at, const char *name, uint32_t mode, uint64_t rdev)
{
	const uint32_t type = mode & S_IFMT;
	struct path dir;
	struct dentry *d;
	struct inode *i;
	int result;

	if (type == S_IFDIR)
		return -EPERM;
	if (type != 0 && type != S_IFREG && type != S_IFCHR && type != S_IFBLK && type != S_IFIFO &&
	    type != S_IFSOCK)
		return -EINVAL;
	result = new_place(at, name, 0, &dir, &d);
	if (result != 0)
		return result;
	i = dir.dentry->inode;
	mode = (type == 0 ? S_IFREG : type) | (masked(mode) & 07777);
	result = -EPERM;
	if ((type == S_IFCHR || type == S_IFBLK) && cred_self()->euid != 0)
		result = -EPERM;
	else if ((mode & S_IFMT) == S_IFREG && i->ops->create != NULL)
		result = i->ops->create(i, d, mode);
	else if (i->ops->mknod != NULL)
		result = i->ops->mknod(i, d, mode, rdev);
	path_unlock_last(&dir, d);
	return result;
}

int
vfs_symlink(const char *target, const struct path *at, const char *name)
{
	struct path dir;
	struct dentry *d;
	int result;

	if (*target == '\0')
		return -ENOENT;
	if (strnlen(target, PATH_MAX) == PATH_MAX)
		return -ENAMETOOLONG;
	result = new_place(at, name, 0, &dir, &d);
	if (result != 0)
		return result;
	result = -EPERM;
	if (dir.dentry->inode->ops->symlink != NULL)
		result = dir.dentry->inode->ops->symlink(dir.dentry->inode, d, target);
	path_unlock_last(&dir, d);
	return result;
}

int
vfs_link(const struct path *old_at, const char *old, const struct path *at, const char *name,
	 unsigned flags)
{
	struct path source, dir;
	struct dentry *d;
	struct inode *i;
	int result = path_lookup(old_at, old, flags, &source);

	if (result != 0)
		return result;
	i = source.dentry->inode;
	result = is_dir(i) ? -EPERM : new_place(at, name, 0, &dir, &d);
	if (result == 0) {
		if (dir.dentry->sb != source.dentry->sb)
			result = -EXDEV;
		else if (i->nlink == 0)
			result = -ENOENT;
		else
			result = dir.dentry->inode->ops->link == NULL
					 ? -EPERM
					 : dir.dentry->inode->ops->link(i, dir.dentry->inode, d);
		path_unlock_last(&dir, d);
	}
	path_put(&source);
	return result;
}

/* --- removing ----------------------------------------------------------------------------------- */

/* The tree keeps the name of what is still open, or mounted on, no longer. */
static void
forget(struct dentry *d)
{
	d_drop(d);
}

int
vfs_unlink(const struct path *at, const char *name)
{
	struct path dir;
	struct dentry *d;
	struct inode *i;
	int result = path_lookup_last(at, name, 0, &dir, &d);

	if (result != 0)
		return result == -EEXIST ? -EISDIR : result;
	i = dir.dentry->inode;
	result = may_delete(i, d, false);
	if (result == 0)
		result = i->ops->unlink == NULL ? -EPERM : i->ops->unlink(i, d);
	if (result == 0)
		forget(d);
	path_unlock_last(&dir, d);
	return result;
}

/* What rmdir() says of "/", "." and "..". */
static int
odd_name(const char *name)
{
	const size_t len = strlen(name);
	size_t n = len;

	while (n > 0 && name[n - 1] == '/')
		n--;
	if (n == 0)
		return -EBUSY;
	if (n >= 2 && name[n - 1] == '.' && name[n - 2] == '.')
		return -ENOTEMPTY;
	return -EINVAL;
}

int
vfs_rmdir(const struct path *at, const char *name)
{
	struct path dir;
	struct dentry *d;
	struct inode *i;
	int result = path_lookup_last(at, name, LOOKUP_DIRECTORY, &dir, &d);

	if (result != 0)
		return result == -EEXIST ? odd_name(name) : result;
	i = dir.dentry->inode;
	result = may_delete(i, d, true);
	if (result == 0)
		result = i->ops->rmdir == NULL ? -EPERM : i->ops->rmdir(i, d);
	if (result == 0) {
		forget(d);
		d_prune(d);
	}
	path_unlock_last(&dir, d);
	return result;
}

/* --- rename ------------------------------------------------------------------------------------- */

#define RENAME_NOREPLACE 1

/* Both ends are known; is it allowed? */
static int
check_rename(struct path *from, struct dentry *old, struct path *to, struct dentry *new)
{
	struct inode *i = old->inode;
	int result;

	if (i == NULL)
		return -ENOENT;
	result = may_delete(from->dentry->inode, old, is_dir(i));
	if (result != 0)
		return result;
	if (new->inode == NULL)
		result = may_create(to->dentry->inode);
	else
		result = may_delete(to->dentry->inode, new, is_dir(i));
	if (result != 0)
		return result;
	/* A directory that moves needs its ".." rewritten. */
	if (is_dir(i) && from->dentry != to->dentry)
		return inode_permission(i, MAY_WRITE);
	return 0;
}

static int
rename_locked(struct path *from, struct dentry *old, struct path *to, struct dentry *new)
{
	struct inode *dir = from->dentry->inode;
	int result = check_rename(from, old, to, new);

	if (result != 0)
		return result;
	if (old->inode == new->inode)
		return 0; /* two names of one file: POSIX wants nothing done */
	if (dir->ops->rename == NULL)
		return -EPERM;
	result = dir->ops->rename(dir, old, to->dentry->inode, new);
	if (result == 0)
		d_move(old, new);
	return result;
}

/* Lock two directories: the same once, else in an order that all keep. */
static void NO_LOCK_ANALYSIS
lock_two(struct inode *a, struct inode *b)
{
	if (a == b) {
		mutex_lock(&a->lock);
		return;
	}
	mutex_lock(a < b ? &a->lock : &b->lock);
	mutex_lock_second(a < b ? &b->lock : &a->lock);
}

static void NO_LOCK_ANALYSIS
unlock_two(struct inode *a, struct inode *b)
{
	mutex_unlock(&a->lock);
	if (a != b)
		mutex_unlock(&b->lock);
}

/* Look the last part up and leave its directory unlocked. */
static int NO_LOCK_ANALYSIS
find_unlocked(const struct path *at, const char *name, unsigned flags, struct path *dir,
	      struct dentry **last)
{
	const int result = path_lookup_last(at, name, flags, dir, last);

	if (result == 0)
		mutex_unlock(&dir->dentry->inode->lock);
	return result == -EEXIST ? -EBUSY : result;
}

/* Both names looked up, nothing locked but the rename lock. */
static int
rename_found(struct path *from, struct dentry *old, struct path *to, struct dentry *new,
	     unsigned flags)
{
	int result;

	if (from->mnt != to->mnt)
		return -EXDEV;
	if (old->inode == NULL)
		return -ENOENT;
	if (flags & RENAME_NOREPLACE && new->inode != NULL)
		return -EEXIST;
	if (flags & ~(unsigned)RENAME_NOREPLACE)
		return new->inode == NULL ? -ENOENT : -EINVAL;
	if (d_is_below(to->dentry, old))
		return -EINVAL; /* into itself */
	if (d_is_below(from->dentry, new))
		return -ENOTEMPTY;
	lock_two(from->dentry->inode, to->dentry->inode);
	result = rename_locked(from, old, to, new);
	unlock_two(from->dentry->inode, to->dentry->inode);
	return result;
}

int
vfs_rename(const struct path *old_at, const char *old, const struct path *at, const char *name,
	   unsigned flags)
{
	struct path from, to;
	struct dentry *d_old, *d_new;
	int result;

	mutex_lock(&vfs_rename_lock);
	result = find_unlocked(old_at, old, LOOKUP_DIRECTORY, &from, &d_old);
	if (result == 0) {
		const bool dir = d_old->inode != NULL && is_dir(d_old->inode);

		result = find_unlocked(at, name, dir ? LOOKUP_DIRECTORY : 0, &to, &d_new);
		if (result == 0) {
			result = rename_found(&from, d_old, &to, d_new, flags);
			dentry_put(d_new);
			path_put(&to);
		}
		dentry_put(d_old);
		path_put(&from);
	}
	mutex_unlock(&vfs_rename_lock);
	return result;
}
