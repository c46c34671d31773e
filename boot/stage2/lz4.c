/*
 * lz4.c - unpacks an LZ4 frame: the kernel's file is a little more than half as long on the medium.
 *
 * A block is a row of sequences: a token with two lengths, literals, and the distance of a match
 * in what came out already.  Most have at most 14 literals and a match of at most 18 bytes:
 * short_sequences() takes those by copies of 8 bytes that may write too far, and counts beforehand
 * how many fit into both buffers whatever they hold.  Anything else it leaves to sequence(), which
 * looks at every length.  Built with -O2 (tools/mk/image.mk): the kernel has 28,000 sequences.
 *
 * Spec: LZ4 Frame Format 1.6; LZ4 Block Format.
 */
#include "lz4.h"
#include <lib/errno.h>
#include "copy8.h"

#define MAGIC	   0x184d2204
#define VERSION	   1
#define MIN_MATCH  4
#define LONG	   15	      /* a length in the token: more bytes follow */
#define STORED	   0x80000000 /* a block's size: not compressed */
#define BLOCK_MAX  0x400000U  /* bytes of the largest block */
#define FLG_DICT   BIT(0)
#define FLG_SUM	   BIT(2)
#define FLG_SIZE   BIT(3)
#define FLG_BLOCKS BIT(4)

/* What short_sequences() may touch per sequence: a token and 16 bytes; 14 bytes and 3 times 8. */
#define SHORT_IN  17
#define SHORT_OUT 38

static const char cut_off[] = "LZ4 data cut off";
static const char too_long[] = "LZ4 content longer than its header says";

static int
fail(struct lz4_frame *f, const char *why)
{
	f->why = why;
	return -EINVAL;
}

