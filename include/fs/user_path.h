/*
 * user_path.h - the path that a program names: its directory and its string, in kernel memory.
 */
#pragma once
#include <fs/vfs.h>

#define USER_PATH_SMALL 96

struct user_path {
	char *name; /* small, or memory of its own for a longer one */
	char small[USER_PATH_SMALL];
	const struct path
		*at; /* for the functions of fs/vfs.h; NULL = the current directory, or absolute */
	struct path base;
};

/*
 * Read it.  @flags: LOOKUP_EMPTY allows "" (and NULL, as Linux does).  0; -EFAULT, -ENAMETOOLONG, -ENOENT ("" not
 * allowed), -EBADF, -ENOTDIR (@dirfd), -ENOMEM.  Undo: user_path_put().
 */
int user_path_get(int dirfd, uptr_t path, unsigned flags, struct user_path *out);
void user_path_put(struct user_path *p);
/* Both in one: the path it leads to, which the caller gives back. */
int user_path_lookup(int dirfd, uptr_t path, unsigned flags, struct path *out);
