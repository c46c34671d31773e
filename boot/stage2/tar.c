/*
 * tar.c - the structure of an initrd that carries no checksum of ours.
 *
 * Spec: POSIX.1-2017, pax, "ustar Interchange Format".
 */
#include <boot/tar.h>
#include <lib/string.h>

#define BLOCK	     512
#define SIZE_AT	     124
#define SIZE_LEN     12
#define CHECKSUM_AT  148
#define CHECKSUM_LEN 8
#define MAGIC_AT     257

/* Octal digits, ended by a blank or NUL.  False: something else, or over 32 bits. */
static bool
octal(const uint8_t *p, size_t n, uint32_t *value)
{
	size_t i = 0;

	*value = 0;
	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++) {
		if (*value >> 29)
			return false;
		*value = *value << 3 | (uint32_t)(p[i] - '0');
	}
	return i == n || p[i] == ' ' || p[i] == '\0';
}

/* The sum of the header's bytes, its checksum field taken as blanks. */
static uint32_t
header_sum(const uint8_t *h)
{
	uint32_t sum = CHECKSUM_LEN * ' ';

	for (size_t i = 0; i < BLOCK; i++)
		if (i < CHECKSUM_AT || i >= CHECKSUM_AT + CHECKSUM_LEN)
			sum += h[i];
	return sum;
}

static bool
all_zero(const uint8_t *h)
{
	for (size_t i = 0; i < BLOCK; i++)
		if (h[i])
			return false;
	return true;
}

const char *
tar_check(const void *data, size_t size, size_t *offset)
{
	const uint8_t *p = data;

	for (*offset = 0; size - *offset >= BLOCK;) {
		const uint8_t *h = p + *offset;
		const size_t left = size - *offset - BLOCK;
		uint32_t sum, length;

		if (h[0] == '\0' && all_zero(h))
			return NULL;
		if (memcmp(h + MAGIC_AT, "ustar", 5) != 0)
			return "no ustar header";
		if (!octal(h + CHECKSUM_AT, CHECKSUM_LEN, &sum) || sum != header_sum(h))
			return "wrong header checksum";
		if (!octal(h + SIZE_AT, SIZE_LEN, &length) || length > left)
			return "member longer than the archive";
		length = (length + BLOCK - 1) & ~(BLOCK - 1U);
		*offset += BLOCK + MIN(length, left);
	}
	return size == 0 ? "empty" : size - *offset > 0 ? "cut short" : NULL;
}
