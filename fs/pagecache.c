/*
 * pagecache.c - contents of files in memory.
 *
 * A radix tree with 64 children a node: pages 0-63 of a file need one node, 16 MiB two levels.  The
 * tree grows at its root.  Every frame in it has a holder here; a mapping is a holder more.
 */
#include <fs/pagecache.h>
#include <kern/clock.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>
#include "internal.h"

#define RADIX_BITS 6
#define RADIX_SIZE 64

struct node {
	uint64_t slot[RADIX_SIZE]; /* struct node *, or in the lowest level a frame with PRESENT */
	unsigned used;
};
#define PRESENT 1UL /* frames are page-aligned, so 0 is one, too */

struct pagecache {
	struct vm_object object; /* first: what is mapped */
	struct inode *inode;	 /* [I] which owns us */
	const struct pagecache_ops *ops;
	struct mutex lock;
	struct node *root; /* [lock] NULL = empty */
	unsigned levels;   /* [lock] */
	uint64_t nr_pages; /* [lock] */
};

static const struct vm_object_ops object_ops;

struct pagecache *
pagecache_new(struct inode *i, const struct pagecache_ops *ops)
{
	struct pagecache *c = kzalloc(sizeof(*c));

	if (c == NULL)
		return NULL;
	c->object.ops = &object_ops;
	c->inode = i;
	c->ops = ops;
	mutex_init(&c->lock, "page cache");
	return c;
}

static uint64_t
reach(unsigned levels)
{
	return levels * RADIX_BITS >= 64 ? UINT64_MAX : 1ULL << (levels * RADIX_BITS);
}

/* The slot of page @index, or NULL if there is none yet (or, with @make, no memory). */
static uint64_t *
slot_locked(struct pagecache *c, uint64_t index, bool make)
{
	struct node *n;

	while (c->root == NULL || index >= reach(c->levels)) {
		struct node *top = make ? kzalloc(sizeof(*top)) : NULL;

		if (top == NULL)
			return NULL;
		if (c->root != NULL) {
			top->slot[0] = (uint64_t)c->root;
			top->used = 1;
		}
		c->root = top;
		c->levels++;
	}
	n = c->root;
	for (unsigned level = c->levels - 1; level > 0; level--) {
		uint64_t *s = &n->slot[index >> (level * RADIX_BITS) & (RADIX_SIZE - 1)];

		if (*s == 0) {
			*s = make ? (uint64_t)kzalloc(sizeof(struct node)) : 0;
			if (*s == 0)
				return NULL;
			n->used++;
		}
		n = (struct node *)*s;
	}
	return &n->slot[index & (RADIX_SIZE - 1)];
}

/* A new frame for page @index, with what the file has there. */
static int
fill(struct pagecache *c, uint64_t index, paddr_t *frame)
{
	int result = 0;

	*frame = pmm_alloc_zeroed(PMM_CACHE);
	if (*frame == PADDR_NONE)
		return -ENOMEM;
	if (c->ops != NULL && index * PAGE_SIZE < c->inode->size)
		result = c->ops->read_page(c->inode, index, phys_to_virt(*frame));
	if (result != 0)
		pmm_free(*frame);
	return result;
}

/*
 * The frame of page @index, held for the caller.  @make: put one there if there is none; else
 * PADDR_NONE means zeros.
 */
static int
get_frame(struct pagecache *c, uint64_t index, bool make, paddr_t *frame)
{
	uint64_t *slot;
	int result = 0;

	*frame = PADDR_NONE;
	mutex_lock(&c->lock);
	slot = slot_locked(c, index, make);
	if (slot != NULL && *slot != 0) {
		*frame = *slot & ~PRESENT;
	} else if (make && slot == NULL) {
		result = -ENOMEM;
	} else if (make) {
		result = fill(c, index, frame);
		if (result == 0) {
			*slot = *frame | PRESENT;
			c->nr_pages++;
			c->inode->blocks += PAGE_SIZE / 512;
		}
	}
	if (result == 0 && *frame != PADDR_NONE)
		frame_get(*frame);
	mutex_unlock(&c->lock);
	return result;
}

int
pagecache_adopt(struct inode *i, uint64_t index, paddr_t frame)
{
	struct pagecache *c = i->pages;
	uint64_t *slot;
	int result = 0;

	mutex_lock(&c->lock);
	slot = slot_locked(c, index, true);
	if (slot == NULL) {
		result = -ENOMEM;
	} else if (*slot != 0) {
		result = -EEXIST;
	} else {
		pmm_adopt(frame, PMM_CACHE);
		*slot = frame | PRESENT;
		c->nr_pages++;
		i->blocks += PAGE_SIZE / 512;
		i->size = MAX(i->size, (index + 1) * PAGE_SIZE);
	}
	mutex_unlock(&c->lock);
	return result;
}

/* --- read and write ----------------------------------------------------------------------------- */

ssize_t
pagecache_read(struct file *f, struct iobuf *b, uint64_t *pos)
{
	struct inode *i = f->inode;
	ssize_t total = 0;

	while (b->left > 0 && *pos < i->size) {
		const size_t offset = *pos % PAGE_SIZE;
		const size_t n = MIN(MIN(PAGE_SIZE - offset, i->size - *pos), b->left);
		paddr_t frame;
		ssize_t done = get_frame(i->pages, *pos / PAGE_SIZE, i->pages->ops != NULL, &frame);

		if (done == 0) {
			done = frame == PADDR_NONE
				       ? iobuf_put_zeros(b, n)
				       : iobuf_put(b, (uint8_t *)phys_to_virt(frame) + offset, n);
			if (frame != PADDR_NONE)
				frame_put(frame);
		}
		if (done < 0)
			return total > 0 ? total : done;
		*pos += (uint64_t)done;
		total += done;
		if ((size_t)done < n)
			break;
	}
	return total;
}

