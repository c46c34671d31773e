/*
 * tmpfs.c - files in memory: the root file system, /tmp, /dev.
 *
 * The tree of dentries is the directory: each name is pinned by a reference more, until it is unlinked.
 * The page cache is the disk: its pages are never given up.
 */
#include <fs/tmpfs.h>
#include <fs/pagecache.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include "internal.h"

#define FIRST_ENTRY 2 /* positions 0 and 1 of a directory are . and .. */

static struct superblock *first; /* [I] the root */
static const struct inode_ops dir_ops, file_inode_ops, link_ops;
static const struct file_ops dir_fops, file_fops;

static struct inode *
make_inode(struct superblock *sb, uint32_t mode, uint64_t rdev)
{
	struct inode *i = inode_new(sb);

	if (i == NULL)
		return NULL;
	i->mode = mode;
	i->rdev = rdev;
	switch (mode & S_IFMT) {
	case S_IFDIR:
		i->ops = &dir_ops;
		i->fops = &dir_fops;
		i->nlink = 2;
		break;
	case S_IFREG:
		i->ops = &file_inode_ops;
		i->fops = &file_fops;
		i->pages = pagecache_new(i, NULL);
		if (i->pages == NULL) {
			kfree(i);
			return NULL;
		}
		break;
	case S_IFLNK: i->ops = &link_ops; break;
	default: i->ops = &file_inode_ops; i->fops = special_fops(mode);
	}
	return i;
}

/* The directory changed: its times, and its set-group-id bit for what is new in it. */
static void
touch_dir(struct inode *dir)
{
	dir->mtime = dir->ctime = time_now();
}

/* Give the negative @d a new inode and pin it. */
static int
add(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev)
{
	struct inode *i = make_inode(dir->sb, mode, rdev);

	if (i == NULL)
		return -ENOSPC;
	if (dir->mode & S_ISGID) {
		i->gid = dir->gid;
		if (is_dir(i))
			i->mode |= S_ISGID;
	}
	d_instantiate(d, i);
	(void)dentry_get(d);
	touch_dir(dir);
	return 0;
}

static int
tmpfs_create(struct inode *dir, struct dentry *d, uint32_t mode)
{
	return add(dir, d, mode, 0);
}

static int
tmpfs_mknod(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev)
{
	return add(dir, d, mode, rdev);
}

static int
tmpfs_mkdir(struct inode *dir, struct dentry *d, uint32_t mode)
{
	const int result = add(dir, d, mode, 0);

	if (result == 0)
		dir->nlink++;
	return result;
}

static int
tmpfs_symlink(struct inode *dir, struct dentry *d, const char *target)
{
	const size_t len = strlen(target);
	char *copy = kmalloc(len + 1);
	int result;

	if (copy == NULL)
		return -ENOSPC;
	memcpy(copy, target, len + 1);
	result = add(dir, d, S_IFLNK | 0777, 0);
	if (result != 0) {
		kfree(copy);
		return result;
	}
	d->inode->private = copy;
	d->inode->size = len;
	return 0;
}

static ssize_t
tmpfs_readlink(struct inode *i, char *buf, size_t size)
{
	const size_t n = MIN(size, i->size);

	memcpy(buf, i->private, n);
	return (ssize_t)n;
}

static int
tmpfs_link(struct inode *i, struct inode *dir, struct dentry *d)
{
	i->nlink++;
	i->ctime = time_now();
	d_instantiate(d, inode_get(i));
	(void)dentry_get(d);
	touch_dir(dir);
	return 0;
}

static int
tmpfs_unlink(struct inode *dir, struct dentry *d)
{
	d->inode->nlink--;
	d->inode->ctime = time_now();
	touch_dir(dir);
	dentry_put(d); /* the pin */
	return 0;
}

static bool
has_entries(struct dentry *d)
{
	struct dentry *child;
	bool any = false;

	mutex_lock(&dcache_lock);
	list_for_each_entry (child, &d->children, sibling)
		any = any || child->inode != NULL;
	mutex_unlock(&dcache_lock);
	return any;
}

static int
tmpfs_rmdir(struct inode *dir, struct dentry *d)
{
	if (has_entries(d))
		return -ENOTEMPTY;
	d->inode->nlink = 0;
	dir->nlink--;
	touch_dir(dir);
	dentry_put(d);
	return 0;
}

