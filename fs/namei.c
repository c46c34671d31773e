/*
 * namei.c - from a path to a dentry.
 *
 * Part by part from the start directory: the dentry cache first, then the file system with the
 * directory's lock held.  A symbolic link in the way is read, and its target is walked before the rest;
 * what is left of the path meanwhile waits on a list, so the kernel's stack does not grow with it.
 * Spec: POSIX.1-2017, "Pathname Resolution"; path_resolution(7).
 */
#include <lib/string.h>
#include <mm/kmalloc.h>
#include "internal.h"

#define WALK_PARENT 0x100 /* stop before the last part */

/* A symbolic link on the way: its target, and where to go on behind it. */
struct pending {
	struct pending *outer;
	const char *rest;
	char target[];
};

struct walk {
	struct path at;		 /* referenced */
	struct path root;	 /* referenced */
	const char *p;		 /* what is left of the innermost string */
	struct pending *pending; /* strings that come after it */
	unsigned flags, links;
	struct qstr last;	 /* WALK_PARENT: the part not walked; len 0 = the path has none */
	bool slash;		 /* and a slash follows it */
	struct pending *last_in; /* whose memory it points into */
};

/* --- one step ----------------------------------------------------------------------------------- */

/* The child @q of the directory @dir: cached, or asked for.  Referenced; an ERR code in *@result. */
static struct dentry *
lookup_child(struct dentry *dir, const struct qstr *q, int *result)
{
	struct dentry *d = d_lookup(dir, q);
	struct inode *i = dir->inode;

	*result = 0;
	if (d != NULL)
		return d;
	mutex_lock(&i->lock);
	d = d_lookup(dir, q); /* somebody else may have been quicker */
	if (d == NULL) {
		d = i->nlink == 0 ? NULL : d_alloc(dir, q);
		*result = d == NULL ? (i->nlink == 0 ? -ENOENT : -ENOMEM) : 0;
		if (d != NULL && i->ops->lookup != NULL)
			*result = i->ops->lookup(i, d);
	}
	mutex_unlock(&i->lock);
	if (*result != 0 && d != NULL) {
		d_drop(d);
		dentry_put(d);
		d = NULL;
	}
	return d;
}

static void
step_up(struct walk *w)
{
	struct dentry *parent;

	for (;;) {
		if (w->at.dentry == w->root.dentry && w->at.mnt == w->root.mnt)
			return; /* the root is its own parent */
		if (w->at.dentry != w->at.mnt->root)
			break;
		if (w->at.mnt->at.mnt == NULL)
			return;
		parent = dentry_get(w->at.mnt->at.dentry);
		dentry_put(w->at.dentry);
		w->at = (struct path){w->at.mnt->at.mnt, parent};
	}
	parent = dentry_get(w->at.dentry->parent);
	dentry_put(w->at.dentry);
	w->at.dentry = parent;
	mount_cross(&w->at);
}

/* Walk the target of @link before the rest.  Takes over the reference to @link. */
static int
follow(struct walk *w, struct dentry *link)
{
	struct inode *i = link->inode;
	struct pending *n;
	ssize_t len;

	if (++w->links > SYMLINKS_MAX || i->ops->readlink == NULL) {
		dentry_put(link);
		return -ELOOP;
	}
	if (i->ops->jump != NULL) {
		struct path to;
		const int result = i->ops->jump(i, &to);

		dentry_put(link);
		if (result != 0)
			return result;
		path_put(&w->at);
		w->at = to;
		return 0;
	}
	n = kmalloc(sizeof(*n) + PATH_MAX);
	len = n == NULL ? -ENOMEM : i->ops->readlink(i, n->target, PATH_MAX - 1);
	dentry_put(link);
	if (len <= 0) {
		kfree(n);
		return len == 0 ? -ENOENT : (int)len;
	}
	n->target[len] = '\0';
	n->rest = w->p;
	n->outer = w->pending;
	w->pending = n;
	w->p = n->target;
	if (*w->p == '/') {
		path_get(&w->root);
		path_put(&w->at);
		w->at = w->root;
	}
	return 0;
}

static void
drop_pending(struct walk *w)
{
	while (w->pending != NULL) {
		struct pending *n = w->pending;

		w->pending = n->outer;
		kfree(n);
	}
}

/* Is nothing but slashes left, in this string and those behind it? */
static bool
at_end(const struct walk *w, bool *slash)
{
	const char *p = w->p;
	const struct pending *n = w->pending;

	*slash = *p == '/';
	for (;;) {
		while (*p == '/')
			p++;
		if (*p != '\0')
			return false;
		if (n == NULL)
			return true;
		p = n->rest;
		*slash = *slash || *p == '/';
		n = n->outer;
	}
}

/* Cut the next part off.  False: there is none. */
static bool
next_part(struct walk *w, struct qstr *q)
{
	for (;;) {
		while (*w->p == '/')
			w->p++;
		if (*w->p != '\0')
			break;
		if (w->pending == NULL)
			return false;
		{
			struct pending *n = w->pending;

			w->p = n->rest;
			w->pending = n->outer;
			kfree(n);
		}
	}
	w->p = name_cut(w->p, q);
	return true;
}

/* Into the child @q.  @last: nothing follows; @slash: but a slash. */
static int
step_into(struct walk *w, const struct qstr *q, bool last, bool slash)
{
	int result;
	struct dentry *d = lookup_child(w->at.dentry, q, &result);

	if (d == NULL)
		return result;
	if (d->inode == NULL) {
		dentry_put(d);
		return -ENOENT;
	}
	if (is_link(d->inode) && (!last || slash || w->flags & LOOKUP_FOLLOW))
		return follow(w, d);
	dentry_put(w->at.dentry);
	w->at.dentry = d;
	if (d->mounted)
		mount_cross(&w->at);
	return 0;
}

