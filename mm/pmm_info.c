/*
 * pmm_info.c - what the frame allocator tells about itself: counts by owner and by zone.
 */
#include <mm/frames.h>

/* By number; see enum pmm_owner. */
static const char *const names[PMM_NR_OWNERS] = {
	"nobody",	 "firmware",
	"kernel image",	 "initrd",
	"loader's data", "log kept over reboots",
	"frame tables",	 "page tables",
	"heap: objects", "heap: large blocks",
	"thread stacks", "kernel mappings",
	"programs",	 "file cache",
	"tests",
};

const char *
pmm_owner_name(uint8_t owner)
{
	const size_t id = owner & PMM_ID;

	return id < PMM_NR_OWNERS ? names[id] : names[PMM_NOBODY];
}

size_t
pmm_owner_count(enum pmm_owner owner)
{
	return owner == PMM_NOBODY ? pmm_free_count() : pmm_counts.by[owner];
}

void
pmm_owner_counts(size_t by[PMM_NR_OWNERS])
{
	const uint64_t flags = spin_lock(&pmm_lock);

	by[PMM_NOBODY] = pmm_free_count();
	for (size_t owner = PMM_FIRMWARE; owner < PMM_FIXED_END; owner++)
		by[owner & PMM_ID] = pmm_counts.by[owner];
	for (size_t owner = PMM_PAGE_TABLE; owner < PMM_OWNERS_END; owner++)
		by[owner & PMM_ID] = pmm_counts.by[owner];
	spin_unlock(&pmm_lock, flags);
}

void
pmm_zone_info(enum pmm_zone zone, struct pmm_zone_info *out)
{
	static const char *const zone_names[PMM_NR_ZONES] = {"below 16 MiB", "16 MiB to 4 GiB",
							     "above 4 GiB"};
	const uint64_t flags = spin_lock(&pmm_lock);

	*out = (struct pmm_zone_info){.name = zone_names[zone], .free = pmm_zero_count(zone)};
	for (const struct pmm_range *r = pmm_ranges; r < pmm_ranges + pmm_nr_ranges; r++) {
		if (r->zone == zone) {
			out->total += r->nr;
			out->free += r->nr_bits + r->depth;
		}
	}
	spin_unlock(&pmm_lock, flags);
}

void
pmm_stats(struct pmm_stats *out)
{
	const uint64_t flags = spin_lock(&pmm_lock);

	*out = (struct pmm_stats){
		.total = pmm_total,
		.free = pmm_free_count(),
		.peak_used = pmm_counts.peak,
		.highest = pmm_highest(),
	};
	for (size_t i = PMM_FIXED; i < PMM_FIXED_END; i++)
		out->reserved += pmm_counts.by[i];
	pmm_zero_stats(out);
	spin_unlock(&pmm_lock, flags);
}
