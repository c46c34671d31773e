/*
 * string.c - memory and string functions; also compiled into the 32-bit loader and the host tests.
 *
 * The mem* functions move machine words, eight per round: with no SSE in the kernel that is the
 * fastest way to copy, faster than `rep movsb` by far (docs/performance.md).  x86 allows the
 * words to be unaligned, and struct word tells the compiler so.
 */
#include <lib/string.h>
#include <lib/errno.h>

/* The compiler would see the loops of memcpy() and memset() for what they are, and call memcpy() and memset(). */
NO_LOOP_CALLS

typedef struct PACKED __attribute__((may_alias)) word {
	unsigned long v;
} word_t;

#define WORD  sizeof(word_t)
#define ROUND (8 * WORD)
#define ONES  (~0UL / 255) /* 0101...01h */

static void
copy_forward(uint8_t *d, const uint8_t *s, size_t n)
{
	for (; n >= ROUND; n -= ROUND, d += ROUND, s += ROUND) {
		word_t *dw = (word_t *)d;
		const word_t *sw = (const word_t *)s;

		dw[0] = sw[0];
		dw[1] = sw[1];
		dw[2] = sw[2];
		dw[3] = sw[3];
		dw[4] = sw[4];
		dw[5] = sw[5];
		dw[6] = sw[6];
		dw[7] = sw[7];
	}
	for (; n >= WORD; n -= WORD, d += WORD, s += WORD)
		*(word_t *)d = *(const word_t *)s;
	while (n-- > 0)
		*d++ = *s++;
}

/* From the end down: for a destination that overlaps the source and lies above it. */
static void
copy_backward(uint8_t *d, const uint8_t *s, size_t n)
{
	for (d += n, s += n; n >= WORD; n -= WORD) {
		d -= WORD;
		s -= WORD;
		*(word_t *)d = *(const word_t *)s;
	}
	while (n-- > 0)
		*--d = *--s;
}

void *
memcpy(void *dst, const void *src, size_t n)
{
	copy_forward(dst, src, n);
	return dst;
}

void *
memmove(void *dst, const void *src, size_t n)
{
	/* Unsigned: true as well when dst lies below src. */
	if ((uintptr_t)dst - (uintptr_t)src >= n)
		copy_forward(dst, src, n);
	else
		copy_backward(dst, src, n);
	return dst;
}

void *
memset(void *dst, int c, size_t n)
{
	const unsigned long v = (uint8_t)c * ONES;
	uint8_t *d = dst;

	for (; n >= ROUND; n -= ROUND, d += ROUND) {
		word_t *dw = (word_t *)d;

		dw[0].v = v;
		dw[1].v = v;
		dw[2].v = v;
		dw[3].v = v;
		dw[4].v = v;
		dw[5].v = v;
		dw[6].v = v;
		dw[7].v = v;
	}
	for (; n >= WORD; n -= WORD, d += WORD)
		((word_t *)d)->v = v;
	while (n-- > 0)
		*d++ = (uint8_t)c;
	return dst;
}

int
memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	while (n >= WORD && ((const word_t *)x)->v == ((const word_t *)y)->v) {
		x += WORD;
		y += WORD;
		n -= WORD;
	}
	for (; n > 0; n--, x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}

void *
memchr(const void *s, int c, size_t n)
{
	for (const uint8_t *p = s; n > 0; n--, p++) {
		if (*p == (uint8_t)c)
			return (void *)p;
	}
	return NULL;
}

size_t
strlen(const char *s)
{
	const char *p = s;

	while (*p != '\0')
		p++;
	return (size_t)(p - s);
}

size_t
strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n] != '\0')
		n++;
	return n;
}

int
strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

int
strncmp(const char *a, const char *b, size_t n)
{
	for (; n > 0; n--, a++, b++) {
		if (*a != *b)
			return (uint8_t)*a - (uint8_t)*b;
		if (*a == '\0')
			break;
	}
	return 0;
}

static int
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (uint8_t)c;
}

int
strcasecmp(const char *a, const char *b)
{
	while (*a != '\0' && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) - lower(*b);
}

char *
strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (*s == '\0')
			return NULL;
	}
}

char *
strrchr(const char *s, int c)
{
	const char *last = NULL;

	for (;; s++) {
		if (*s == (char)c)
			last = s;
		if (*s == '\0')
			return (char *)last;
	}
}

char *
strstr(const char *haystack, const char *needle)
{
	const size_t n = strlen(needle);

	for (;; haystack++) {
		if (strncmp(haystack, needle, n) == 0)
			return (char *)haystack;
		if (*haystack == '\0')
			return NULL;
	}
}

size_t
strlcpy(char *dst, const char *src, size_t size)
{
	const size_t len = strlen(src);

	if (size > 0) {
		const size_t n = MIN(len, size - 1);

		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return len;
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

int
parse_u64(const char *s, int base, uint64_t *out)
{
	uint64_t v = 0;

	if (base != 10 && s[0] == '0' && (s[1] | 0x20) == 'x') {
		base = 16;
		s += 2;
	} else if (base == 0) {
		base = 10;
	}
	if (*s == '\0')
		return -EINVAL;
	for (; *s != '\0'; s++) {
		const int d = digit_value(*s);

		if (d >= base)
			return -EINVAL;
		/* The quotients are constants: no 64-bit division in the loader. */
		if (v > (base == 16 ? UINT64_MAX / 16 : UINT64_MAX / 10))
			return -ERANGE;
		v *= (unsigned)base;
		if (v > UINT64_MAX - (unsigned)d)
			return -ERANGE;
		v += (unsigned)d;
	}
	*out = v;
	return 0;
}
