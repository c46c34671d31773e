/*
 * parts.c - a process's memory, files and places, for others to look at: /proc, the OOM killer.
 *
 * The process itself uses them without a lock, since nobody else takes them away.  Who looks from outside takes a
 * reference under parts_lock, and who puts another in their place changes the pointer under it first.
 */
#include <fs/vfs.h>
#include <mm/aspace.h>
#include "internal.h"

struct aspace *
process_swap_aspace(struct process *p, struct aspace *as)
{
	const uint64_t flags = spin_lock(&p->parts_lock);
	struct aspace *old = p->as;

	p->as = as;
	spin_unlock(&p->parts_lock, flags);
	return old;
}

struct file *
process_swap_exe(struct process *p, struct file *f)
{
	const uint64_t flags = spin_lock(&p->parts_lock);
	struct file *old = p->exe;

	p->exe = f;
	spin_unlock(&p->parts_lock, flags);
	return old;
}

void
process_put_files(struct process *p)
{
	const uint64_t flags = spin_lock(&p->parts_lock);
	struct files *files = p->files;
	struct fs_context *fs = p->fs;

	p->files = NULL;
	p->fs = NULL;
	spin_unlock(&p->parts_lock, flags);
	if (files != NULL)
		files_put(files);
	if (fs != NULL)
		fs_context_put(fs);
}

struct aspace *
process_aspace(struct process *p)
{
	const uint64_t flags = spin_lock(&p->parts_lock);
	struct aspace *as = p->as;

	if (as != NULL)
		aspace_get(as);
	spin_unlock(&p->parts_lock, flags);
	return as;
}

struct file *
process_exe(struct process *p)
{
	const uint64_t flags = spin_lock(&p->parts_lock);
	struct file *f = p->exe != NULL ? file_get(p->exe) : NULL;

	spin_unlock(&p->parts_lock, flags);
	return f;
}

static struct files *
get_files(struct process *p)
{
	const uint64_t flags = spin_lock(&p->parts_lock);
	struct files *fs = p->files != NULL ? files_get(p->files) : NULL;

	spin_unlock(&p->parts_lock, flags);
	return fs;
}

struct file *
process_file(struct process *p, int fd)
{
	struct files *fs = get_files(p);
	struct file *f;

	if (fs == NULL)
		return NULL;
	f = files_get_file(fs, fd);
	files_put(fs);
	return f;
}

int
process_next_fd(struct process *p, int fd)
{
	struct files *fs = get_files(p);
	int found;

	if (fs == NULL)
		return -1;
	found = files_next(fs, fd);
	files_put(fs);
	return found;
}

int
process_place(struct process *p, bool root, struct path *out)
{
	const uint64_t flags = spin_lock(&p->parts_lock);
	struct fs_context *fs = p->fs != NULL ? fs_context_get(p->fs) : NULL;

	spin_unlock(&p->parts_lock, flags);
	if (fs == NULL)
		return -ESRCH;
	fs_context_place(fs, root, out);
	fs_context_put(fs);
	return 0;
}
