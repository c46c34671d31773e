/*
 * procfs.c - the tree of /proc.
 *
 *	/proc			the system's files, folders of them, self, and a folder for each process
 *	/proc/PID		the process's files, exe, cwd, root, fd/, task/PID
 *
 * Nothing is kept: names are made when they are looked up and go when nobody uses them (superblock.transient).
 * What a file is about is found by number each time, since the process may have ended meanwhile (-ESRCH).
 */
#include <fs/procfs.h>
#include <kern/exec.h>
#include <kern/process.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include "internal.h"

enum kind {
	FOLDER,	 /* of the system: the root, or those that names with slashes make */
	PID,	 /* of a process */
	CONTENT, /* a file with text */
	SELF,
	EXE,
	CWD,
	ROOT,
	FDS, /* the folder fd */
	FD,  /* a link in it */
	TASKS,
	THREAD, /* in it: as PID, but without a folder task of its own */
};

struct node {
	enum kind kind;
	int pid, fd;
	const struct proc_file *file; /* CONTENT */
	char prefix[32];	      /* FOLDER: what its names begin with, "sys/kernel/" */
};

static const struct proc_file *system_files, *process_files; /* [I] */
static const struct inode_ops folder_ops, content_ops, link_ops, jump_ops;
static const struct file_ops folder_fops, content_fops;

void
procfs_register(const struct proc_file *system, const struct proc_file *process)
{
	system_files = system;
	process_files = process;
}

static struct node *
node_of(const struct inode *i)
{
	return i->private;
}

/* --- inodes ---------------------------------------------------------------------------------------- */

/* Numbers that stay the same for the same name: a process's are those from its number * 65536 on. */
static uint64_t
number_of(const struct node *n)
{
	const uint64_t base = (uint64_t)n->pid << 16;

	switch (n->kind) {
	case CONTENT:
		return base + 256 +
		       (uint64_t)(n->file - (n->pid != 0 ? process_files : system_files));
	case FD: return base + 1024 + (uint64_t)n->fd;
	case FOLDER:
		return 1 + (n->prefix[0] != '\0' ? name_hash(n->prefix, (unsigned)strlen(n->prefix))
						 : 0);
	default: return base + 2 + n->kind;
	}
}

static struct inode *
make_inode(struct superblock *sb, const struct node *what, uint32_t mode,
	   const struct inode_ops *ops, const struct file_ops *fops)
{
	struct inode *i = inode_new(sb);
	struct node *n = kmalloc(sizeof(*n));
	struct process *p;

	if (i == NULL || n == NULL) {
		kfree(i);
		kfree(n);
		return NULL;
	}
	*n = *what;
	i->private = n;
	i->ino = number_of(n);
	i->mode = mode;
	i->ops = ops;
	i->fops = fops;
	i->uid = i->gid = 0;
	if (is_dir(i))
		i->nlink = 2;
	p = n->pid != 0 ? process_get(n->pid) : NULL;
	if (p != NULL) {
		i->uid = p->cred.euid;
		i->gid = p->cred.egid;
		process_put(p);
	}
	return i;
}

static struct inode *
inode_for(struct superblock *sb, const struct node *n)
{
	switch (n->kind) {
	case FOLDER:
	case PID:
	case THREAD:
	case TASKS: return make_inode(sb, n, S_IFDIR | 0555, &folder_ops, &folder_fops);
	case FDS: return make_inode(sb, n, S_IFDIR | 0500, &folder_ops, &folder_fops);
	case CONTENT:
		return make_inode(sb, n, S_IFREG | n->file->mode, &content_ops, &content_fops);
	case SELF: return make_inode(sb, n, S_IFLNK | 0777, &link_ops, NULL);
	default: return make_inode(sb, n, S_IFLNK | 0777, &jump_ops, NULL);
	}
}

static void
proc_evict(struct inode *i)
{
	kfree(i->private);
}

/* --- what there is in a folder ------------------------------------------------------------------------ */

struct entry {
	char name[NAME_MAX + 1];
	struct node node;
};

