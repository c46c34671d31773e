/*
 * ksym.h - the kernel's own symbol table, built into the image by tools/mksyms.py.  Any context.
 */
#pragma once
#include <kern/base.h>

/* Name of the function or object that holds @addr and the offset into it; NULL if none does. */
const char *ksym_lookup(uint64_t addr, uint64_t *offset);
/* Is @addr in the kernel's text? */
bool ksym_is_code(uint64_t addr);
/* Address of the symbol @name, or 0. */
uint64_t ksym_find(const char *name);
/* Entry number @i in address order (for listing and completion): NULL past the end. */
const char *ksym_at(size_t i, uint64_t *addr);
size_t ksym_count(void);
/* @addr as people read it: "symbol+0x1c", or the bare number when it is in no symbol. */
struct ksym_text {
	char s[64];
};
struct ksym_text ksym_text(uint64_t addr);
