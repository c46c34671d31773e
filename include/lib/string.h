/*
 * string.h - memory and string functions with their ISO C meaning, and a few safer ones.
 *
 * Pure; any context.  GCC and clang may call the mem* functions on their own.
 */
#pragma once
#include <lib/base.h>

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
int strcasecmp(const char *a, const char *b); /* ASCII letters only */
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *haystack, const char *needle);

/* Copy with truncation; @dst always ends in NUL if @size > 0.  Returns strlen(@src): >= @size means cut. */
size_t strlcpy(char *dst, const char *src, size_t size);

/*
 * Parse a whole string as an unsigned number: 0x/0X hexadecimal, else decimal; with @base 16 or 10
 * the base is fixed (a 0x prefix is then allowed for 16).  Returns 0, -EINVAL (empty, stray
 * characters) or -ERANGE (over 64 bits); *@out is written only on success.
 */
int parse_u64(const char *s, int base, uint64_t *out);