/* The @k-th of the system's names that begin with @prefix; those of a folder count once. */
static bool
system_entry(const char *prefix, uint64_t k, struct entry *e)
{
	const size_t skip = strlen(prefix);

	for (const struct proc_file *f = system_files; f->name != NULL; f++) {
		const char *name = f->name + skip, *slash;
		size_t len;

		if (strncmp(f->name, prefix, skip) != 0)
			continue;
		slash = strchr(name, '/');
		len = slash != NULL ? (size_t)(slash - name) : strlen(name);
		if (slash != NULL && f > system_files &&
		    strncmp(f[-1].name, f->name, skip + len + 1) == 0)
			continue; /* of the same folder as the one before */
		if (k-- > 0)
			continue;
		memcpy(e->name, name, len);
		e->name[len] = '\0';
		e->node = (struct node){.kind = slash != NULL ? FOLDER : CONTENT, .file = f};
		if (slash != NULL)
			(void)strlcpy(e->node.prefix, f->name,
				      MIN(skip + len + 2, sizeof(e->node.prefix)));
		return true;
	}
	return false;
}

static const struct {
	const char *name;
	enum kind kind;
} of_process[] = {{"exe", EXE}, {"cwd", CWD}, {"root", ROOT}, {"fd", FDS}, {"task", TASKS}};

static bool
process_entry(const struct node *n, uint64_t k, struct entry *e)
{
	const size_t nr = ARRAY_SIZE(of_process) - (n->kind == THREAD); /* task is the last */
	const int pid = n->pid;

	if (k < nr) {
		(void)strlcpy(e->name, of_process[k].name, sizeof(e->name));
		e->node = (struct node){.kind = of_process[k].kind, .pid = pid};
		return true;
	}
	k -= nr;
	for (const struct proc_file *f = process_files; f->name != NULL; f++) {
		if (k-- > 0)
			continue;
		(void)strlcpy(e->name, f->name, sizeof(e->name));
		e->node = (struct node){.kind = CONTENT, .pid = pid, .file = f};
		return true;
	}
	return false;
}

/* The process with the lowest number from @pid on; 0 = none. */
static int
next_pid(int pid)
{
	struct process *p;
	int found = 0;

	mutex_lock(&process_lock);
	list_for_each_entry (p, &process_all, all_node) {
		if (p->pid >= pid && (found == 0 || p->pid < found))
			found = p->pid;
	}
	mutex_unlock(&process_lock);
	return found;
}

/* The lowest open descriptor of @pid from @fd on, or -1. */
static int
next_fd(int pid, int fd)
{
	struct process *p = process_get(pid);
	int found = -1;

	if (p == NULL)
		return -1;
	found = process_next_fd(p, fd);
	process_put(p);
	return found;
}

static bool
numbered(struct entry *e, enum kind kind, int pid, int fd, int number)
{
	(void)snprintf(e->name, sizeof(e->name), "%d", number);
	e->node = (struct node){.kind = kind, .pid = pid, .fd = fd};
	return true;
}

#define PIDS_AT 0x10000 /* positions of the root's processes: from here on, plus the number */

/* The entry at *@pos (0 = the first one) of the folder @n, or one behind it; *@pos moves there. */
static bool
entry_at(const struct node *n, uint64_t *pos, struct entry *e)
{
	int found;

	switch (n->kind) {
	case FOLDER:
		if (*pos < PIDS_AT && system_entry(n->prefix, *pos, e))
			return true;
		if (n->prefix[0] != '\0')
			return false;
		if (*pos < PIDS_AT - 1) {
			*pos = PIDS_AT - 1;
			(void)strlcpy(e->name, "self", sizeof(e->name));
			e->node = (struct node){.kind = SELF};
			return true;
		}
		found = next_pid(*pos < PIDS_AT ? 1 : (int)(*pos - PIDS_AT));
		*pos = PIDS_AT + (uint64_t)found;
		return found != 0 && numbered(e, PID, found, 0, found);
	case PID:
	case THREAD: return process_entry(n, *pos, e);
	case FDS:
		found = next_fd(n->pid, (int)*pos);
		*pos = (uint64_t)found;
		return found >= 0 && numbered(e, FD, n->pid, found, found);
	case TASKS: return *pos == 0 && numbered(e, THREAD, n->pid, 0, n->pid);
	default: return false;
	}
}

static int
proc_readdir(struct file *f, struct dir_context *ctx)
{
	const struct node *n = node_of(f->inode);
	const struct dentry *d = f->path.dentry;
	struct entry *e = kmalloc(sizeof(*e));
	struct inode *i;

	if (e == NULL)
		return -ENOMEM;
	if (ctx->pos == 0 && ctx->emit(ctx, ".", 1, f->inode->ino, S_IFDIR >> 12))
		ctx->pos = 1;
	if (ctx->pos == 1 && ctx->emit(ctx, "..", 2, d->parent->inode->ino, S_IFDIR >> 12))
		ctx->pos = 2;
	while (ctx->pos >= 2) {
		uint64_t pos = ctx->pos - 2;
		bool fits;

		if (!entry_at(n, &pos, e))
			break;
		i = inode_for(f->inode->sb, &e->node);
		if (i == NULL)
			break;
		fits = ctx->emit(ctx, e->name, strlen(e->name), i->ino, (i->mode & S_IFMT) >> 12);
		inode_put(i);
		if (!fits)
			break;
		ctx->pos = pos + 3;
	}
	kfree(e);
	return 0;
}

