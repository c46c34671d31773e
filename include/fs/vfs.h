/*
 * vfs.h - files: superblock, inode, dentry, file, mount.
 *
 * An inode is a file; a dentry a name that leads to one (or the knowledge that there is none); a file an
 * open one with its position; a mount a file system put in place of a directory; a path is a dentry
 * within a mount.  Each file system brings inode_ops and file_ops.  Path walk: fs/namei.c.
 * Theory and drawing: docs/files.md.
 *
 * Locks, outer to inner: vfs_rename_lock, directory inode's lock, file inode's lock, dcache lock.
 * References: whoever keeps a pointer to one of these holds a reference; lookup functions return one
 * that is the caller's to give back (*_put).
 */
#pragma once
#include <kern/base.h>
#include <kern/iobuf.h>
#include <kern/sync.h>
#include <kern/wait.h>
#include <lib/list.h>
#include <mm/aspace.h>
#include <uapi/stat.h>

#define NAME_MAX     255
#define PATH_MAX     4096
#define SYMLINKS_MAX 40 /* followed in one walk, then ELOOP */

struct inode;
struct path;
struct dentry;
struct file;
struct mount;
struct superblock;
struct poll_table;

struct timespec64 {
	int64_t sec;
	int64_t nsec;
};

struct fs_type {
	const char *name;
	/* Make a superblock with its root inode.  @source: device or "", @data: options. */
	int (*mount)(const struct fs_type *t, const char *source, unsigned flags, const char *data,
		     struct superblock **out);
	struct fs_type *next;
};
/* Init time: make a file system known. */
void fs_register(struct fs_type *t);

struct superblock {
	const struct fs_type *type;
	uint64_t dev; /* st_dev */
	unsigned block_size;
	bool read_only;
	bool transient; /* names that nobody uses are not kept: they may be another's next time */
	struct dentry *root;
	const struct super_ops *ops;
	void *private;
};
struct statfs64;
struct super_ops {
	void (*evict)(
		struct inode
			*i); /* the last reference to an inode without links, or unused, goes */
	int (*statfs)(struct superblock *sb, struct statfs64 *out);
	int (*sync)(struct superblock *sb);
	void (*kill)(struct superblock *sb);
};

/* Legend: [i] inode->lock; [d] dcache_lock; [I] set once; [a] atomic. */
struct inode {
	uint64_t ino;			       /* [I] */
	uint32_t mode;			       /* [i] type and permissions: S_IF* and bits */
	uint32_t uid, gid;		       /* [i] */
	uint32_t nlink;			       /* [i] */
	uint64_t size;			       /* [i] bytes */
	uint64_t blocks;		       /* [i] of 512 bytes */
	uint64_t rdev;			       /* [I] of a device node */
	struct timespec64 atime, mtime, ctime; /* [i] */
	unsigned refs;			       /* [a] */
	int writers;	       /* [a] open for writing; negative: that many run it as a program */
	struct superblock *sb; /* [I] */
	const struct inode_ops *ops; /* [I] */
	const struct file_ops *fops; /* [I] what an open file of it uses */
	struct mutex lock;
	struct pagecache *pages; /* [I] contents of a regular file, or NULL */
	struct pipe *pipe;	 /* [i] of a FIFO that is open */
	struct list flocks;	 /* [i] advisory locks */
	struct dentry *alias;	 /* [d] one of its names, not referenced, or NULL */
	void *private;		 /* the file system's */
};

/*
 * Operations on inodes.  The directory's lock is held by the caller; @dentry is negative for those that
 * make something, and they d_instantiate() it.  0 or -errno.  NULL = -EPERM (or -ENOTDIR for lookup).
 */
