/*
 * files.c - a process's table of open files.
 */
#include <lib/bitmap.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <uapi/sched.h>
#include "internal.h"

#define FIRST_SIZE 64

struct files {
	unsigned refs; /* [a] */
	struct spinlock lock;
	unsigned size;		  /* [lock] places in the arrays, multiple of 64 */
	struct file **file;	  /* [lock] */
	uint64_t *used, *cloexec; /* [lock] bits */
};

/* Room for @size descriptors; the three arrays are one block. */
static bool
make_room(struct files *fs, unsigned size)
{
	const size_t words = size / 64;
	struct file **file = kzalloc(size * sizeof(*file) + 2 * words * sizeof(uint64_t));
	uint64_t *used = (uint64_t *)(file + size);

	if (file == NULL)
		return false;
	if (fs->file != NULL) {
		memcpy(file, fs->file, fs->size * sizeof(*file));
		memcpy(used, fs->used, fs->size / 8);
		memcpy(used + words, fs->cloexec, fs->size / 8);
		kfree(fs->file);
	}
	fs->file = file;
	fs->used = used;
	fs->cloexec = used + words;
	fs->size = size;
	return true;
}

struct files *
files_new(void)
{
	struct files *fs = kzalloc(sizeof(*fs));

	if (fs == NULL)
		return NULL;
	fs->refs = 1;
	fs->lock = (struct spinlock)SPINLOCK_INIT("file table");
	if (!make_room(fs, FIRST_SIZE)) {
		kfree(fs);
		return NULL;
	}
	return fs;
}

struct files *
files_copy(struct files *src)
{
	struct files *fs = files_new();

	if (fs == NULL || (src->size > fs->size && !make_room(fs, src->size))) {
		if (fs != NULL)
			files_put(fs);
		return NULL;
	}
	memcpy(fs->used, src->used, src->size / 8);
	memcpy(fs->cloexec, src->cloexec, src->size / 8);
	for (unsigned fd = 0; fd < src->size; fd++) {
		fs->file[fd] = src->file[fd];
		if (fs->file[fd] != NULL)
			(void)file_get(fs->file[fd]);
	}
	return fs;
}

struct files *
files_get(struct files *fs)
{
	__atomic_fetch_add(&fs->refs, 1, __ATOMIC_RELAXED);
	return fs;
}

/* The table does not show @f any more. */
static void
let_go(struct files *fs, struct file *f)
{
	if (f != NULL)
		file_locks_drop(f->inode, fs);
	file_put(f);
}

void
files_put(struct files *fs)
{
	if (__atomic_sub_fetch(&fs->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	for (unsigned fd = 0; fd < fs->size; fd++)
		let_go(fs, fs->file[fd]);
	kfree(fs->file);
	kfree(fs);
}

/* Take @fd out of the table; NULL if it is not open. */
static struct file *
take_out(struct files *fs, unsigned fd)
{
	const uint64_t flags = spin_lock(&fs->lock);
	struct file *f = fd < fs->size ? fs->file[fd] : NULL;

	if (f != NULL) {
		fs->file[fd] = NULL;
		bitmap_clear(fs->used, fd);
		bitmap_clear(fs->cloexec, fd);
	}
	spin_unlock(&fs->lock, flags);
	return f;
}

void
files_close_on_exec(struct files *fs)
{
	for (unsigned fd = 0; fd < fs->size; fd++) {
		if (bitmap_test(fs->cloexec, fd))
			let_go(fs, take_out(fs, fd));
	}
}

struct file *
fd_get(int fd)
{
	return files_get_file(process_self()->files, fd);
}

struct fd_ref
fd_borrow(int fd)
{
	const struct files *fs = process_self()->files;

	if (__atomic_load_n(&fs->refs, __ATOMIC_RELAXED) != 1)
		return (struct fd_ref){fd_get(fd), true};
	return (struct fd_ref){(unsigned)fd < fs->size ? fs->file[fd] : NULL, false};
}

int
files_next(struct files *fs, int fd)
{
	const uint64_t flags = spin_lock(&fs->lock);
	int found = -1;

	for (unsigned i = (unsigned)fd; i < fs->size && found < 0; i++) {
		if (fs->file[i] != NULL)
			found = (int)i;
	}
	spin_unlock(&fs->lock, flags);
	return found;
}

struct file *
files_get_file(struct files *fs, int fd)
{
	struct file *f = NULL;
	uint64_t flags;

	if (fd < 0)
		return NULL;
	flags = spin_lock(&fs->lock);
	if ((unsigned)fd < fs->size && fs->file[fd] != NULL)
		f = file_get(fs->file[fd]);
	spin_unlock(&fs->lock, flags);
	return f;
}

int
fd_install(struct file *f, int from, bool cloexec)
{
	struct files *fs = process_self()->files;
	const uint64_t limit = process_self()->rlimits[RLIMIT_NOFILE].cur;
	uint64_t flags;
	size_t fd;

	if (from < 0 || (uint64_t)from >= limit)
		return from < 0 ? -EINVAL : -EMFILE;
	while ((fd = bitmap_find_clear(fs->used, (size_t)MIN((unsigned)from, fs->size),
				       fs->size)) == BITMAP_NONE) {
		if (fs->size >= limit)
			return -EMFILE;
		if (!make_room(fs, MAX(fs->size * 2, ALIGN_UP((unsigned)from + 1U, 64U))))
			return -ENOMEM;
	}
	if (fd >= limit)
		return -EMFILE;
	flags = spin_lock(&fs->lock);
	fs->file[fd] = f;
	bitmap_set(fs->used, fd);
	if (cloexec)
		bitmap_set(fs->cloexec, fd);
	spin_unlock(&fs->lock, flags);
	return (int)fd;
}

int
fd_close(int fd)
{
	struct file *f = fd < 0 ? NULL : take_out(process_self()->files, (unsigned)fd);

	if (f == NULL)
		return -EBADF;
	let_go(process_self()->files, f);
	return 0;
}

unsigned
fd_limit(void)
{
	return process_self()->files->size;
}

bool
fd_cloexec(int fd)
{
	const struct files *fs = process_self()->files;

	return (unsigned)fd < fs->size && bitmap_test(fs->cloexec, (unsigned)fd);
}

int
fd_set_cloexec(int fd, bool on)
{
	struct files *fs = process_self()->files;
	const uint64_t flags = spin_lock(&fs->lock);
	const bool open = fd >= 0 && (unsigned)fd < fs->size && fs->file[fd] != NULL;

	if (open && on)
		bitmap_set(fs->cloexec, (unsigned)fd);
	else if (open)
		bitmap_clear(fs->cloexec, (unsigned)fd);
	spin_unlock(&fs->lock, flags);
	return open ? 0 : -EBADF;
}

int
fd_replace(int fd, struct file *f, bool cloexec)
{
	struct files *fs = process_self()->files;
	struct file *old;
	uint64_t flags;

	if (fd < 0 || (uint64_t)fd >= process_self()->rlimits[RLIMIT_NOFILE].cur)
		return -EBADF;
	if ((unsigned)fd >= fs->size && !make_room(fs, ALIGN_UP((unsigned)fd + 1U, 64U)))
		return -ENOMEM;
	flags = spin_lock(&fs->lock);
	old = fs->file[fd];
	fs->file[fd] = f;
	bitmap_set(fs->used, (unsigned)fd);
	if (cloexec)
		bitmap_set(fs->cloexec, (unsigned)fd);
	else
		bitmap_clear(fs->cloexec, (unsigned)fd);
	spin_unlock(&fs->lock, flags);
	let_go(fs, old);
	return fd;
}