static int
tmpfs_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *new)
{
	const bool dir = is_dir(old->inode);

	if (new->inode != NULL) {
		const int result = dir ? tmpfs_rmdir(new_dir, new) : tmpfs_unlink(new_dir, new);

		if (result != 0)
			return result;
	}
	if (dir) {
		old_dir->nlink--;
		new_dir->nlink++;
	}
	old->inode->ctime = time_now();
	touch_dir(old_dir);
	touch_dir(new_dir);
	return 0;
}

static int
tmpfs_truncate(struct inode *i, uint64_t size)
{
	if (!is_reg(i))
		return -EINVAL;
	if (size < i->size)
		pagecache_truncate(i, size);
	i->size = size;
	i->mtime = i->ctime = time_now();
	return 0;
}

/* --- directories -------------------------------------------------------------------------------- */

/*
 * A position is the order of the next entry, which stays its own as long as it has that name: whatever is made or removed
 * between two calls, an entry that is there all the time comes once.
 */
static int
tmpfs_readdir(struct file *f, struct dir_context *ctx)
{
	struct dentry *d = f->path.dentry, *child;

	if (ctx->pos == 0 && ctx->emit(ctx, ".", 1, f->inode->ino, S_IFDIR >> 12))
		ctx->pos = 1;
	if (ctx->pos == 1 && ctx->emit(ctx, "..", 2, d->parent->inode->ino, S_IFDIR >> 12))
		ctx->pos = FIRST_ENTRY;
	if (ctx->pos < FIRST_ENTRY)
		return 0;
	mutex_lock(&dcache_lock);
	list_for_each_entry (child, &d->children, sibling) {
		if (child->inode == NULL || FIRST_ENTRY + child->order < ctx->pos)
			continue;
		if (!ctx->emit(ctx, child->name, child->len, child->inode->ino,
			       (child->inode->mode & S_IFMT) >> 12))
			break;
		ctx->pos = FIRST_ENTRY + child->order + 1;
	}
	mutex_unlock(&dcache_lock);
	return 0;
}

static void
tmpfs_evict(struct inode *i)
{
	pagecache_free(i->pages);
	if (is_link(i))
		kfree(i->private);
}

static const struct super_ops super_ops = {.evict = tmpfs_evict};

static const struct inode_ops dir_ops = {
	.create = tmpfs_create,
	.mkdir = tmpfs_mkdir,
	.mknod = tmpfs_mknod,
	.symlink = tmpfs_symlink,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.rmdir = tmpfs_rmdir,
	.rename = tmpfs_rename,
};
static const struct inode_ops file_inode_ops = {.truncate = tmpfs_truncate};
static const struct inode_ops link_ops = {.readlink = tmpfs_readlink};
static const struct file_ops dir_fops = {.readdir = tmpfs_readdir};
static const struct file_ops file_fops = {
	.read = pagecache_read,
	.write = pagecache_write,
	.mmap = pagecache_mmap,
};

int
tmpfs_unnamed(uint64_t size, struct file **out)
{
	struct inode *i = make_inode(first, S_IFREG | 0600, 0);

	if (i == NULL)
		return -ENOMEM;
	i->nlink = 0;
	i->size = size;
	*out = file_new(i, &file_fops, O_RDWR);
	if (*out == NULL)
		inode_put(i);
	return *out != NULL ? 0 : -ENOMEM;
}

static int
tmpfs_mount(const struct fs_type *t, const char *source, unsigned flags, const char *data,
	    struct superblock **out)
{
	struct superblock *sb = kzalloc(sizeof(*sb));
	int result;

	(void)source;
	(void)flags;
	(void)data;
	if (sb == NULL)
		return -ENOMEM;
	*sb = (struct superblock){
		.type = t, .dev = superblock_number(), .block_size = PAGE_SIZE, .ops = &super_ops};
	result = superblock_finish(sb, make_inode(sb, S_IFDIR | 0755, 0), out);
	if (result == 0 && first == NULL)
		first = sb;
	return result;
}

struct fs_type tmpfs_type = {.name = "tmpfs", .mount = tmpfs_mount};
