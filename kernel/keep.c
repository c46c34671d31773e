/*
 * keep.c - a log in memory that outlives a reboot.  Pure; the theory is in kern/keep.h.
 *
 * The order of writes is what makes a torn update harmless: room is given up in the header before it
 * is overwritten, and a record belongs to the log only when a header names its end.
 */
#include <kern/keep.h>
#include <lib/crc32.h>
#include <lib/errno.h>
#include <lib/string.h>

#define MAGIC 0x4b534f6e694d676cULL /* the bytes "lgMinOSK" */

/* Both reach memory, in this order: the compiler must not move stores across. */
static inline void
barrier(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static uint32_t
header_crc(const struct keep_header *h)
{
	return crc32(0, h, offsetof(struct keep_header, crc));
}

static bool
header_valid(const struct keep_header *h)
{
	return h->magic == MAGIC && h->crc == header_crc(h) && h->start <= h->end &&
	       h->end - h->start <= KEEP_RING_SIZE;
}

static void
ring_write(struct keep_half *half, uint64_t pos, const void *src, size_t n)
{
	const size_t at = pos % KEEP_RING_SIZE, first = MIN(n, KEEP_RING_SIZE - at);

	memcpy(half->ring + at, src, first);
	memcpy(half->ring, (const uint8_t *)src + first, n - first);
}

static void
ring_read(const struct keep_half *half, uint64_t pos, void *dst, size_t n)
{
	const size_t at = pos % KEEP_RING_SIZE, first = MIN(n, KEEP_RING_SIZE - at);

	memcpy(dst, half->ring + at, first);
	memcpy((uint8_t *)dst + first, half->ring, n - first);
}

static uint32_t
record_crc(const struct keep_record *r, const char *text)
{
	return crc32(crc32(0, r, offsetof(struct keep_record, crc)), text, r->len);
}

void
keep_find(const struct keep_area *area, struct keep_past *out)
{
	*out = (struct keep_past){.half = 1};
	for (unsigned i = 0; i < 4; i++) {
		const struct keep_header *h = &area->half[i / 2].header[i % 2];
		const struct keep_header *best = &out->header;

		if (h->magic == MAGIC && !header_valid(h))
			out->refused = true;
		if (!header_valid(h) ||
		    (out->found &&
		     (h->boot < best->boot || (h->boot == best->boot && h->update < best->update))))
			continue;
		out->header = *h;
		out->half = i / 2;
		out->found = true;
	}
	out->refused &= !out->found;
}

/* Write k->now to the older of the two headers. */
static void
commit(struct keep *k, struct keep_area *area)
{
	struct keep_half *half = &area->half[k->half];

	k->now.update++;
	k->now.crc = header_crc(&k->now);
	barrier();
	half->header[k->now.update % 2] = k->now;
	barrier();
}

void
keep_begin(struct keep *k, struct keep_area *area, const struct keep_past *past)
{
	*k = (struct keep){
		.now = {.magic = MAGIC, .boot = past->header.boot + 1},
		.half = 1 - past->half,
	};
	memset(area->half[k->half].header, 0, sizeof(area->half[0].header));
	commit(k, area);
}

/* Give up old records until @n more bytes have room. */
static void
make_room(struct keep *k, struct keep_area *area, size_t n)
{
	const struct keep_half *half = &area->half[k->half];
	const uint64_t before = k->now.start;

	while (k->now.end + n - k->now.start > KEEP_RING_SIZE) {
		struct keep_record r;

		ring_read(half, k->now.start, &r, sizeof(r));
		k->now.start += sizeof(r) + r.len;
		if (r.len > KEEP_TEXT_MAX || k->now.start > k->now.end)
			k->now.start = k->now.end; /* somebody wrote into it: begin anew */
	}
	if (k->now.start != before)
		commit(k, area);
}

void
keep_append(struct keep *k, struct keep_area *area, struct keep_record *r, const char *text,
	    size_t len)
{
	struct keep_half *half = &area->half[k->half];

	r->len = (uint16_t)MIN(len, (size_t)KEEP_TEXT_MAX);
	r->crc = record_crc(r, text);
	make_room(k, area, sizeof(*r) + r->len);
	ring_write(half, k->now.end, r, sizeof(*r));
	ring_write(half, k->now.end + sizeof(*r), text, r->len);
	k->now.end += sizeof(*r) + r->len;
	commit(k, area);
}

int
keep_read(const struct keep_past *past, const struct keep_area *area, uint64_t *pos,
	  struct keep_record *r, char *text)
{
	const struct keep_half *half = &area->half[past->half];
	const uint64_t left = past->header.end - *pos;

	if (left == 0)
		return 0;
	if (left < sizeof(*r))
		return -EIO;
	ring_read(half, *pos, r, sizeof(*r));
	if (r->len > KEEP_TEXT_MAX || r->len > left - sizeof(*r))
		return -EIO;
	ring_read(half, *pos + sizeof(*r), text, r->len);
	if (r->crc != record_crc(r, text))
		return -EIO;
	*pos += sizeof(*r) + r->len;
	return 1;
}
