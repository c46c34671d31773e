/*
 * context.c - where a process stands in the file system: root, current directory, umask.
 */
#include <kern/process.h>
#include <mm/kmalloc.h>
#include "internal.h"

struct fs_context *
fs_context_new(void)
{
	struct fs_context *c = kzalloc(sizeof(*c));

	if (c == NULL)
		return NULL;
	c->refs = 1;
	c->umask = 022;
	root_path(&c->root);
	root_path(&c->cwd);
	return c;
}

struct fs_context *
fs_context_copy(const struct fs_context *src)
{
	struct fs_context *c = kmalloc(sizeof(*c));

	if (c == NULL)
		return NULL;
	*c = *src;
	c->refs = 1;
	path_get(&c->root);
	path_get(&c->cwd);
	return c;
}

struct fs_context *
fs_context_get(struct fs_context *c)
{
	__atomic_fetch_add(&c->refs, 1, __ATOMIC_RELAXED);
	return c;
}

void
fs_context_put(struct fs_context *c)
{
	if (__atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	path_put(&c->root);
	path_put(&c->cwd);
	kfree(c);
}

static void
set(struct path *place, struct path *p)
{
	struct path old;

	mutex_lock(&dcache_lock); /* for fs_context_place() of others */
	old = *place;
	*place = *p;
	mutex_unlock(&dcache_lock);
	path_put(&old);
}

void
fs_context_place(struct fs_context *c, bool of_root, struct path *out)
{
	mutex_lock(&dcache_lock);
	*out = of_root ? c->root : c->cwd;
	out->dentry->refs++; /* it has one of the context's */
	mutex_unlock(&dcache_lock);
}

void
fs_set_cwd(struct path *p)
{
	set(&process_self()->fs->cwd, p);
}

void
fs_set_root(struct path *p)
{
	set(&process_self()->fs->root, p);
}