static int
walk_on(struct walk *w)
{
	struct qstr q;

	while (next_part(w, &q)) {
		struct inode *i = w->at.dentry->inode;
		bool slash, last;
		int result;

		if (!is_dir(i))
			return -ENOTDIR;
		result = inode_permission(i, MAY_EXEC);
		if (result != 0)
			return result;
		if (q.len > NAME_MAX)
			return -ENAMETOOLONG;
		last = at_end(w, &slash);
		if (last && w->flags & WALK_PARENT) {
			w->last = q;
			w->slash = slash;
			return 0;
		}
		if (name_is_dots(&q)) {
			if (q.len == 2)
				step_up(w);
			continue;
		}
		result = step_into(w, &q, last, slash);
		if (result != 0)
			return result;
		if (last && slash && w->pending == NULL && !is_dir(w->at.dentry->inode))
			return -ENOTDIR;
	}
	return 0;
}

/* --- whole paths -------------------------------------------------------------------------------- */

static int
walk_begin(struct walk *w, const struct path *at, const char *name, unsigned flags)
{
	*w = (struct walk){.p = name, .flags = flags};
	if (*name == '\0' && (flags & LOOKUP_EMPTY) == 0)
		return -ENOENT;
	if (strnlen(name, PATH_MAX) == PATH_MAX)
		return -ENAMETOOLONG;
	root_path(&w->root);
	if (*name == '/') {
		w->at = w->root;
		path_get(&w->at);
	} else if (at != NULL) {
		w->at = *at;
		path_get(&w->at);
	} else {
		cwd_path(&w->at);
	}
	return 0;
}

static void
walk_end(struct walk *w)
{
	drop_pending(w);
	path_put(&w->root);
}

static bool
lookup_known(const struct path *at, const char *name, unsigned flags, struct path *out)
{
	struct path start;

	if (at != NULL && *name != '/')
		start = *at;
	else
		walk_start(*name == '/', &start);
	out->mnt = start.mnt;
	out->dentry = d_walk_known(start.dentry, name, (flags & LOOKUP_DIRECTORY) != 0);
	return out->dentry != NULL;
}

int
path_lookup(const struct path *at, const char *name, unsigned flags, struct path *out)
{
	struct walk w;
	int result;

	if (*name != '\0' && lookup_known(at, name, flags, out))
		return 0;
	result = walk_begin(&w, at, name, flags);
	if (result != 0)
		return result;
	result = walk_on(&w);
	if (result == 0 && flags & LOOKUP_DIRECTORY && !is_dir(w.at.dentry->inode))
		result = -ENOTDIR;
	if (result != 0)
		path_put(&w.at);
	walk_end(&w);
	*out = w.at;
	return result;
}

/* The dentry of the last part, its directory locked (unless an error is returned). */
static int NO_LOCK_ANALYSIS
find_last(struct walk *w, struct dentry **last)
{
	struct inode *dir = w->at.dentry->inode;
	int result = 0;

	mutex_lock(&dir->lock);
	*last = d_lookup(w->at.dentry, &w->last);
	if (*last == NULL && dir->nlink > 0) {
		*last = d_alloc(w->at.dentry, &w->last);
		if (*last == NULL)
			result = -ENOMEM;
		else if (dir->ops->lookup != NULL)
			result = dir->ops->lookup(dir, *last);
	} else if (*last == NULL) {
		result = -ENOENT;
	}
	if (result != 0) {
		if (*last != NULL) {
			d_drop(*last);
			dentry_put(*last);
		}
		mutex_unlock(&dir->lock);
	}
	return result;
}

/*
 * @flags may have LOOKUP_DIRECTORY: a slash behind the last part is welcome (mkdir, rmdir).  "." and
 * ".." and "/" are no names that could be made or removed: -EINVAL, -ENOTEMPTY, -EBUSY are the
 * callers' to choose; here it is -EEXIST with *@last NULL.
 */
int NO_LOCK_ANALYSIS
path_lookup_last(const struct path *at, const char *name, unsigned flags, struct path *dir,
		 struct dentry **last)
{
	struct walk w;
	int result = walk_begin(&w, at, name, flags | WALK_PARENT);

	*last = NULL;
	if (result != 0)
		return result;
	result = walk_on(&w);
	if (result == 0 && (w.last.len == 0 || name_is_dots(&w.last)))
		result = -EEXIST;
	if (result == 0)
		result = find_last(&w, last);
	if (result == 0 && w.slash && (flags & LOOKUP_DIRECTORY) == 0) {
		result = (*last)->inode == NULL ? -ENOENT : is_dir((*last)->inode) ? 0 : -ENOTDIR;
		if (result != 0) {
			mutex_unlock(&w.at.dentry->inode->lock);
			dentry_put(*last);
			*last = NULL;
		}
	}
	if (result != 0)
		path_put(&w.at);
	walk_end(&w);
	*dir = w.at;
	return result;
}

void NO_LOCK_ANALYSIS
path_unlock_last(struct path *dir, struct dentry *last)
{
	mutex_unlock(&dir->dentry->inode->lock);
	dentry_put(last);
	path_put(dir);
}

void
path_get(const struct path *p)
{
	(void)dentry_get(p->dentry);
}

void
path_put(const struct path *p)
{
	dentry_put(p->dentry);
}
