/*
 * open.c - opening files; what an open file does.
 */
#include <lib/string.h>
#include <mm/kmalloc.h>
#include "internal.h"

#define OPENS_MAX SYMLINKS_MAX

static struct slab_cache *file_cache; /* [I] */

int
file_cache_init(void)
{
	file_cache = slab_cache_create("file", sizeof(struct file));
	return file_cache != NULL ? 0 : -ENOMEM;
}

struct file *
file_new(struct inode *inode, const struct file_ops *ops, unsigned flags)
{
	struct file *f = slab_alloc(file_cache);

	if (f == NULL)
		return NULL;
	*f = (struct file){.refs = 1, .flags = flags, .inode = inode, .ops = ops};
	mutex_init(&f->pos_lock, "file position");
	return f;
}

struct file *
file_get(struct file *f)
{
	__atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED);
	return f;
}

void
file_put(struct file *f)
{
	if (f == NULL || __atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	if (f->ops->release != NULL)
		f->ops->release(f);
	file_locks_drop(f->inode, f);
	if (f->counted)
		inode_write_end(f->inode);
	if (f->path.dentry != NULL)
		path_put(&f->path); /* which holds the inode */
	else
		inode_put(f->inode);
	slab_free(file_cache, f);
}

/* One more on one side, unless there are some on the other. */
static int
count(struct inode *i, int step)
{
	int n = __atomic_load_n(&i->writers, __ATOMIC_RELAXED);

	do {
		if (step > 0 ? n < 0 : n > 0)
			return -ETXTBSY;
	} while (!__atomic_compare_exchange_n(&i->writers, &n, n + step, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	return 0;
}

int
inode_write_begin(struct inode *i)
{
	return count(i, 1);
}

void
inode_write_end(struct inode *i)
{
	__atomic_sub_fetch(&i->writers, 1, __ATOMIC_ACQ_REL);
}

int
inode_run_begin(struct inode *i)
{
	return count(i, -1);
}

void
inode_run_end(struct inode *i)
{
	__atomic_add_fetch(&i->writers, 1, __ATOMIC_ACQ_REL);
}

static int
access_mask(unsigned flags)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY: return MAY_READ;
	case O_WRONLY: return MAY_WRITE;
	default: return MAY_READ | MAY_WRITE;
	}
}

static int
check_open(struct inode *i, unsigned flags, bool fresh)
{
	if (is_link(i))
		return flags & O_PATH ? 0 : -ELOOP; /* O_NOFOLLOW met one */
	if (flags & O_DIRECTORY && !is_dir(i))
		return -ENOTDIR;
	if (flags & O_PATH)
		return 0;
	if (is_dir(i) && ((flags & O_ACCMODE) != O_RDONLY || flags & O_CREAT))
		return -EISDIR;
	return fresh ? 0
		     : inode_permission(i, access_mask(flags) | (flags & O_TRUNC ? MAY_WRITE : 0));
}

/* Takes over the reference to @p on success. */
static int
open_path(const struct path *p, unsigned flags, bool fresh, struct file **out)
{
	struct inode *i = p->dentry->inode;
	int result = check_open(i, flags, fresh);
	struct file *f;

	if (result != 0)
		return result;
	f = file_new(i, i->fops, flags & ~(unsigned)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC));
	if (f == NULL)
		return -ENOMEM;
	f->path = *p;
	if (is_reg(i) && (flags & O_ACCMODE) != O_RDONLY && (flags & O_PATH) == 0) {
		result = inode_write_begin(i);
		f->counted = result == 0;
	}
	if (result == 0 && flags & O_TRUNC && is_reg(i) && !fresh && (flags & O_PATH) == 0) {
		mutex_lock(&i->lock);
		result = i->ops->truncate != NULL ? i->ops->truncate(i, 0) : 0;
		mutex_unlock(&i->lock);
	}
	if (result == 0 && f->ops->open != NULL && (flags & O_PATH) == 0)
		result = f->ops->open(i, f);
	if (result != 0) {
		if (f->counted)
			inode_write_end(i);
		slab_free(file_cache, f);
		return result;
	}
	*out = f;
	return 0;
}

/* Slashes at the end say that it is a directory, and none is made by open(). */
static bool
cut_slashes(char *name)
{
	size_t n = strlen(name);
	const bool any = n > 1 && name[n - 1] == '/';

	while (n > 1 && name[n - 1] == '/')
		name[--n] = '\0';
	return any;
}

/*
 * With O_CREAT: find or make the last part.  A symbolic link there is followed by opening its target in
 * its own directory, so this may say -EAGAIN with the next round in *@at and @target.
 */
