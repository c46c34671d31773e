/*
 * dentry.c - names: the tree of what was looked up, and the hash by which it is found again.
 *
 * A dentry in use has references; one without stays for the next lookup, in the list of unused ones,
 * until memory is short or there are too many.  File systems without a disk pin theirs with a
 * reference more: for them the tree of names is the directory.
 */
#include <lib/string.h>
#include <mm/kmalloc.h>
#include "internal.h"

#define BUCKETS	   1024 /* power of 2 */
#define UNUSED_MAX 4096

struct mutex dcache_lock = MUTEX_INIT(dcache_lock, "dcache");
static struct list buckets[BUCKETS];	       /* [d] */
static struct list unused = LIST_INIT(unused); /* [d] oldest first */
static size_t nr_unused;		       /* [d] */
static uint64_t last_order;		       /* [d] */

/* The FNV-1a hash of 32 bits, by G. Fowler, L. C. Noll and K.-P. Vo. */
#define HASH_START 2166136261U
#define HASH_PRIME 16777619U

uint32_t
name_hash(const char *name, unsigned len)
{
	uint32_t h = HASH_START;

	for (unsigned i = 0; i < len; i++)
		h = (h ^ (uint8_t)name[i]) * HASH_PRIME;
	return h;
}

const char *
name_cut(const char *s, struct qstr *q)
{
	q->name = s;
	q->hash = HASH_START;
	while (*s != '\0' && *s != '/')
		q->hash = (q->hash ^ (uint8_t)*s++) * HASH_PRIME;
	q->len = (unsigned)(s - q->name);
	return s;
}

static struct list *
bucket_of(const struct dentry *parent, uint32_t hash)
{
	struct list *b = &buckets[(hash ^ (uint32_t)((uintptr_t)parent >> 6)) % BUCKETS];

	if (unlikely(b->next == NULL))
		list_init(b);
	return b;
}

static void
take_locked(struct dentry *d)
{
	if (d->refs++ == 0 && list_linked(&d->lru)) {
		list_del(&d->lru);
		nr_unused--;
	}
}

struct dentry *
dentry_get(struct dentry *d)
{
	mutex_lock(&dcache_lock);
	take_locked(d);
	mutex_unlock(&dcache_lock);
	return d;
}

/* Out of hash and tree; the memory is the caller's to free, with the inode and the parent's reference. */
static void
unlink_locked(struct dentry *d)
{
	list_del(&d->hash);
	list_del(&d->sibling);
	if (d->inode != NULL && d->inode->alias == d)
		d->inode->alias = NULL;
}

static struct dentry *
oldest_unused_locked(void)
{
	struct dentry *d = list_first(&unused, struct dentry, lru);

	list_del(&d->lru);
	nr_unused--;
	unlink_locked(d);
	return d;
}

static void
free_dentry(struct dentry *d)
{
	if (d->name != d->small)
		kfree(d->name);
	kfree(d);
}

/* @d has no references and is in no table: free it, and perhaps its parents. */
static void
destroy(struct dentry *d)
{
	struct dentry *parent = d->parent;

	inode_put(d->inode);
	free_dentry(d);
	if (parent != d)
		dentry_put(parent);
}

void
dentry_put(struct dentry *d)
{
	struct dentry *dead = NULL;

	if (d == NULL)
		return;
	mutex_lock(&dcache_lock);
	assert(d->refs > 0);
	if (--d->refs == 0) {
		if (!list_linked(&d->hash)) {
			list_del(&d->sibling);
			dead = d;
		} else if (d->sb->transient) {
			unlink_locked(d);
			dead = d;
		} else {
			list_add_tail(&unused, &d->lru);
			if (++nr_unused > UNUSED_MAX)
				dead = oldest_unused_locked();
		}
	}
	mutex_unlock(&dcache_lock);
	if (dead != NULL)
		destroy(dead);
}

static struct dentry *
unused_child_locked(struct dentry *d)
{
	struct dentry *child;

	list_for_each_entry (child, &d->children, sibling) {
		if (child->refs == 0 && list_linked(&child->lru)) {
			list_del(&child->lru);
			nr_unused--;
			unlink_locked(child);
			return child;
		}
	}
	return NULL;
}

void
d_prune(struct dentry *d)
{
	for (;;) {
		struct dentry *child;

		mutex_lock(&dcache_lock);
		child = unused_child_locked(d);
		mutex_unlock(&dcache_lock);
		if (child == NULL)
			return;
		destroy(child);
	}
}

static struct dentry *
find_child_locked(struct dentry *parent, const struct qstr *q)
{
	struct dentry *d;

	list_for_each_entry (d, bucket_of(parent, q->hash), hash) {
		if (d->parent == parent && d->len == q->len &&
		    memcmp(d->name, q->name, q->len) == 0)
			return d;
	}
	return NULL;
}

