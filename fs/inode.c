/*
 * inode.c - inodes: life, permissions, times.
 */
#include <kern/clock.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include "internal.h"

static const struct cred root_cred;
static volatile uint64_t last_ino = 1; /* [a] for file systems without numbers of their own */

const struct cred *
cred_self(void)
{
	const struct task *t = task_self();

	return t != NULL ? &t->proc->cred : &root_cred;
}

struct timespec64
time_now(void)
{
	const uint64_t ns = clock_wall_ns();

	return (struct timespec64){(int64_t)(ns / NS_PER_SEC), (int64_t)(ns % NS_PER_SEC)};
}

struct inode *
inode_new(struct superblock *sb)
{
	struct inode *i = kzalloc(sizeof(*i));

	if (i == NULL)
		return NULL;
	i->ino = __atomic_fetch_add(&last_ino, 1, __ATOMIC_RELAXED);
	i->refs = 1;
	i->sb = sb;
	i->nlink = 1;
	i->uid = cred_self()->fsuid;
	i->gid = cred_self()->fsgid;
	i->atime = i->mtime = i->ctime = time_now();
	mutex_init(&i->lock, "inode");
	list_init(&i->flocks);
	return i;
}

struct inode *
inode_get(struct inode *i)
{
	__atomic_fetch_add(&i->refs, 1, __ATOMIC_RELAXED);
	return i;
}

void
inode_put(struct inode *i)
{
	if (i == NULL || __atomic_sub_fetch(&i->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	if (i->sb != NULL && i->sb->ops->evict != NULL)
		i->sb->ops->evict(i);
	kfree(i);
}

/* --- permissions ------------------------------------------------------------------------------ */

static bool
in_group(const struct cred *c, uint32_t gid)
{
	if (c->fsgid == gid)
		return true;
	for (unsigned i = 0; i < c->nr_groups; i++) {
		if (c->groups[i] == gid)
			return true;
	}
	return false;
}

/* Root may read and write anything, and execute what somebody may execute.  Spec: path_resolution(7). */
int
inode_permission(const struct inode *i, int mask)
{
	const struct cred *c = cred_self();
	unsigned bits = i->mode & 7;

	if (mask & MAY_WRITE && i->sb != NULL && i->sb->read_only &&
	    (is_dir(i) || is_reg(i) || is_link(i)))
		return -EROFS;
	if (c->fsuid == 0)
		return (mask & MAY_EXEC) == 0 || is_dir(i) || (i->mode & 0111) != 0 ? 0 : -EACCES;
	if (c->fsuid == i->uid)
		bits = i->mode >> 6 & 7;
	else if (in_group(c, i->gid))
		bits = i->mode >> 3 & 7;
	return (bits & (unsigned)mask) == (unsigned)mask ? 0 : -EACCES;
}

int
may_create(struct inode *dir)
{
	if (dir->nlink == 0)
		return -ENOENT; /* removed while we stood in it */
	return inode_permission(dir, MAY_WRITE | MAY_EXEC);
}

int
may_delete(struct inode *dir, struct dentry *victim, bool directory)
{
	const struct cred *c = cred_self();
	const struct inode *i = victim->inode;
	const int result = inode_permission(dir, MAY_WRITE | MAY_EXEC);

	if (i == NULL)
		return -ENOENT;
	if (result != 0)
		return result;
	if (dir->mode & S_ISVTX && c->fsuid != 0 && c->fsuid != i->uid && c->fsuid != dir->uid)
		return -EPERM;
	if (directory && !is_dir(i))
		return -ENOTDIR;
	if (!directory && is_dir(i))
		return -EISDIR;
	return victim->mounted ? -EBUSY : 0;
}
