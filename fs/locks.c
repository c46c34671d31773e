/*
 * locks.c - advisory locks: flock() on open files, fcntl() on ranges of bytes.
 *
 * Both hang in the inode's list.  A lock of flock() belongs to the open file and covers all of it; one
 * of fcntl() belongs to the process, and goes when that closes the file, by whatever descriptor.
 * The two kinds do not see each other, as on Linux.
 */
#include <fs/vfs.h>
#include <kern/process.h>
#include <kern/usercopy.h>
#include <mm/kmalloc.h>
#include <uapi/fcntl.h>
#include "internal.h"

#define END INT64_MAX

struct file_lock {
	struct list node;
	const void *owner;  /* struct file, or struct files */
	bool whole;	    /* by flock() */
	int type;	    /* F_RDLCK, F_WRLCK */
	int64_t start, end; /* [start, end] */
	int pid;
};

static struct mutex lock = MUTEX_INIT(lock, "file locks"); /* all inodes' lists */
static struct wait_queue released = WAIT_QUEUE_INIT(released);
static volatile uint32_t releases; /* [lock] counts them */

static bool
overlap(const struct file_lock *l, int64_t start, int64_t end)
{
	return l->start <= end && start <= l->end;
}

static struct file_lock *
find_conflict(struct inode *i, const struct file_lock *want)
{
	struct file_lock *l;

	list_for_each_entry (l, &i->flocks, node) {
		if (l->owner != want->owner && l->whole == want->whole &&
		    overlap(l, want->start, want->end) &&
		    (l->type == F_WRLCK || want->type == F_WRLCK))
			return l;
	}
	return NULL;
}

static void
note_release(void)
{
	releases++;
	(void)wake_all(&released);
}

/* @want's owner has nothing in its range any more; what lies around it stays.  -ENOMEM: two parts. */
static int
carve(struct inode *i, const struct file_lock *want, struct file_lock **spare)
{
	struct file_lock *l, *next;

	list_for_each_entry_safe (l, next, &i->flocks, node) {
		if (l->owner != want->owner || l->whole != want->whole ||
		    !overlap(l, want->start, want->end))
			continue;
		if (l->start < want->start && l->end > want->end) {
			if (*spare == NULL)
				return -ENOLCK;
			**spare = *l;
			(*spare)->start = want->end + 1;
			list_insert_after(&l->node, &(*spare)->node);
			*spare = NULL;
			l->end = want->start - 1;
		} else if (l->start < want->start) {
			l->end = want->start - 1;
		} else if (l->end > want->end) {
			l->start = want->end + 1;
		} else {
			list_del(&l->node);
			kfree(l);
		}
	}
	return 0;
}

/* Locks of the same owner and type that overlap or touch become one. */
static void
join(struct inode *i, struct file_lock *want)
{
	struct file_lock *l;

	list_for_each_entry (l, &i->flocks, node) {
		if (l->owner != want->owner || l->whole != want->whole || l->type != want->type ||
		    (l->end != END && l->end + 1 < want->start) ||
		    (want->end != END && want->end + 1 < l->start))
			continue;
		want->start = MIN(want->start, l->start);
		want->end = MAX(want->end, l->end);
	}
}

static int
set_locked(struct inode *i, struct file_lock *want, struct file_lock **mine,
	   struct file_lock **spare)
{
	int result;

	if (want->type != F_UNLCK && find_conflict(i, want) != NULL)
		return -EAGAIN;
	if (want->type != F_UNLCK)
		join(i, want);
	result = carve(i, want, spare);
	if (result == 0 && want->type != F_UNLCK) {
		**mine = *want;
		list_add_tail(&i->flocks, &(*mine)->node);
		*mine = NULL;
	}
	note_release();
	return result;
}

static int
set_lock(struct inode *i, struct file_lock *want, bool wait)
{
	struct file_lock *mine = kmalloc(sizeof(*mine)), *spare = kmalloc(sizeof(*spare));
	int result = mine != NULL && spare != NULL ? -EAGAIN : -ENOLCK;

	while (result == -EAGAIN) {
		uint32_t seen;

		mutex_lock(&lock);
		seen = releases;
		result = set_locked(i, want, &mine, &spare);
		mutex_unlock(&lock);
		if (result != -EAGAIN || !wait)
			break;
		if (wait_event(&released, releases != seen) != 0)
			result = -ERESTARTSYS;
	}
	kfree(mine);
	kfree(spare);
	return result;
}

int
file_flock(struct file *f, int operation)
{
	struct file_lock want = {.owner = f, .whole = true, .start = 0, .end = END};

	switch (operation & ~LOCK_NB) {
	case LOCK_SH: want.type = F_RDLCK; break;
	case LOCK_EX: want.type = F_WRLCK; break;
	case LOCK_UN: want.type = F_UNLCK; break;
	default: return -EINVAL;
	}
	return set_lock(f->inode, &want, (operation & LOCK_NB) == 0);
}

/* The range that the program means, from the three ways of saying it. */
static int
read_range(const struct file *f, const struct k_flock *k, struct file_lock *out)
{
	int64_t base;

	switch (k->whence) {
	case 0: base = 0; break;
	case 1: base = (int64_t)f->pos; break;
	case 2: base = (int64_t)f->inode->size; break;
	default: return -EINVAL;
	}
	if (__builtin_add_overflow(base, k->start, &out->start))
		return -EOVERFLOW;
	if (k->len > 0) {
		if (__builtin_add_overflow(out->start, k->len - 1, &out->end))
			return -EOVERFLOW;
	} else if (k->len < 0) {
		out->end = out->start - 1;
		out->start += k->len;
	} else {
		out->end = END;
	}
	return out->start < 0 ? -EINVAL : 0;
}

static int
test_lock(struct file *f, const struct file_lock *want, struct k_flock *k)
{
	const struct file_lock *l;

	mutex_lock(&lock);
	l = find_conflict(f->inode, want);
	if (l != NULL)
		*k = (struct k_flock){.type = (int16_t)l->type,
				      .start = l->start,
				      .len = l->end == END ? 0 : l->end - l->start + 1,
				      .pid = l->pid};
	else
		k->type = F_UNLCK;
	mutex_unlock(&lock);
	return 0;
}

int
file_lock_control(struct file *f, int cmd, uptr_t arg)
{
	struct file_lock want = {.owner = process_self()->files, .pid = process_self()->pid};
	const unsigned access = f->flags & O_ACCMODE;
	struct k_flock k;
	int result;

	if (copy_from_user(&k, arg, sizeof(k)) != 0)
		return -EFAULT;
	result = read_range(f, &k, &want);
	if (result != 0)
		return result;
	want.type = k.type;
	if (k.type != F_RDLCK && k.type != F_WRLCK && (k.type != F_UNLCK || cmd == F_GETLK))
		return -EINVAL;
	if (cmd == F_GETLK) {
		(void)test_lock(f, &want, &k);
		return copy_to_user(arg, &k, sizeof(k));
	}
	if ((k.type == F_RDLCK && access == O_WRONLY) || (k.type == F_WRLCK && access == O_RDONLY))
		return -EBADF;
	return set_lock(f->inode, &want, cmd == F_SETLKW);
}

void
file_locks_drop(struct inode *i, const void *owner)
{
	const struct file_lock all = {.owner = owner, .start = 0, .end = END};
	struct file_lock whole = all, *none = NULL;

	if (i == NULL || list_empty(&i->flocks))
		return;
	whole.whole = true;
	mutex_lock(&lock);
	(void)carve(i, &all, &none);
	(void)carve(i, &whole, &none);
	note_release();
	mutex_unlock(&lock);
}
