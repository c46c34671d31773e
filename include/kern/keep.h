/*
 * keep.h - a log in memory that outlives a reboot: two halves, the older one readable.
 *
 * Implementation: kernel/keep.c, pure.  The area is found as the last boot left it, or full of
 * anything: nothing in it is believed without its checksum.  Each boot writes into the half that
 * does not hold the newest log, so the log of the boot before stays readable as long as this one
 * runs.  A half is a ring of records, each with a checksum; its ends stand in a header that is kept
 * twice, so that a reset in the middle of an update leaves one of them valid.
 * Drawing: docs/traps.md, "The log of the boot before".
 */
#pragma once
#include <lib/base.h>

#define KEEP_AREA_SIZE 0x10000U
#define KEEP_HALF_SIZE (KEEP_AREA_SIZE / 2)

struct keep_header {
	uint64_t magic;
	uint64_t boot;	     /* number of the boot that wrote this half, from 1 */
	uint64_t update;     /* the valid header with the higher number counts */
	uint64_t start, end; /* of the records; bytes since that boot, modulo the ring */
	uint32_t pad;
	uint32_t crc; /* of all before it */
};

#define KEEP_RING_SIZE (KEEP_HALF_SIZE - 2 * sizeof(struct keep_header))

struct keep_half {
	struct keep_header header[2];
	uint8_t ring[KEEP_RING_SIZE];
};

struct keep_area {
	struct keep_half half[2];
};
_Static_assert(sizeof(struct keep_area) == KEEP_AREA_SIZE, "no padding");

enum { KEEP_LINE, KEEP_TEXT }; /* a line of the log; console output as it was */

/* As it stands in the ring, its text behind it. */
struct keep_record {
	uint64_t time_ns;
	uint16_t len; /* bytes of text */
	uint8_t level;
	uint8_t kind; /* KEEP_LINE, KEEP_TEXT */
	uint32_t crc; /* of all before it, and the text */
};

#define KEEP_TEXT_MAX 256

/* Of this boot's half.  The owner serialises. */
struct keep {
	struct keep_header now; /* as it was written last */
	unsigned half;		/* 0 or 1 */
};

/* What of the boot before is there. */
struct keep_past {
	struct keep_header header;
	unsigned half;
	bool found;
	bool refused; /* not found, but something with the magic number is there: it is damaged */
};

/* Look for a log in @area. */
void keep_find(const struct keep_area *area, struct keep_past *out);
/* Begin a log in the half that @past does not need. */
void keep_begin(struct keep *k, struct keep_area *area, const struct keep_past *past);
/* Append; the oldest records make room.  @r->len and crc are set here.  Longer texts are cut. */
void keep_append(struct keep *k, struct keep_area *area, struct keep_record *r, const char *text,
		 size_t len);
/*
 * Read the record at *@pos, which starts as @past's header.start, and move *@pos on.  @text has
 * room for KEEP_TEXT_MAX bytes.  1, 0 at the end, -EIO: damaged, and so is whatever follows.
 */
int keep_read(const struct keep_past *past, const struct keep_area *area, uint64_t *pos,
	      struct keep_record *r, char *text);
