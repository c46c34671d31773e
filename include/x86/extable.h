/*
 * extable.h - faults that the kernel expects, and copying to and from programs' memory.
 *
 * Implementation: kernel/x86/extable.c, usercopy.asm.  Use kern/usercopy.h.
 */
#pragma once
#include <lib/base.h>

/* Where to go on after a fault at @rip; 0 = it was not expected. */
uint64_t extable_find(uint64_t rip);

size_t user_copy(void *dst, const void *src, size_t n);
size_t user_clear(void *dst, size_t n);
int64_t user_string(char *dst, const char *src, size_t n);
