/*
 * user_path.c - paths out of a program's memory.
 */
#include <fs/user_path.h>
#include <kern/usercopy.h>
#include <mm/kmalloc.h>

static int
read_name(struct user_path *p, uptr_t path, bool may_be_empty)
{
	ssize_t len;

	p->name = p->small;
	len = strncpy_from_user(p->small, path, sizeof(p->small));
	if (len == -ENAMETOOLONG) {
		p->name = kmalloc(PATH_MAX);
		if (p->name == NULL)
			return -ENOMEM;
		len = strncpy_from_user(p->name, path, PATH_MAX);
	}
	if (len < 0)
		return (int)len;
	return len == 0 && !may_be_empty ? -ENOENT : 0;
}

/* The directory that @dirfd stands for, or for "", whatever it stands for. */
static int
read_base(struct user_path *p, int dirfd)
{
	struct file *f;
	int result = 0;

	if (p->name[0] == '/' || dirfd == AT_FDCWD)
		return 0;
	f = fd_get(dirfd);
	if (f == NULL)
		return -EBADF;
	if (f->path.dentry == NULL ||
	    (p->name[0] != '\0' && (f->inode->mode & S_IFMT) != S_IFDIR)) {
		result = -ENOTDIR;
	} else {
		p->base = f->path;
		path_get(&p->base);
		p->at = &p->base;
	}
	file_put(f);
	return result;
}

int
user_path_get(int dirfd, uptr_t path, unsigned flags, struct user_path *out)
{
	int result;

	out->name = NULL;
	out->at = NULL;
	result = read_name(out, path, (flags & LOOKUP_EMPTY) != 0);
	if (result == 0)
		result = read_base(out, dirfd);
	if (result != 0)
		user_path_put(out);
	return result;
}

void
user_path_put(struct user_path *p)
{
	if (p->at != NULL)
		path_put(&p->base);
	if (p->name != p->small)
		kfree(p->name);
	p->name = NULL;
	p->at = NULL;
}

int
user_path_lookup(int dirfd, uptr_t path, unsigned flags, struct path *out)
{
	struct user_path p;
	int result = user_path_get(dirfd, path, flags, &p);

	if (result != 0)
		return result;
	result = path_lookup(p.at, p.name, flags, out);
	user_path_put(&p);
	return result;
}