static uint32_t
le16(const uint8_t *p)
{
	uint16_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t
le32(const uint8_t *p)
{
	uint32_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

/* Loaded once, and into a whole register: gcc would do otherwise and need instructions for it. */
static inline uint32_t
byte_at(const uint8_t *p)
{
	uint32_t v = *p;

	__asm__("" : "+r"(v));
	return v;
}

/*
 * Sequences with short lengths, until one is not, or the end of a buffer is near; the one that was
 * not taken begins at f->in.  What a copy wrote too far, the next one overwrites.  The number of
 * rounds keeps all copies inside both buffers.  A match may go back as far as there was content
 * when the loop began, which is a single comparison; sequence() takes those that want more.
 */
static void
short_sequences(struct lz4_frame *f, const uint8_t *end)
{
	const uint32_t room = (uint32_t)(f->out_end - f->out) / SHORT_OUT;
	const uint32_t reach = (uint32_t)(f->out - f->out_start);
	const uint8_t *in = f->in;
	uint8_t *out = f->out;

	if (reach < 8)
		return;
	for (uint32_t n = MIN((uint32_t)(end - in) / SHORT_IN, room); n > 0; n--) {
		const uint32_t token = byte_at(in);
		const uint32_t literals = token >> 4;
		const uint8_t *from;
		uint32_t beyond, length;
		uint8_t *to;

		copy8(out, in + 1);
		if (literals > 8) {
			if (literals == LONG)
				break;
			copy8(out + 8, in + 9);
		}
		beyond = le16(in + literals + 1) - 8U; /* what the distance has beyond 8 */
		to = out + literals;
		if (beyond > reach - 8)
			break;
		from = to - 8 - beyond;
		copy8(to, from);
		length = token & LONG;
		if (length > 8 - MIN_MATCH) {
			if (length == LONG)
				break;
			copy8(to + 8, from + 8);
			copy8(to + 16, from + 16);
		}
		in += literals + 3;
		out = to + length + MIN_MATCH;
	}
	f->in = in;
	f->out = out;
}

/* Copy @n literals or bytes at least 8 behind; both ranges were checked. */
static void
copy(uint8_t *to, const uint8_t *from, uint32_t n)
{
	for (; n >= 8; n -= 8, to += 8, from += 8)
		copy8(to, from);
	while (n-- > 0)
		*to++ = *from++;
}

/* A match may overlap what it makes: a distance of 1 repeats one byte. */
static void
copy_match(uint8_t *to, uint32_t distance, uint32_t n)
{
	uint32_t period = distance;

	if (distance < 8) {
		const uint32_t first = MIN(n, 8U);

		for (uint32_t i = 0; i < first; i++)
			to[i] = to[(int32_t)i - (int32_t)distance];
		to += first;
		n -= first;
		while (period < 8)
			period += distance;
	}
	if (n > 0)
		copy(to, to - period, n);
}

/* Bytes that add to a length of 15, up to one that is not 255.  False: they do not end. */
static bool
long_length(struct lz4_frame *f, const uint8_t *end, uint32_t *length)
{
	uint8_t byte;

	do {
		if (f->in == end || *length > LZ4_SIZE_MAX)
			return false;
		byte = *f->in++;
		*length += byte;
	} while (byte == 255);
	return true;
}

/* One sequence of any lengths; the last of a block, which ends behind its literals, too. */
static int
sequence(struct lz4_frame *f, const uint8_t *end)
{
	const uint32_t token = *f->in++;
	uint32_t literals = token >> 4, length = token & LONG, distance;

	if (literals == LONG && !long_length(f, end, &literals))
		return fail(f, cut_off);
	if (literals > (size_t)(end - f->in))
		return fail(f, cut_off);
	if (literals > (size_t)(f->out_end - f->out))
		return fail(f, too_long);
	copy(f->out, f->in, literals);
	f->in += literals;
	f->out += literals;
	if (f->in == end)
		return 0;
	if (end - f->in < 2)
		return fail(f, cut_off);
	distance = le16(f->in);
	f->in += 2;
	if (length == LONG && !long_length(f, end, &length))
		return fail(f, cut_off);
	length += MIN_MATCH;
	if (distance == 0 || distance > (size_t)(f->out - f->out_start))
		return fail(f, "LZ4 match before the beginning");
	if (length > (size_t)(f->out_end - f->out))
		return fail(f, too_long);
	copy_match(f->out, distance, length);
	f->out += length;
	return 0;
}

static int
block(struct lz4_frame *f, const uint8_t *end)
{
	while (f->in < end) {
		int error;

		short_sequences(f, end);
		if (f->in == end)
			break;
		error = sequence(f, end);
		if (error)
			return error;
	}
	return 0;
}

static int
stored_block(struct lz4_frame *f, uint32_t n)
{
	if (n > (size_t)(f->out_end - f->out))
		return fail(f, too_long);
	copy(f->out, f->in, n);
	f->in += n;
	f->out += n;
	return 0;
}

bool
lz4_magic(const void *data, size_t n)
{
	return n >= 4 && le32(data) == MAGIC;
}

int
lz4_open(struct lz4_frame *f, const void *data, size_t n)
{
	const uint8_t *p = data;

	*f = (struct lz4_frame){.in = p};
	if (n < LZ4_HEADER_MAX || !lz4_magic(p, n) || p[4] >> 6 != VERSION)
		return fail(f, "no LZ4 frame");
	if (p[4] & FLG_DICT)
		return fail(f, "LZ4 frame that needs a dictionary");
	if (!(p[4] & FLG_SIZE))
		return fail(f, "LZ4 frame without content size (lz4 --content-size)");
	f->size = le32(p + 6);
	if (le32(p + 10) != 0 || f->size > LZ4_SIZE_MAX)
		return fail(f, "LZ4 content larger than 256 MiB");
	f->header = 15;
	f->block_sums = p[4] & FLG_BLOCKS;
	f->content_sum = p[4] & FLG_SUM;
	return 0;
}

static int
blocks(struct lz4_frame *f)
{
	for (;;) {
		uint32_t n, extra = f->block_sums ? 4 : 0;
		int error;

		if (f->in_end - f->in < 4)
			return fail(f, cut_off);
		n = le32(f->in);
		f->in += 4;
		if (n == 0)
			return 0;
		if ((n & ~STORED) > BLOCK_MAX ||
		    (n & ~STORED) + extra > (size_t)(f->in_end - f->in))
			return fail(f, cut_off);
		error = n & STORED ? stored_block(f, n & ~STORED) : block(f, f->in + n);
		if (error)
			return error;
		f->in += extra;
	}
}

int
lz4_unpack(struct lz4_frame *f, const void *data, size_t n, void *out)
{
	int error;

	f->in_end = (const uint8_t *)data + n;
	f->in = (const uint8_t *)data + MIN((size_t)f->header, n);
	f->out = f->out_start = out;
	f->out_end = f->out + f->size;
	copy8_begin();
	error = blocks(f);
	copy8_end();
	if (error)
		return error;
	if (f->out != f->out_end)
		return fail(f, "LZ4 content shorter than its header says");
	if ((size_t)(f->in_end - f->in) != (f->content_sum ? 4 : 0))
		return fail(f, "LZ4 frame with other bytes behind it");
	return 0;
}
