/*
 * pvh.c - reads what a PVH loader (Xen, and virtual machine monitors that took it over) leaves.
 *
 * Spec: Xen, "x86/HVM direct boot ABI", struct hvm_start_info.
 */
#include "adapter.h"

static void
read_map(const struct pvh_start_info *pvh)
{
	const struct pvh_map_entry *e =
		adapter_at(pvh->map, (uint64_t)pvh->map_entries * sizeof(*e));

	if (e == NULL)
		log_warn("entry: memory map at %#lx (%u entries) cannot be read", pvh->map,
			 pvh->map_entries);
	for (uint32_t i = 0; e != NULL && i < pvh->map_entries; i++)
		adapter_memory(e[i].start, e[i].size, e[i].type);
}

static void
read_modules(const struct pvh_start_info *pvh)
{
	const struct pvh_module *m =
		adapter_at(pvh->modules, (uint64_t)pvh->nr_modules * sizeof(*m));

	if (m == NULL && pvh->nr_modules != 0)
		log_warn("entry: list of %u modules at %#lx cannot be read", pvh->nr_modules,
			 pvh->modules);
	for (uint32_t i = 0; m != NULL && i < pvh->nr_modules; i++)
		adapter_module(m[i].start, m[i].start + m[i].size);
}

void
pvh_read(uint64_t pa)
{
	const struct pvh_start_info *pvh = adapter_at(pa, sizeof(*pvh));

	adapter_source(BOOT_SOURCE_PVH, 0);
	if (pvh == NULL || pvh->magic != PVH_MAGIC) {
		log_err("entry: PVH start info at %#lx cannot be read", pa);
		return;
	}
	if (pvh->version >= 1)
		read_map(pvh);
	adapter_cmdline(pvh->cmdline);
	read_modules(pvh);
	adapter_rsdp(pvh->rsdp);
}
