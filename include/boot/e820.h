/*
 * e820.h - from the firmware's memory map to one that can be relied upon.  Pure; host-tested.
 */
#pragma once
#include <boot/boot_info.h>

/*
 * Clean @raw into @out: sorted, without overlaps (where types overlap, the least usable one
 * counts), RAM cut to whole pages and everything else widened to them, neighbours of one type
 * merged, unknown types made BOOT_MEM_RESERVED.  Entries of size 0 or whose extended attributes say
 * "ignore" are left out.  At most @max entries are written, the lowest ones.
 *
 * Returns their number; adds BOOT_QUIRK_MAP_OVERLAP and BOOT_QUIRK_MAP_CUT to *@quirks.
 */
size_t e820_clean(const struct boot_mem *raw, size_t n, struct boot_mem *out, size_t max,
		  uint32_t *quirks);