struct inode_ops {
	/* Fill @dentry in: d_instantiate(dentry, inode), or leave it negative and return 0. */
	int (*lookup)(struct inode *dir, struct dentry *dentry);
	int (*create)(struct inode *dir, struct dentry *dentry, uint32_t mode);
	int (*mkdir)(struct inode *dir, struct dentry *dentry, uint32_t mode);
	int (*mknod)(struct inode *dir, struct dentry *dentry, uint32_t mode, uint64_t rdev);
	int (*symlink)(struct inode *dir, struct dentry *dentry, const char *target);
	int (*link)(struct inode *inode, struct inode *dir, struct dentry *dentry);
	int (*unlink)(struct inode *dir, struct dentry *dentry);
	int (*rmdir)(struct inode *dir, struct dentry *dentry);
	int (*rename)(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		      struct dentry *new);
	/* Copy the target, without NUL, of at most @size bytes; returns its length. */
	ssize_t (*readlink)(struct inode *inode, char *buf, size_t size);
	int (*truncate)(struct inode *inode, uint64_t size);
	int (*setattr)(struct inode *inode); /* mode, owner, times were changed: write them */
	/* Of a symbolic link that leads to something without a path that could be walked: that, referenced. */
	int (*jump)(struct inode *inode, struct path *out);
};

/* Bits of poll(2). */
#define POLLIN	   0x001
#define POLLPRI	   0x002
#define POLLOUT	   0x004
#define POLLERR	   0x008
#define POLLHUP	   0x010
#define POLLNVAL   0x020
#define POLLRDNORM 0x040
#define POLLWRNORM 0x100
#define POLLRDHUP  0x2000

/* One entry for getdents64(); returns false when it does not fit, and readdir() stops. */
struct dir_context {
	bool (*emit)(struct dir_context *ctx, const char *name, size_t len, uint64_t ino,
		     unsigned type);
	uint64_t pos; /* where to go on; 0 and 1 are . and .. */
};

struct file_ops {
	int (*open)(struct inode *inode, struct file *f); /* NULL = nothing to do */
	void (*release)(struct file *f);		  /* the last reference went */
	/* Bytes moved, moving *@pos on by them; 0 = end; or -errno.  Sleeps unless O_NONBLOCK. */
	ssize_t (*read)(struct file *f, struct iobuf *b, uint64_t *pos);
	ssize_t (*write)(struct file *f, struct iobuf *b, uint64_t *pos);
	int (*readdir)(struct file *f, struct dir_context *ctx);
	int64_t (*ioctl)(struct file *f, unsigned cmd, uint64_t arg);
	/* POLL* bits that hold now; poll_wait(pt, queue) for each queue that is woken when they change. */
	unsigned (*poll)(struct file *f, struct poll_table *pt);
	/* The object behind a mapping; NULL op = -ENODEV. */
	int (*mmap)(struct file *f, struct vm_object **out, unsigned prot, unsigned flags);
	int (*fsync)(struct file *f);
	bool no_seek; /* pipes, terminals, sockets: lseek() says -ESPIPE */
};

struct path {
	struct mount *mnt;
	struct dentry *dentry;
};

struct file {
	unsigned refs;		    /* [a] */
	unsigned flags;		    /* [a] O_*: access mode, O_APPEND, O_NONBLOCK ... */
	uint64_t pos;		    /* [pos_lock] */
	struct mutex pos_lock;	    /* held by read, write, lseek that use pos */
	struct path path;	    /* [I] mnt NULL for pipes, sockets and the like */
	struct inode *inode;	    /* [I] */
	const struct file_ops *ops; /* [I] */
	void *private;		    /* the driver's */
	bool counted;		    /* [I] in inode->writers */
};

#define DENTRY_SMALL 32

struct dentry {
	unsigned refs;		       /* [d] */
	struct dentry *parent;	       /* [d] itself for a root */
	struct inode *inode;	       /* [d] NULL = negative */
	struct superblock *sb;	       /* [I] */
	struct list hash;	       /* [d] */
	struct list children, sibling; /* [d] children: new ones last */
	uint64_t
		order; /* [d] grows along the parent's list; a place in the directory for readdir() */
	struct list lru; /* [d] unused ones, oldest first: given up when memory is short */
	bool mounted;	 /* [d] a mount covers it */
	uint8_t len;	 /* [d] */
	char *name;	 /* [d] with NUL; small, or memory of its own if it is longer */
	char small[DENTRY_SMALL];
};

