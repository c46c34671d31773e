/*
 * lz4.h - unpack an LZ4 frame whose content size is known.  Pure; tested on the host.
 *
 * The checksums of the format (xxHash) are not looked at: the file's own CRC-32 covers all of it.
 * Nothing is trusted for that: no byte outside of the two buffers is read or written, whatever the
 * frame holds.  Spec: LZ4 Frame Format 1.6; LZ4 Block Format.
 */
#pragma once
#include <lib/base.h>

#define LZ4_HEADER_MAX 19 /* bytes of the longest frame header */
#define LZ4_SIZE_MAX \
	0x10000000U /* bytes of content: 256 MiB, so that no sum of lengths overflows */

struct lz4_frame {
	const uint8_t *in, *in_end;
	uint8_t *out, *out_start, *out_end;
	uint32_t size;	  /* of the content */
	uint32_t header;  /* bytes in front of the first block */
	bool block_sums;  /* 4 bytes follow each block ... */
	bool content_sum; /* ... and the end mark */
	const char *why;  /* what is wrong with it */
};

/* Whether the @n bytes at @data begin as an LZ4 frame does. */
bool lz4_magic(const void *data, size_t n);

/* Read the header at the beginning of @n bytes: 0 and frame->size, or -EINVAL and frame->why. */
int lz4_open(struct lz4_frame *frame, const void *data, size_t n);

/*
 * Unpack the @n bytes at @data, which must be exactly the opened frame, to the frame->size bytes at
 * @out.  0 when each of them was written; else -EINVAL, frame->why, and frame->in where it failed.
 */
int lz4_unpack(struct lz4_frame *frame, const void *data, size_t n, void *out);
