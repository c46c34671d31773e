/*
 * cmdline.h - the kernel command line: `key=value key="two words" flag`.
 */
#pragma once
#include <kern/base.h>

void cmdline_init(const char *line);
const char *cmdline_raw(void);
bool cmdline_has(const char *flag);
/* Copy the value of @key.  Returns its length, or -ENOENT; a value longer than @size - 1 is -ERANGE. */
ssize_t cmdline_get(const char *key, char *buf, size_t size);