/* One page's part of a write; bytes taken or -errno. */
static ssize_t
write_part(struct inode *i, struct iobuf *b, uint64_t pos)
{
	const size_t offset = pos % PAGE_SIZE;
	const size_t n = MIN(PAGE_SIZE - offset, b->left);
	paddr_t frame;
	ssize_t done = get_frame(i->pages, pos / PAGE_SIZE, true, &frame);

	if (done != 0)
		return done == -ENOMEM ? -ENOSPC : done;
	done = iobuf_take(b, (uint8_t *)phys_to_virt(frame) + offset, n);
	frame_put(frame);
	return done;
}

ssize_t
pagecache_write(struct file *f, struct iobuf *b, uint64_t *pos)
{
	struct inode *i = f->inode;
	ssize_t total = 0, done = 0;

	mutex_lock(&i->lock);
	if (f->flags & O_APPEND)
		*pos = i->size;
	while (b->left > 0) {
		done = *pos > INT64_MAX - PAGE_SIZE ? -EFBIG : write_part(i, b, *pos);
		if (done <= 0)
			break;
		*pos += (uint64_t)done;
		total += done;
		i->size = MAX(i->size, *pos);
	}
	if (total > 0)
		i->mtime = i->ctime = time_now();
	mutex_unlock(&i->lock);
	return total > 0 ? total : done;
}

ssize_t
kernel_read(struct file *f, void *buf, size_t n, uint64_t pos)
{
	struct iobuf b = iobuf_kernel(buf, n);

	return vfs_read(f, &b, &pos);
}

/* --- truncation --------------------------------------------------------------------------------- */

/* Give up the pages >= @first under @n; true if the node is empty now and freed. */
static bool
cut(struct pagecache *c, struct node *n, unsigned level, uint64_t base, uint64_t first)
{
	for (unsigned k = 0; k < RADIX_SIZE; k++) {
		const uint64_t at = base + ((uint64_t)k << (level * RADIX_BITS));
		const uint64_t last = at + (1ULL << (level * RADIX_BITS)) - 1;

		if (n->slot[k] == 0 || last < first)
			continue;
		if (level == 0) {
			frame_put(n->slot[k] & ~PRESENT);
			c->nr_pages--;
			c->inode->blocks -= PAGE_SIZE / 512;
			n->slot[k] = 0;
		} else if (cut(c, (struct node *)n->slot[k], level - 1, at, first)) {
			n->slot[k] = 0;
		}
	}
	for (unsigned k = 0; k < RADIX_SIZE; k++) {
		if (n->slot[k] != 0)
			return false;
	}
	kfree(n);
	return true;
}

static void
cut_from(struct pagecache *c, uint64_t first)
{
	mutex_lock(&c->lock);
	if (c->root != NULL && cut(c, c->root, c->levels - 1, 0, first)) {
		c->root = NULL;
		c->levels = 0;
	}
	mutex_unlock(&c->lock);
}

void
pagecache_truncate(struct inode *i, uint64_t size)
{
	const size_t tail = size % PAGE_SIZE;
	paddr_t frame;

	cut_from(i->pages, (size + PAGE_SIZE - 1) / PAGE_SIZE);
	/* What stood behind the end must not come back when the file grows. */
	if (tail != 0 && get_frame(i->pages, size / PAGE_SIZE, false, &frame) == 0 &&
	    frame != PADDR_NONE) {
		memset((uint8_t *)phys_to_virt(frame) + tail, 0, PAGE_SIZE - tail);
		frame_put(frame);
	}
}

void
pagecache_free(struct pagecache *c)
{
	if (c == NULL)
		return;
	cut_from(c, 0);
	kfree(c);
}

/* --- mappings ----------------------------------------------------------------------------------- */

static struct pagecache *
cache_of(struct vm_object *o)
{
	return (struct pagecache *)o;
}

static int
object_get_page(struct vm_object *o, uint64_t index, paddr_t *frame)
{
	struct pagecache *c = cache_of(o);

	if (index >= (c->inode->size + PAGE_SIZE - 1) / PAGE_SIZE)
		return -ENXIO;
	return get_frame(c, index, true, frame);
}

static void
object_dirty(struct vm_object *o, uint64_t index)
{
	(void)o;
	(void)index;
}

static void
object_get(struct vm_object *o)
{
	(void)inode_get(cache_of(o)->inode);
}

static void
object_put(struct vm_object *o)
{
	inode_put(cache_of(o)->inode);
}

static void
object_describe(struct vm_object *o, struct vm_name *out)
{
	struct inode *i = cache_of(o)->inode;
	char *at = inode_name(i, out->name, sizeof(out->name));

	out->device = i->sb->dev;
	out->inode = i->ino;
	if (at == NULL || *at == '\0')
		(void)strlcpy(out->name, "/dev/zero (deleted)", sizeof(out->name));
	else
		memmove(out->name, at, strlen(at) + 1);
}

static const struct vm_object_ops object_ops = {
	.describe = object_describe,
	.get_page = object_get_page,
	.page_dirty = object_dirty,
	.get = object_get,
	.put = object_put,
};

struct vm_object *
pagecache_object(struct inode *i)
{
	return i->pages != NULL ? &i->pages->object : NULL;
}

int
pagecache_mmap(struct file *f, struct vm_object **out, unsigned prot, unsigned flags)
{
	(void)prot;
	(void)flags;
	*out = &f->inode->pages->object;
	return 0;
}