static int NO_LOCK_ANALYSIS
create_round(struct path *at, char *target, unsigned flags, uint32_t mode, struct file **out)
{
	struct path dir, p;
	struct dentry *d;
	struct inode *i;
	const bool slash = cut_slashes(target);
	bool fresh = false;
	int result = path_lookup_last(at, target, 0, &dir, &d);

	if (result != 0)
		return result == -EEXIST ? -EISDIR : result;
	i = dir.dentry->inode;
	if (slash) {
		result = d->inode == NULL || is_dir(d->inode) ? -EISDIR : -ENOTDIR;
	} else if (d->inode == NULL) {
		result = may_create(i);
		if (result == 0)
			result = i->ops->create != NULL ? i->ops->create(i, d, mode) : -EACCES;
		fresh = result == 0;
	} else if (flags & O_EXCL) {
		result = -EEXIST;
	} else if (is_link(d->inode) && (flags & O_NOFOLLOW) == 0) {
		const ssize_t len = d->inode->ops->readlink(d->inode, target, PATH_MAX - 1);

		result = len < 0 ? (int)len : -EAGAIN;
		target[MAX(len, 0)] = '\0';
	}
	mutex_unlock(&i->lock);
	if (result == -EAGAIN) {
		path_put(at);
		*at = dir;
		dentry_put(d);
		return result;
	}
	if (result == 0) {
		p = (struct path){dir.mnt, dentry_get(d)};
		mount_cross(&p);
		result = open_path(&p, flags, fresh, out);
		if (result != 0)
			path_put(&p);
	}
	dentry_put(d);
	path_put(&dir);
	return result;
}

static int
open_creating(const struct path *from, const char *name, unsigned flags, uint32_t mode,
	      struct file **out)
{
	const struct task *t = task_self();
	char *target = kmalloc(PATH_MAX);
	struct path at;
	int result = -EAGAIN;

	if (target == NULL)
		return -ENOMEM;
	if (strlcpy(target, name, PATH_MAX) >= PATH_MAX) {
		kfree(target);
		return -ENAMETOOLONG;
	}
	if (t != NULL && t->proc->fs != NULL)
		mode &= ~t->proc->fs->umask;
	if (from != NULL) {
		at = *from;
		path_get(&at);
	} else {
		cwd_path(&at);
	}
	for (unsigned i = 0; i < OPENS_MAX && result == -EAGAIN; i++)
		result = create_round(&at, target, flags, S_IFREG | (mode & 07777), out);
	path_put(&at);
	kfree(target);
	return result == -EAGAIN ? -ELOOP : result;
}

int
vfs_open_path(const struct path *p, unsigned flags, struct file **out)
{
	return open_path(p, flags, false, out);
}

int
vfs_open(const struct path *at, const char *name, unsigned flags, uint32_t mode, struct file **out)
{
	struct path p;
	int result;

	if (flags & O_CREAT && (flags & O_PATH) == 0)
		return open_creating(at, name, flags, mode, out);
	result = path_lookup(at, name, flags & O_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &p);
	if (result != 0)
		return result;
	result = open_path(&p, flags, false, out);
	if (result != 0)
		path_put(&p);
	return result;
}

/* --- reading and writing ------------------------------------------------------------------------ */

ssize_t
vfs_read(struct file *f, struct iobuf *b, uint64_t *pos)
{
	if ((f->flags & O_ACCMODE) == O_WRONLY || f->flags & O_PATH)
		return -EBADF;
	if (is_dir(f->inode))
		return -EISDIR;
	if (f->ops->read == NULL)
		return -EINVAL;
	return f->ops->read(f, b, pos);
}

ssize_t
vfs_write(struct file *f, struct iobuf *b, uint64_t *pos)
{
	if ((f->flags & O_ACCMODE) == O_RDONLY || f->flags & O_PATH)
		return -EBADF;
	if (f->ops->write == NULL)
		return -EINVAL;
	return f->ops->write(f, b, pos);
}

#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2

int64_t
vfs_llseek(struct file *f, int64_t offset, int whence)
{
	int64_t base, result;

	if (f->flags & O_PATH)
		return -EBADF;
	if (f->ops->no_seek)
		return -ESPIPE;
	mutex_lock(&f->pos_lock);
	switch (whence) {
	case SEEK_SET: base = 0; break;
	case SEEK_CUR: base = (int64_t)f->pos; break;
	case SEEK_END: base = (int64_t)f->inode->size; break;
	default: base = -1;
	}
	result = base < 0 || __builtin_add_overflow(base, offset, &result) || result < 0 ? -EINVAL
											 : result;
	if (result >= 0)
		f->pos = (uint64_t)result;
	mutex_unlock(&f->pos_lock);
	return result;
}

void
vfs_stat(const struct path *p, struct inode *i, struct k_stat *out)
{
	(void)p;
	mutex_lock(&i->lock);
	*out = (struct k_stat){
		.dev = i->sb != NULL ? i->sb->dev : 0,
		.ino = i->ino,
		.nlink = i->nlink,
		.mode = i->mode,
		.uid = i->uid,
		.gid = i->gid,
		.rdev = i->rdev,
		.size = (int64_t)i->size,
		.blksize = i->sb != NULL ? i->sb->block_size : PAGE_SIZE,
		.blocks = (int64_t)i->blocks,
		.atime = (uint64_t)i->atime.sec,
		.atime_ns = (uint64_t)i->atime.nsec,
		.mtime = (uint64_t)i->mtime.sec,
		.mtime_ns = (uint64_t)i->mtime.nsec,
		.ctime = (uint64_t)i->ctime.sec,
		.ctime_ns = (uint64_t)i->ctime.nsec,
	};
	mutex_unlock(&i->lock);
}