struct mount {
	struct superblock *sb;
	struct dentry *root; /* of the file system */
	struct path at;	     /* the directory it covers; mnt NULL for the root */
	unsigned flags;
	char source[64];
	struct list node;
};

struct fs_context {
	unsigned refs;
	struct path root, cwd;
	uint32_t umask;
};

/* --- life --------------------------------------------------------------------------------------- */

/* Init row "files": caches, tmpfs as root, /dev, the initrd unpacked, /proc.  0 or -errno. */
int vfs_init(void);

struct inode *inode_new(struct superblock *sb); /* refs 1, times now, ino set; NULL = no memory */
struct inode *inode_get(struct inode *i);
void inode_put(struct inode *i);
struct dentry *dentry_get(struct dentry *d);
void dentry_put(struct dentry *d);
/* @d leads to @i from now on; takes over the caller's reference to @i. */
void d_instantiate(struct dentry *d, struct inode *i);
void path_get(const struct path *p);
void path_put(const struct path *p);
struct file *file_get(struct file *f);
void file_put(struct file *f);
/* A file without a name (pipe, eventfd, socket); takes over the reference to @inode.  NULL = no memory. */
struct file *file_new(struct inode *inode, const struct file_ops *ops, unsigned flags);

/* --- by path: kernel strings; relative to the caller's root and @at (NULL = its cwd) -------------- */

#define LOOKUP_FOLLOW	 1 /* follow a symbolic link in the last part, too */
#define LOOKUP_DIRECTORY 2 /* it must be a directory */
#define LOOKUP_NO_XDEV	 4
#define LOOKUP_EMPTY	 8 /* "" is @at itself */
int path_lookup(const struct path *at, const char *name, unsigned flags, struct path *out);
/*
 * For those that make or remove the last part: its directory in *@dir, its dentry (perhaps
 * negative) in *@last, the directory's inode locked.  Undo with path_unlock_last().
 */
int path_lookup_last(const struct path *at, const char *name, unsigned flags, struct path *dir,
		     struct dentry **last);
void path_unlock_last(struct path *dir, struct dentry *last);

int vfs_open(const struct path *at, const char *name, unsigned flags, uint32_t mode,
	     struct file **out);
/* The same for what @p leads to, whose reference is taken over on success. */
int vfs_open_path(const struct path *p, unsigned flags, struct file **out);
/* While one writes to a file none may run it, and the other way round.  0 or -ETXTBSY; undo. */
int inode_write_begin(struct inode *i);
void inode_write_end(struct inode *i);
int inode_run_begin(struct inode *i);
void inode_run_end(struct inode *i);
int vfs_mkdir(const struct path *at, const char *name, uint32_t mode);
int vfs_mknod(const struct path *at, const char *name, uint32_t mode, uint64_t rdev);
int vfs_symlink(const char *target, const struct path *at, const char *name);
int vfs_link(const struct path *old_at, const char *old, const struct path *at, const char *name,
	     unsigned flags);
int vfs_unlink(const struct path *at, const char *name);
int vfs_rmdir(const struct path *at, const char *name);
int vfs_rename(const struct path *old_at, const char *old, const struct path *at, const char *name,
	       unsigned flags);
int vfs_mount(const char *source, const char *target, const char *type, unsigned flags,
	      const char *data);
int vfs_umount(const char *target, unsigned flags);
/* The absolute path of @p as seen from the caller's root, into @buf.  Its start within @buf, or an ERR: NULL. */
char *path_name(const struct path *p, char *buf, size_t size);
/*
 * The name of an open file as /proc/PID/fd shows it: its path, with " (deleted)" if it has none any more, or what it
 * is: "pipe:[12]".  As path_name().
 */
char *file_name(const struct file *f, char *buf, size_t size);
/* The name of @i by one of its paths from the system's root; "" = it has none.  As path_name(). */
char *inode_name(struct inode *i, char *buf, size_t size);
/* A path, with references, at which @f's inode is found, pipes included.  0 or -ENOMEM. */
int file_path(const struct file *f, struct path *out);