static struct dentry *
walk_locked(struct dentry *d, const char *s, bool directory)
{
	struct qstr q;

	for (;;) {
		while (*s == '/') {
			s++;
			directory = directory || *s == '\0';
		}
		if (*s == '\0')
			break;
		if (!is_dir(d->inode) || inode_permission(d->inode, MAY_EXEC) != 0)
			return NULL;
		s = name_cut(s, &q);
		if (name_is_dots(&q))
			return NULL;
		d = find_child_locked(d, &q);
		if (d == NULL || d->inode == NULL || d->mounted || is_link(d->inode))
			return NULL;
	}
	return directory && !is_dir(d->inode) ? NULL : d;
}

struct dentry *
d_walk_known(struct dentry *start, const char *name, bool directory)
{
	struct dentry *d;

	mutex_lock(&dcache_lock);
	d = walk_locked(start, name, directory);
	if (d != NULL)
		take_locked(d);
	mutex_unlock(&dcache_lock);
	return d;
}

struct dentry *
d_lookup(struct dentry *parent, const struct qstr *q)
{
	struct dentry *d;

	mutex_lock(&dcache_lock);
	d = find_child_locked(parent, q);
	if (d != NULL)
		take_locked(d);
	mutex_unlock(&dcache_lock);
	return d;
}

static struct dentry *
d_new(const char *name, unsigned len)
{
	struct dentry *d = kzalloc(sizeof(*d));

	if (d == NULL)
		return NULL;
	d->name = len < sizeof(d->small) ? d->small : kzalloc(len + 1);
	if (d->name == NULL) {
		kfree(d);
		return NULL;
	}
	d->refs = 1;
	d->len = (uint8_t)len;
	memcpy(d->name, name, len);
	list_init(&d->hash);
	list_init(&d->children);
	list_init(&d->sibling);
	list_init(&d->lru);
	return d;
}

struct dentry *
d_alloc(struct dentry *parent, const struct qstr *q)
{
	struct dentry *d = d_new(q->name, q->len);

	if (d == NULL)
		return NULL;
	d->parent = parent;
	d->sb = parent->sb;
	mutex_lock(&dcache_lock);
	take_locked(parent);
	list_add_head(bucket_of(parent, q->hash), &d->hash);
	list_add_tail(&parent->children, &d->sibling);
	d->order = ++last_order;
	mutex_unlock(&dcache_lock);
	return d;
}

struct dentry *
d_alias(struct inode *i)
{
	struct dentry *d;

	mutex_lock(&dcache_lock);
	d = i->alias;
	if (d != NULL)
		take_locked(d);
	mutex_unlock(&dcache_lock);
	return d;
}

struct dentry *
d_alloc_unnamed(struct inode *inode)
{
	static struct superblock nowhere;

	return d_alloc_root(&nowhere, inode);
}

struct dentry *
d_alloc_root(struct superblock *sb, struct inode *inode)
{
	struct dentry *d = d_new("", 0);

	if (d == NULL)
		return NULL;
	d->parent = d;
	d->sb = sb;
	d->inode = inode;
	return d;
}

void
d_instantiate(struct dentry *d, struct inode *i)
{
	mutex_lock(&dcache_lock);
	assert(d->inode == NULL);
	d->inode = i;
	i->alias = d;
	mutex_unlock(&dcache_lock);
}

void
d_drop(struct dentry *d)
{
	mutex_lock(&dcache_lock);
	unlink_locked(d);
	mutex_unlock(&dcache_lock);
}

/* @to's name becomes @d's. */
static void
steal_name_locked(struct dentry *d, struct dentry *to)
{
	if (d->name != d->small)
		kfree(d->name);
	if (to->name == to->small) {
		memcpy(d->small, to->small, sizeof(d->small));
		d->name = d->small;
	} else {
		d->name = to->name;
		to->small[0] = '\0';
		to->name = to->small;
	}
	d->len = to->len;
}

void
d_move(struct dentry *d, struct dentry *to)
{
	struct dentry *old_parent = d->parent;

	mutex_lock(&dcache_lock);
	unlink_locked(d);
	unlink_locked(to);
	steal_name_locked(d, to);
	if (to->parent != old_parent)
		take_locked(to->parent);
	d->parent = to->parent;
	list_add_head(bucket_of(d->parent, name_hash(d->name, d->len)), &d->hash);
	list_add_tail(&d->parent->children, &d->sibling);
	d->order = ++last_order;
	if (d->inode != NULL)
		d->inode->alias = d;
	mutex_unlock(&dcache_lock);
	if (to->parent != old_parent)
		dentry_put(old_parent);
}

bool
d_is_below(struct dentry *d, struct dentry *top)
{
	bool below;

	mutex_lock(&dcache_lock);
	while (d != top && d->parent != d)
		d = d->parent;
	below = d == top;
	mutex_unlock(&dcache_lock);
	return below;
}
