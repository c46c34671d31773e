/*
 * args.c - the strings that execve() hands over: gathered into kernel memory, laid out on the new stack.
 */
#include <kern/exec.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <uapi/sched.h>
#include "internal.h"

#define STRING_MAX (128 * 1024) /* one of them, as on Linux */
#define TOTAL_MAX  MIB(2)	/* a quarter of the usual stack */

static int
make_room(struct exec_args *a, size_t more)
{
	size_t size = MAX(a->size, (size_t)1024);
	char *grown;

	while (size < a->used + more)
		size *= 2;
	if (size > TOTAL_MAX)
		return -E2BIG;
	if (size == a->size)
		return 0;
	grown = krealloc(a->strings, size);
	if (grown == NULL)
		return -ENOMEM;
	a->strings = grown;
	a->size = size;
	return 0;
}

static int
add_kernel(struct exec_args *a, const char *s)
{
	const size_t n = strlen(s) + 1;
	const int result = make_room(a, n);

	if (result == 0) {
		memcpy(a->strings + a->used, s, n);
		a->used += n;
	}
	return result;
}

static int
add_user(struct exec_args *a, uptr_t s)
{
	for (size_t room = 256;; room *= 2) {
		int result = make_room(a, room);
		ssize_t len;

		if (result != 0)
			return result;
		len = strncpy_from_user(a->strings + a->used, s, room);
		if (len >= 0) {
			a->used += (size_t)len + 1;
			return 0;
		}
		if (len != -ENAMETOOLONG)
			return (int)len;
		if (room >= STRING_MAX)
			return -E2BIG;
	}
}

static int
add_user_list(struct exec_args *a, uptr_t list, unsigned *count)
{
	if (uptr_null(list))
		return 0; /* Linux takes NULL for an empty list */
	for (;; list = uptr_add(list, sizeof(uptr_t))) {
		uptr_t s;
		int result = get_user(s, list);

		if (result == 0 && uptr_null(s))
			return 0;
		if (result == 0)
			result = add_user(a, s);
		if (result != 0)
			return result;
		++*count;
	}
}

int
exec_args_user(struct exec_args *a, uptr_t argv, uptr_t envp)
{
	int result;

	*a = (struct exec_args){0};
	result = add_user_list(a, argv, &a->argc);
	if (result == 0)
		result = add_user_list(a, envp, &a->envc);
	if (result != 0)
		exec_args_free(a);
	return result;
}

int
exec_args_kernel(struct exec_args *a, char *const *argv, char *const *envp)
{
	int result = 0;

	*a = (struct exec_args){0};
	for (; result == 0 && argv[a->argc] != NULL; a->argc++)
		result = add_kernel(a, argv[a->argc]);
	for (; result == 0 && envp[a->envc] != NULL; a->envc++)
		result = add_kernel(a, envp[a->envc]);
	if (result != 0)
		exec_args_free(a);
	return result;
}

int
exec_args_replace_first(struct exec_args *a, const char *const *strings, unsigned n)
{
	struct exec_args b = {.envc = a->envc, .argc = n + (a->argc > 0 ? a->argc - 1 : 0)};
	const size_t first = a->argc > 0 ? strlen(a->strings) + 1 : 0;
	int result = 0;

	for (unsigned i = 0; i < n && result == 0; i++)
		result = add_kernel(&b, strings[i]);
	if (result == 0)
		result = make_room(&b, a->used - first);
	if (result != 0) {
		exec_args_free(&b);
		return result;
	}
	if (a->used > first)
		memcpy(b.strings + b.used, a->strings + first, a->used - first);
	b.used += a->used - first;
	exec_args_free(a);
	*a = b;
	return 0;
}

void
exec_args_free(struct exec_args *a)
{
	kfree(a->strings);
	*a = (struct exec_args){0};
}
