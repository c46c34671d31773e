/*
 * uptr.h - an address in a program's memory: a type that cannot be dereferenced by mistake.
 *
 * Only the functions of kern/usercopy.h open it.  As a struct of one word it travels in one register,
 * so system calls take it like any other argument.
 */
#pragma once
#include <lib/base.h>

typedef struct uptr {
	uint64_t addr;
} uptr_t;

static inline bool
uptr_null(uptr_t p)
{
	return p.addr == 0;
}

static inline uptr_t
uptr_add(uptr_t p, uint64_t bytes)
{
	return (uptr_t){p.addr + bytes};
}
