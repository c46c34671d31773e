/*
 * pagecache.h - the contents of a file in memory, page by page; what read, write and mmap share.
 *
 * Implementation: fs/pagecache.c.  A tree of frames by page number.  A file system with a disk reads
 * a missing page in (ops->read_page); one without leaves ops NULL and missing pages are zeros.
 * Locks: the file's inode lock for the size and for writers; the cache's own for the tree.  Faults of
 * mapped files come with the address space locked and take only the latter.
 */
#pragma once
#include <fs/vfs.h>

struct pagecache;
struct pagecache_ops {
	/* Fill the page @index.  0 or -EIO ... */
	int (*read_page)(struct inode *i, uint64_t index, void *page);
};

/* For a new inode; NULL = no memory. */
struct pagecache *pagecache_new(struct inode *i, const struct pagecache_ops *ops);
/* What a mapping of @i has as its object; NULL = it has no pages. */
struct vm_object *pagecache_object(struct inode *i);
/* All pages go; mappings keep theirs. */
void pagecache_free(struct pagecache *c);

/* Bytes from or to the file at *@pos, which moves on; the size follows a write.  As file_ops. */
ssize_t pagecache_read(struct file *f, struct iobuf *b, uint64_t *pos);
ssize_t pagecache_write(struct file *f, struct iobuf *b, uint64_t *pos);
int pagecache_mmap(struct file *f, struct vm_object **out, unsigned prot, unsigned flags);
/*
 * A frame that pmm_init() reserved becomes page @index of a new file, which grows to hold it; from then on it is the
 * file's.  0, -EEXIST (there is a page), -ENOMEM.  For the initrd.
 */
int pagecache_adopt(struct inode *i, uint64_t index, paddr_t frame);
/* Cut off behind @size, or nothing if it grows; the inode's lock is held, its size is set. */
void pagecache_truncate(struct inode *i, uint64_t size);
/* Read for the kernel: execve(), page tables of symbols.  Bytes read, or -errno. */
ssize_t kernel_read(struct file *f, void *buf, size_t n, uint64_t pos);