/* A decimal number without leading zeros or anything behind it; -1 = none. */
static int
parse_number(const char *s)
{
	int value = 0;

	if (*s == '\0' || (*s == '0' && s[1] != '\0') || strlen(s) > 9)
		return -1;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return -1;
		value = value * 10 + (*s - '0');
	}
	return value;
}

/* The file or folder of the system that has this name behind @prefix. */
static bool
find_system(const char *prefix, const char *name, struct entry *e)
{
	const size_t skip = strlen(prefix), len = strlen(name);

	for (const struct proc_file *f = system_files; f->name != NULL; f++) {
		const char *rest = f->name + skip;

		if (strncmp(f->name, prefix, skip) != 0 || strncmp(rest, name, len) != 0 ||
		    (rest[len] != '\0' && rest[len] != '/'))
			continue;
		e->node = (struct node){.kind = rest[len] == '/' ? FOLDER : CONTENT, .file = f};
		if (rest[len] == '/')
			(void)strlcpy(e->node.prefix, f->name,
				      MIN(skip + len + 2, sizeof(e->node.prefix)));
		return true;
	}
	return false;
}

/* What @name is in the folder @n. */
static bool
find_entry(const struct node *n, const char *name, struct entry *e)
{
	const int number = parse_number(name);

	if (number >= 0) {
		if (n->kind == FOLDER)
			return n->prefix[0] == '\0' && number > 0 && next_pid(number) == number &&
			       numbered(e, PID, number, 0, number);
		if (n->kind == TASKS)
			return number == n->pid && numbered(e, THREAD, number, 0, number);
		return n->kind == FDS && next_fd(n->pid, number) == number &&
		       numbered(e, FD, n->pid, number, number);
	}
	if (n->kind == FOLDER) {
		e->node = (struct node){.kind = SELF};
		return (n->prefix[0] == '\0' &&
			(strcmp(name, "self") == 0 || strcmp(name, "thread-self") == 0)) ||
		       find_system(n->prefix, name, e);
	}
	for (uint64_t k = 0; (n->kind == PID || n->kind == THREAD) && process_entry(n, k, e); k++) {
		if (strcmp(e->name, name) == 0)
			return true;
	}
	return false;
}

static int
proc_lookup(struct inode *dir, struct dentry *d)
{
	struct entry *e = kmalloc(sizeof(*e));
	int result = e == NULL ? -ENOMEM : 0;

	if (result == 0 && find_entry(node_of(dir), d->name, e)) {
		struct inode *i = inode_for(dir->sb, &e->node);

		if (i != NULL)
			d_instantiate(d, i);
		else
			result = -ENOMEM;
	}
	kfree(e);
	return result;
}

/* --- links ------------------------------------------------------------------------------------------------ */

static ssize_t
self_readlink(struct inode *i, char *buf, size_t size)
{
	char text[16];
	int n;

	(void)i;
	if (task_self() == NULL)
		return -ENOENT;
	n = snprintf(text, sizeof(text), "%d", process_self()->pid);
	memcpy(buf, text, MIN(size, (size_t)n));
	return (ssize_t)MIN(size, (size_t)n);
}

/* Where @n leads: a path with references, or in *@f an open file. */
static int
target_of(const struct node *n, struct path *out, struct file **f)
{
	struct process *p = process_get(n->pid);
	int result = -ENOENT;

	*f = NULL;
	if (p == NULL)
		return -ENOENT;
	switch (n->kind) {
	case EXE:
		*f = process_exe(p);
		result = *f != NULL ? 0 : -ENOENT;
		break;
	case FD:
		*f = process_file(p, n->fd);
		result = *f != NULL ? 0 : -ENOENT;
		break;
	default: result = process_place(p, n->kind == ROOT, out);
	}
	process_put(p);
	return result;
}

static int
may_look(const struct inode *i)
{
	const struct cred *c = cred_self();

	return c->fsuid == 0 || c->fsuid == i->uid ? 0 : -EACCES;
}

