/*
 * files.c - a process's table of open files.
 */
#include <lib/bitmap.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include "internal.h"

#define FIRST_SIZE 64

struct files {
	unsigned refs;		/* [a] */
	struct spinlock lock;
	unsigned size;		/* [lock] places in the arrays, multiple of 64 */
	struct file **file;	/* [lock] */
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

void
files_put(struct files *fs)
{
	if (__atomic_sub_fetch(&fs->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	for (unsigned fd = 0; fd < fs->size; fd++)
		file_put(fs->file[fd]);
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
			file_put(take_out(fs, fd));
	}
}

struct file *
fd_get(int fd)
{
	struct files *fs = process_self()->files;
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
	const uint64_t limit = process_self()->rlimits[7].cur; /* RLIMIT_NOFILE */
	uint64_t flags;
	size_t fd;

	if (from < 0 || (uint64_t)from >= limit)
		return from < 0 ? -EINVAL : -EMFILE;
	while ((fd = bitmap_find_clear(fs->used, (size_t)MIN((unsigned)from, fs->size), fs->size)) ==
	       BITMAP_NONE) {
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
	file_put(f);
	return 0;
}