/* --- open files ----------------------------------------------------------------------------------- */

ssize_t vfs_read(struct file *f, struct iobuf *b, uint64_t *pos);
ssize_t vfs_write(struct file *f, struct iobuf *b, uint64_t *pos);
int64_t vfs_llseek(struct file *f, int64_t offset, int whence);
void vfs_stat(const struct path *p, struct inode *i, struct k_stat *out);

#define MAY_EXEC  1
#define MAY_WRITE 2
#define MAY_READ  4
/* May the caller (fsuid, fsgid, groups)?  0 or -EACCES.  Without a task: root. */
int inode_permission(const struct inode *i, int mask);

/* --- waiting for readiness ------------------------------------------------------------------------ */

void poll_wait(struct poll_table *pt, struct wait_queue *q); /* @pt may be NULL */

/* --- tables of open files (fs/files.c) ------------------------------------------------------------ */

#define FD_MAX_DEFAULT 1024
struct files *files_new(void);
struct files *files_copy(struct files *src); /* fork */
struct files *files_get(struct files *fs);   /* clone() with CLONE_FILES */
void files_put(struct files *fs);
void files_close_on_exec(struct files *fs);
/* The file behind @fd, with a reference; NULL = -EBADF. */
struct file *fd_get(int fd);
/*
 * The same for the length of one call: without a reference if nobody else can close it meanwhile, which is when the
 * table is the caller's alone.  Give it back with fd_return().
 */
struct fd_ref {
	struct file *file; /* NULL = -EBADF */
	bool held;
};
struct fd_ref fd_borrow(int fd);
static inline void
fd_return(struct fd_ref r)
{
	if (r.held)
		file_put(r.file);
}
struct file *files_get_file(struct files *fs, int fd); /* the same in any table */
/* The lowest descriptor in use from @fd on, or -1. */
int files_next(struct files *fs, int fd);
/* The lowest free number >= @from for @f (taken over on success), or -EMFILE, -ENOMEM. */
int fd_install(struct file *f, int from, bool cloexec);
int fd_close(int fd);
/* @fd leads to @f from now on (taken over on success), what was there is closed.  @fd, -EBADF or -ENOMEM. */
int fd_replace(int fd, struct file *f, bool cloexec);
bool fd_cloexec(int fd);
int fd_set_cloexec(int fd, bool on); /* 0 or -EBADF */
unsigned fd_limit(void);	     /* no descriptor of the caller is as high */

/* --- root, current directory, umask (fs/context.c) ------------------------------------------------- */

struct fs_context *fs_context_new(void); /* the system's root, umask 022 */
struct fs_context *fs_context_copy(const struct fs_context *c);
struct fs_context *fs_context_get(struct fs_context *c);
void fs_context_put(struct fs_context *c);
/* Its root or current directory, with references. */
void fs_context_place(struct fs_context *c, bool root, struct path *out);
/* Takes over the reference to @p. */
void fs_set_cwd(struct path *p);
void fs_set_root(struct path *p);

/* --- advisory locks (fs/locks.c) ------------------------------------------------------------------- */

int file_flock(struct file *f, int operation);
int file_lock_control(struct file *f, int cmd, uptr_t arg);
void file_locks_drop(struct inode *i, const void *owner);

/* --- changes to inodes: 0 or -errno ------------------------------------------------------------------ */

int vfs_truncate(struct inode *i, uint64_t size);
int vfs_chmod(struct inode *i, uint32_t mode);
/* UINT32_MAX = leave it. */
int vfs_chown(struct inode *i, uint32_t uid, uint32_t gid);
/* NULL = now, by anybody who may write; nsec UTIME_OMIT = leave it, UTIME_NOW = now. */
#define UTIME_NOW  0x3fffffff
#define UTIME_OMIT 0x3ffffffe
int vfs_utimes(struct inode *i, const struct timespec64 times[2]);
