/*
 * mount.c - which file system is where; the root.
 */
#include <fs/procfs.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include "internal.h"

struct mutex mount_lock = MUTEX_INIT(mount_lock, "mounts");
static struct list mounts = LIST_INIT(mounts); /* [mount] the root first */
static struct fs_type *types;		       /* [I] after init */
static struct path root;		       /* [I] of the system */

uint64_t
superblock_number(void)
{
	static uint64_t last; /* [a] */

	return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

int
superblock_finish(struct superblock *sb, struct inode *root_inode, struct superblock **out)
{
	sb->root = root_inode != NULL ? d_alloc_root(sb, root_inode) : NULL;
	if (sb->root == NULL) {
		inode_put(root_inode);
		kfree(sb);
		return -ENOMEM;
	}
	*out = sb;
	return 0;
}

struct mount *
mount_of(const struct superblock *sb)
{
	struct mount *m, *found = NULL;

	mutex_lock(&mount_lock);
	list_for_each_entry (m, &mounts, node) {
		if (m->sb == sb && found == NULL)
			found = m;
	}
	mutex_unlock(&mount_lock);
	return found;
}

void
mounts_show(struct text *t)
{
	char *buf = kmalloc(PATH_MAX);
	struct mount *m;

	mutex_lock(&mount_lock);
	list_for_each_entry (m, &mounts, node) {
		const char *at = m->at.mnt == NULL ? "/"
				 : buf != NULL	   ? path_name(&m->at, buf, PATH_MAX)
						   : NULL;

		if (at != NULL)
			text_printf(t, "%s %s %s %s,relatime 0 0\n", m->source, at,
				    m->sb->type->name, m->sb->read_only ? "ro" : "rw");
	}
	mutex_unlock(&mount_lock);
	kfree(buf);
}

void
fs_types_show(struct text *t)
{
	for (const struct fs_type *type = types; type != NULL; type = type->next)
		text_printf(t, "nodev\t%s\n", type->name);
}

void
fs_register(struct fs_type *t)
{
	t->next = types;
	types = t;
}

static const struct fs_type *
find_type(const char *name)
{
	for (const struct fs_type *t = types; t != NULL; t = t->next) {
		if (strcmp(t->name, name) == 0)
			return t;
	}
	return NULL;
}

/* @at NULL: the root of all. */
static int
attach(const char *source, const struct path *at, const char *type, unsigned flags,
       const char *data)
{
	const struct fs_type *t = find_type(type);
	struct mount *m;
	int result;

	if (t == NULL)
		return -ENODEV;
	m = kzalloc(sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	result = t->mount(t, source, flags, data, &m->sb);
	if (result != 0) {
		kfree(m);
		return result;
	}
	m->root = m->sb->root;
	m->flags = flags;
	(void)strlcpy(m->source, source, sizeof(m->source));
	mutex_lock(&mount_lock);
	if (at == NULL) {
		root = (struct path){m, m->root};
	} else {
		m->at = *at;
		path_get(at);
		at->dentry->mounted = true;
	}
	list_add_tail(&mounts, &m->node);
	mutex_unlock(&mount_lock);
	return 0;
}

int
vfs_mount(const char *source, const char *target, const char *type, unsigned flags,
	  const char *data)
{
	struct path at;
	int result = path_lookup(NULL, target, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &at);

	if (result != 0)
		return result;
	result = attach(source, &at, type, flags, data);
	path_put(&at);
	return result;
}

int
mount_root(const char *type)
{
	return attach(type, NULL, type, 0, "");
}

void
mount_cross(struct path *p)
{
	struct mount *m;

	mutex_lock(&mount_lock);
again:
	list_for_each_entry (m, &mounts, node) {
		if (p->dentry->mounted && m->at.dentry == p->dentry) {
			struct dentry *below = p->dentry;

			*p = (struct path){m, dentry_get(m->root)};
			dentry_put(below);
			goto again;
		}
	}
	mutex_unlock(&mount_lock);
}

static const struct fs_context *
context(void)
{
	const struct task *t = task_self();

	return t != NULL ? t->proc->fs : NULL;
}

void
root_path(struct path *out)
{
	*out = context() != NULL ? context()->root : root;
	path_get(out);
}

void
walk_start(bool absolute, struct path *out)
{
	const struct fs_context *c = context();

	*out = c == NULL ? root : absolute ? c->root : c->cwd;
}

void
cwd_path(struct path *out)
{
	*out = context() != NULL ? context()->cwd : root;
	path_get(out);
}