static ssize_t
jump_readlink(struct inode *i, char *buf, size_t size)
{
	char *name = kmalloc(PATH_MAX), *at;
	struct path p;
	struct file *f;
	ssize_t n = name == NULL ? -ENOMEM : may_look(i);

	if (n == 0)
		n = target_of(node_of(i), &p, &f);
	if (n == 0) {
		at = f != NULL ? file_name(f, name, PATH_MAX) : path_name(&p, name, PATH_MAX);
		n = at != NULL ? (ssize_t)MIN(size, strlen(at)) : -ENAMETOOLONG;
		if (n > 0)
			memcpy(buf, at, (size_t)n);
		if (f != NULL)
			file_put(f);
		else
			path_put(&p);
	}
	kfree(name);
	return n;
}

static int
jump_follow(struct inode *i, struct path *out)
{
	struct file *f;
	int result = may_look(i);

	if (result == 0)
		result = target_of(node_of(i), out, &f);
	if (result == 0 && f != NULL) {
		result = file_path(f, out);
		file_put(f);
	}
	return result;
}

/* --- contents ----------------------------------------------------------------------------------------------- */

static int
make_text(const struct node *n, struct text *t)
{
	struct process *p = NULL;

	if (n->pid != 0) {
		p = process_get(n->pid);
		if (p == NULL)
			return -ESRCH;
	}
	n->file->show(t, p);
	if (p != NULL)
		process_put(p);
	return t->failed ? -ENOMEM : 0;
}

static void
content_release(struct file *f)
{
	struct text *t = f->private;

	if (t != NULL)
		kfree(t->buf);
	kfree(t);
}

static ssize_t
content_read(struct file *f, struct iobuf *b, uint64_t *pos)
{
	struct text *t = f->private;
	ssize_t n;

	if (t == NULL || *pos == 0) {
		struct text *fresh = kzalloc(sizeof(*fresh));
		int result;

		if (fresh == NULL)
			return -ENOMEM;
		result = make_text(node_of(f->inode), fresh);
		content_release(f);
		f->private = t = fresh;
		if (result != 0)
			return result;
	}
	if (*pos >= t->len)
		return 0;
	n = iobuf_put(b, t->buf + *pos, t->len - *pos);
	if (n > 0)
		*pos += (uint64_t)n;
	return n;
}

static ssize_t
content_write(struct file *f, struct iobuf *b, uint64_t *pos)
{
	const struct node *n = node_of(f->inode);
	const size_t size = b->left;
	char value[256];
	struct process *p = NULL;
	ssize_t got;
	int result;

	(void)pos;
	if (n->file->store == NULL)
		return -EACCES;
	if (size >= sizeof(value))
		return -EINVAL;
	got = iobuf_take(b, value, size);
	if (got < 0)
		return got;
	while (got > 0 && (value[got - 1] == '\n' || value[got - 1] == ' '))
		got--;
	value[got] = '\0';
	if (n->pid != 0) {
		p = process_get(n->pid);
		if (p == NULL)
			return -ESRCH;
	}
	result = n->file->store(p, value);
	if (p != NULL)
		process_put(p);
	return result == 0 ? (ssize_t)size : result;
}

/* open() with O_TRUNC is how shells write to such a file. */
static int
content_truncate(struct inode *i, uint64_t size)
{
	(void)i;
	(void)size;
	return 0;
}

/* --- mounting ------------------------------------------------------------------------------------------------ */

static const struct super_ops super_ops = {.evict = proc_evict};
static const struct inode_ops folder_ops = {.lookup = proc_lookup};
static const struct inode_ops content_ops = {.truncate = content_truncate};
static const struct inode_ops link_ops = {.readlink = self_readlink};
static const struct inode_ops jump_ops = {.readlink = jump_readlink, .jump = jump_follow};
static const struct file_ops folder_fops = {.readdir = proc_readdir};
static const struct file_ops content_fops = {
	.read = content_read, .write = content_write, .release = content_release};

static int
proc_mount(const struct fs_type *t, const char *source, unsigned flags, const char *data,
	   struct superblock **out)
{
	const struct node root = {.kind = FOLDER};
	struct superblock *sb = kzalloc(sizeof(*sb));

	(void)source;
	(void)flags;
	(void)data;
	if (sb == NULL)
		return -ENOMEM;
	*sb = (struct superblock){.type = t,
				  .dev = superblock_number(),
				  .block_size = 1024,
				  .ops = &super_ops,
				  .transient = true};
	return superblock_finish(sb, inode_for(sb, &root), out);
}

struct fs_type procfs_type = {.name = "proc", .mount = proc_mount};
