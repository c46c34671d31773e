/*
 * attr.c - size, mode, owner, times of an inode: who may change them, and what changes with them.
 */
#include <kern/process.h>
#include <uapi/sched.h>
#include "internal.h"

static bool
is_owner(const struct inode *i)
{
	const struct cred *c = cred_self();

	return c->fsuid == 0 || c->fsuid == i->uid;
}

static bool
in_group(uint32_t gid)
{
	const struct cred *c = cred_self();

	for (unsigned k = 0; k < c->nr_groups; k++) {
		if (c->groups[k] == gid)
			return true;
	}
	return c->fsgid == gid;
}

static int
written_back(struct inode *i)
{
	return i->ops->setattr != NULL ? i->ops->setattr(i) : 0;
}

int
vfs_truncate(struct inode *i, uint64_t size)
{
	const struct task *t = task_self();
	int result;

	if (t != NULL && size > i->size && size > t->proc->rlimits[RLIMIT_FSIZE].cur)
		return -EFBIG;
	if (size > INT64_MAX)
		return -EFBIG;
	mutex_lock(&i->lock);
	result = i->ops->truncate != NULL ? i->ops->truncate(i, size) : -EINVAL;
	if (result == 0) {
		i->mtime = i->ctime = time_now();
		i->mode &= ~(uint32_t)S_ISUID;
	}
	mutex_unlock(&i->lock);
	return result;
}

int
vfs_chmod(struct inode *i, uint32_t mode)
{
	int result = 0;

	mutex_lock(&i->lock);
	if (!is_owner(i)) {
		result = -EPERM;
	} else {
		if (cred_self()->fsuid != 0 && !in_group(i->gid))
			mode &= ~(uint32_t)S_ISGID;
		i->mode = (i->mode & S_IFMT) | (mode & 07777);
		i->ctime = time_now();
		result = written_back(i);
	}
	mutex_unlock(&i->lock);
	return result;
}

int
vfs_chown(struct inode *i, uint32_t uid, uint32_t gid)
{
	const bool root = cred_self()->fsuid == 0;
	int result = 0;

	mutex_lock(&i->lock);
	if (!root && ((uid != UINT32_MAX && (uid != i->uid || !is_owner(i))) ||
		      (gid != UINT32_MAX && (!is_owner(i) || (gid != i->gid && !in_group(gid)))))) {
		result = -EPERM;
	} else {
		if (uid != UINT32_MAX)
			i->uid = uid;
		if (gid != UINT32_MAX)
			i->gid = gid;
		if (!is_dir(i)) {
			i->mode &= ~(uint32_t)S_ISUID;
			if (i->mode & 0010)
				i->mode &= ~(uint32_t)S_ISGID;
		}
		i->ctime = time_now();
		result = written_back(i);
	}
	mutex_unlock(&i->lock);
	return result;
}

static void
set_time(struct timespec64 *place, const struct timespec64 *t, const struct timespec64 *now)
{
	if (t->nsec != UTIME_OMIT)
		*place = t->nsec == UTIME_NOW ? *now : *t;
}

int
vfs_utimes(struct inode *i, const struct timespec64 times[2])
{
	static const struct timespec64 both_now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
	const struct timespec64 now = time_now();
	const bool only_now =
		times == NULL || (times[0].nsec == UTIME_NOW && times[1].nsec == UTIME_NOW);
	int result = 0;

	if (times == NULL)
		times = both_now;
	if (times[0].nsec == UTIME_OMIT && times[1].nsec == UTIME_OMIT)
		return 0;
	mutex_lock(&i->lock);
	if (!is_owner(i))
		result = only_now ? inode_permission(i, MAY_WRITE) : -EPERM;
	if (result == 0) {
		set_time(&i->atime, &times[0], &now);
		set_time(&i->mtime, &times[1], &now);
		i->ctime = now;
		result = written_back(i);
	}
	mutex_unlock(&i->lock);
	return result;
}
