/*
 * mem_frames.c - the part of the command mem about page frames: who holds them, in which zones.
 */
#include <mm/pmm.h>
#include "cmds.h"

static void
print_count(const char *indent, const char *name, size_t frames)
{
	const int width = 20 - (int)(indent[0] == ' ' ? 2 : 0);

	sh_printf("  %s%-*s %10zu  %s\n", indent, width, name, frames,
		  size_text((uint64_t)frames << PAGE_SHIFT).s);
}

/* All at one moment, so that what is free and what everybody holds adds up to the total. */
static void
print_owners(size_t total)
{
	size_t by[PMM_NR_OWNERS];

	pmm_owner_counts(by);
	print_count("", "free", by[PMM_NOBODY]);
	print_count("", "used", total - by[PMM_NOBODY]);
	for (size_t id = 1; id < PMM_NR_OWNERS; id++) {
		if (by[id] != 0)
			print_count("  ", pmm_owner_name((uint8_t)id), by[id]);
	}
}

static void
print_zones(void)
{
	sh_printf("\nBy address                  total       free\n");
	for (unsigned i = 0; i < PMM_NR_ZONES; i++) {
		struct pmm_zone_info z;

		pmm_zone_info(i, &z);
		sh_printf("  %-20s %10zu %10zu  %s\n", z.name, z.total, z.free,
			  size_text((uint64_t)z.free << PAGE_SHIFT).s);
	}
}

void
mem_print_frames(void)
{
	struct pmm_stats s;

	pmm_stats(&s);
	sh_printf("Physical memory             frames  of 4 KiB\n");
	print_count("", "total", s.total);
	print_owners(s.total);
	print_count("", "used at most", s.peak_used);
	sh_printf("  highest address      %#lx\n", s.highest);
	print_count("", "zeroed, of the free", s.zeroed);
	sh_printf("    when one was wanted  %8zu  times there, %zu times not\n", s.zero_hits,
		  s.zero_misses);
	print_zones();
}
