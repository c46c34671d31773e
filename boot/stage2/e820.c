/*
 * e820.c - the sweep over the firmware's memory map.
 *
 * A point moves up through the address space from one entry's edge to the next.  Between two edges
 * the set of entries that cover the place does not change; the least usable of their types is the
 * place's.  No table of edges is needed: the next one is searched each time, which for the usual
 * ten entries is less work than sorting.
 * Spec: ACPI 6.4, "INT 15H, E820H - Query System Address Map".
 */
#include <boot/e820.h>

#define PAGE	 4096ULL
#define LAST_END (UINT64_MAX & ~(PAGE - 1)) /* the last page is given up: its end has no number */

enum { TYPE_NONE = 0 };

/* The larger, the less usable. */
static uint32_t
rank(uint32_t type)
{
	switch (type) {
	case TYPE_NONE: return 0;
	case BOOT_MEM_RAM: return 1;
	case BOOT_MEM_ACPI: return 2;
	case BOOT_MEM_NVS: return 3;
	case BOOT_MEM_BAD: return 5;
	default: return 4;
	}
}

static uint32_t
known_type(uint32_t type)
{
	return rank(type) == 4 || type == TYPE_NONE ? BOOT_MEM_RESERVED : type;
}

/* The whole pages of @e; false if nothing of it counts. */
static bool
pages_of(const struct boot_mem *e, uint64_t *start, uint64_t *end)
{
	uint64_t last;

	if (e->size == 0 || !(e->attr & 1))
		return false;
	last = e->start + (e->size - 1);
	if (last < e->start)
		last = UINT64_MAX;
	if (e->type == BOOT_MEM_RAM) {
		if (e->start > LAST_END)
			return false;
		*start = (e->start + PAGE - 1) & ~(PAGE - 1);
		*end = last == UINT64_MAX ? LAST_END : (last + 1) & ~(PAGE - 1);
	} else {
		*start = e->start & ~(PAGE - 1);
		*end = last >= LAST_END ? LAST_END : (last + PAGE) & ~(PAGE - 1);
	}
	return *start < *end;
}

/* What lies at @at, and the next edge above it (0: none). */
static uint32_t
type_at(const struct boot_mem *raw, size_t n, uint64_t at, uint64_t *next, bool *overlap)
{
	uint32_t type = TYPE_NONE;
	uint64_t start, end;

	*next = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t edge;

		if (!pages_of(&raw[i], &start, &end))
			continue;
		edge = at < start ? start : end;
		if (edge > at && (*next == 0 || edge < *next))
			*next = edge;
		if (at < start || at >= end)
			continue;
		*overlap |= type != TYPE_NONE;
		if (rank(known_type(raw[i].type)) > rank(type))
			type = known_type(raw[i].type);
	}
	return type;
}

static bool
unsorted(const struct boot_mem *raw, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (raw[i].start < raw[i - 1].start)
			return true;
	return false;
}

size_t
e820_clean(const struct boot_mem *raw, size_t n, struct boot_mem *out, size_t max, uint32_t *quirks)
{
	bool overlap = unsorted(raw, n);
	uint64_t at = 0, next;
	size_t count = 0;

	for (;; at = next) {
		const uint32_t type = type_at(raw, n, at, &next, &overlap);
		struct boot_mem *last = count > 0 ? &out[count - 1] : NULL;

		if (next == 0)
			break;
		if (type == TYPE_NONE)
			continue;
		if (last && last->type == type && last->start + last->size == at) {
			last->size += next - at;
		} else if (count == max) {
			*quirks |= BOOT_QUIRK_MAP_CUT;
			break;
		} else {
			out[count++] = (struct boot_mem){at, next - at, type, 1};
		}
	}
	if (overlap)
		*quirks |= BOOT_QUIRK_MAP_OVERLAP;
	return count;
}
