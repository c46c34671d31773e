/*
 * names.c - from what is open or mapped back to a path.
 */
#include <lib/printf.h>
#include <lib/string.h>
#include <uapi/fcntl.h>
#include "internal.h"

struct mount unnamed_mount;

/* Backwards from the end of @buf, one name after the other, as far as @root or the top. */
static char *
walk_up(const struct path *p, const struct path *root, char *buf, size_t size)
{
	struct path at = *p;
	char *s = buf + size - 1;

	*s = '\0';
	mutex_lock(&dcache_lock);
	while (root == NULL || at.dentry != root->dentry || at.mnt != root->mnt) {
		if (at.dentry == at.mnt->root) {
			if (at.mnt->at.mnt == NULL)
				break;
			at = at.mnt->at;
			continue;
		}
		if (s - buf < at.dentry->len + 1) {
			s = NULL;
			break;
		}
		s -= at.dentry->len;
		memcpy(s, at.dentry->name, at.dentry->len);
		*--s = '/';
		if (at.dentry->parent == at.dentry)
			break;
		at.dentry = at.dentry->parent;
	}
	mutex_unlock(&dcache_lock);
	if (s != NULL && *s == '\0')
		*--s = '/';
	return s;
}

char *
path_name(const struct path *p, char *buf, size_t size)
{
	struct path root;
	char *s;

	root_path(&root);
	s = walk_up(p, &root, buf, size);
	path_put(&root);
	return s;
}

static bool
is_gone(struct dentry *d)
{
	bool gone;

	mutex_lock(&dcache_lock);
	gone = d->parent != d && !list_linked(&d->hash);
	mutex_unlock(&dcache_lock);
	return gone;
}

char *
file_name(const struct file *f, char *buf, size_t size)
{
	static const char deleted[] = " (deleted)";
	const struct inode *i = f->inode;
	char *s;

	if (f->path.dentry == NULL || f->path.mnt == &unnamed_mount) {
		(void)snprintf(buf, size,
			       (i->mode & S_IFMT) == S_IFIFO	? "pipe:[%lu]"
			       : (i->mode & S_IFMT) == S_IFSOCK ? "socket:[%lu]"
								: "anon_inode:[%lu]",
			       i->ino);
		return buf;
	}
	if (!is_gone(f->path.dentry))
		return path_name(&f->path, buf, size);
	s = path_name(&f->path, buf, size - sizeof(deleted));
	if (s != NULL)
		(void)strlcpy(s + strlen(s), deleted, sizeof(deleted));
	return s;
}

char *
inode_name(struct inode *i, char *buf, size_t size)
{
	const struct path p = {mount_of(i->sb), d_alias(i)};
	char *s;

	if (p.dentry == NULL || p.mnt == NULL) {
		dentry_put(p.dentry);
		*buf = '\0';
		return buf;
	}
	s = walk_up(&p, NULL, buf, size);
	dentry_put(p.dentry);
	return s;
}

int
file_path(const struct file *f, struct path *out)
{
	if (f->path.dentry != NULL) {
		*out = f->path;
		path_get(out);
		return 0;
	}
	out->mnt = &unnamed_mount;
	out->dentry = d_alloc_unnamed(inode_get(f->inode));
	if (out->dentry == NULL)
		inode_put(f->inode);
	return out->dentry != NULL ? 0 : -ENOMEM;
}
