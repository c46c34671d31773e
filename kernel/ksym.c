/*
 * ksym.c - names for addresses: the table that tools/mksyms.py appends to the image.
 *
 * Offsets from KERNEL_VMA are sorted; the names follow one another in the same order, with the
 * place of every KSYM_STRIDE-th one noted.  A lookup is a binary search and then at most
 * KSYM_STRIDE - 1 strings to skip.
 */
#include <kern/ksym.h>
#include <kern/ksym_table.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/image.h>

bool
ksym_is_code(uint64_t addr)
{
	/* .init.text follows .text; its names stay when it is given back. */
	return addr >= (uint64_t)kernel_text_start && addr < (uint64_t)kernel_init_text_end;
}

static const char *
name_of(size_t i)
{
	const char *s = ksym_names + ksym_name_index[i / KSYM_STRIDE];

	for (size_t skip = i % KSYM_STRIDE; skip > 0; skip--)
		s += strlen(s) + 1;
	return s;
}

const char *
ksym_lookup(uint64_t addr, uint64_t *offset)
{
	size_t lo = 0, hi = ksym_table_count;
	uint32_t rel;

	if (addr < (uint64_t)kernel_image_start || addr >= (uint64_t)kernel_bss_end)
		return NULL;
	rel = (uint32_t)(addr - KERNEL_VMA);
	while (lo < hi) { /* [0, lo) is at or below @rel, [hi, count) above */
		const size_t mid = lo + (hi - lo) / 2;

		if (ksym_offsets[mid] <= rel)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0)
		return NULL;
	if (offset != NULL)
		*offset = rel - ksym_offsets[lo - 1];
	return name_of(lo - 1);
}

uint64_t
ksym_find(const char *name)
{
	const char *s = ksym_names;

	for (size_t i = 0; i < ksym_table_count; i++) {
		if (strcmp(s, name) == 0)
			return KERNEL_VMA + ksym_offsets[i];
		s += strlen(s) + 1;
	}
	return 0;
}

const char *
ksym_at(size_t i, uint64_t *addr)
{
	if (i >= ksym_table_count)
		return NULL;
	if (addr != NULL)
		*addr = KERNEL_VMA + ksym_offsets[i];
	return name_of(i);
}

size_t
ksym_count(void)
{
	return ksym_table_count;
}

struct ksym_text
ksym_text(uint64_t addr)
{
	struct ksym_text t;
	uint64_t offset = 0;
	const char *name = ksym_lookup(addr, &offset);

	if (name != NULL)
		(void)snprintf(t.s, sizeof(t.s), "%s+%#lx", name, offset);
	else
		(void)snprintf(t.s, sizeof(t.s), "%#lx", addr);
	return t;
}
