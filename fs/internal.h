/*
 * internal.h - what the files of fs/ share and nobody else needs.
 */
#pragma once
#include <fs/vfs.h>
#include <kern/process.h>

extern struct mutex dcache_lock;     /* tree and hash of dentries, their reference counts */
extern struct mutex vfs_rename_lock; /* one rename between directories at a time */
extern struct mutex mount_lock;	     /* list of mounts */

struct qstr {
	const char *name; /* not ended by NUL */
	unsigned len;
	uint32_t hash;
};
uint32_t name_hash(const char *name, unsigned len);
/* The part of a path that begins at @s into *@q, with its hash; returns where it ends. */
const char *name_cut(const char *s, struct qstr *q);
/* Is it "." or ".."? */
static inline bool
name_is_dots(const struct qstr *q)
{
	return q->name[0] == '.' && (q->len == 1 || (q->len == 2 && q->name[1] == '.'));
}

/* For st_dev of a new superblock. */
uint64_t superblock_number(void);
/* @sb gets @root (NULL = there was no memory for it), whose reference goes over: it is *@out; or both are freed.  0 or -ENOMEM. */
int superblock_finish(struct superblock *sb, struct inode *root, struct superblock **out);
/* One of @i's names, with a reference, or NULL. */
struct dentry *d_alias(struct inode *i);
/* A name for @inode that is in no tree; takes over the reference.  NULL = no memory. */
struct dentry *d_alloc_unnamed(struct inode *inode);
/* The mount of @sb's root, or NULL. */
struct mount *mount_of(const struct superblock *sb);
/* Where names of d_alloc_unnamed() are. */
extern struct mount unnamed_mount;

/* The child of @parent with this name, with a reference; NULL if none is known. */
struct dentry *d_lookup(struct dentry *parent, const struct qstr *q);
/*
 * The quick way through a path whose parts are all known, directories that may be searched, no links, no mounts: what it leads
 * to from @start, with a reference.  NULL: something is not so, and the walk has to go step by step.
 */
struct dentry *d_walk_known(struct dentry *start, const char *name, bool directory);
/* Where a walk of the calling task begins, without references: they are the task's own. */
void walk_start(bool absolute, struct path *out);
/* A new negative one, hashed; NULL = no memory.  The directory's lock is held. */
struct dentry *d_alloc(struct dentry *parent, const struct qstr *q);
/* A root; takes over the reference to @inode. */
struct dentry *d_alloc_root(struct superblock *sb, struct inode *inode);
/* Its name is gone: out of the hash and the tree, the inode stays with who has it open. */
void d_drop(struct dentry *d);
/* Forget all children of @d that nobody uses: it was removed. */
void d_prune(struct dentry *d);
/* @d gets the name and place of @to, which is dropped.  Both directories' locks are held. */
void d_move(struct dentry *d, struct dentry *to);
/* Is @d within the tree under @top? */
bool d_is_below(struct dentry *d, struct dentry *top);

/* @p's root if something is mounted there, again and again; takes over and gives back a reference. */
void mount_cross(struct path *p);
/* The root of the calling task (or of the system); with references. */
void root_path(struct path *out);
void cwd_path(struct path *out);

struct timespec64 time_now(void);
static inline bool
is_dir(const struct inode *i)
{
	return (i->mode & S_IFMT) == S_IFDIR;
}
static inline bool
is_link(const struct inode *i)
{
	return (i->mode & S_IFMT) == S_IFLNK;
}
static inline bool
is_reg(const struct inode *i)
{
	return (i->mode & S_IFMT) == S_IFREG;
}
/* May the caller make or remove names in @dir; for removal of @victim with the sticky bit's rule. */
int may_create(struct inode *dir);
int may_delete(struct inode *dir, struct dentry *victim, bool directory);

/* Credentials the caller acts with; root's for kernel threads. */
const struct cred *cred_self(void);

/* --- init ---------------------------------------------------------------------------------------- */
int file_cache_init(void);
int mount_root(const char *type);
