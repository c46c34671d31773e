/*
 * multiboot1.c - reads what a Multiboot 1 loader (GRUB's `multiboot`, QEMU's -kernel) leaves.
 *
 * It knows no RSDP: drivers/acpi.c searches for it.
 * Spec: Multiboot Specification 0.6.96, "Boot information format".
 */
#include <lib/string.h>
#include "adapter.h"

/* Entries say their own size, and it does not count the field that says it. */
static void
read_map(const struct multiboot1_info *mb)
{
	const size_t entry_min = sizeof(struct multiboot1_map_entry);
	const uint8_t *at = adapter_at(mb->mmap_addr, mb->mmap_length);
	uint32_t left = mb->mmap_length;

	if (at == NULL)
		log_warn("entry: memory map at %#x (%u bytes) cannot be read", mb->mmap_addr, left);
	while (at != NULL && left >= entry_min) {
		struct multiboot1_map_entry e;
		size_t step;

		memcpy(&e, at, sizeof(e));
		step = (size_t)e.size + sizeof(e.size);
		if (step < entry_min || step > left) {
			log_warn("entry: memory map ends early: an entry says %u bytes", e.size);
			return;
		}
		adapter_memory(e.start, e.length, e.type);
		at += step;
		left -= (uint32_t)step;
	}
}

static void
read_modules(const struct multiboot1_info *mb)
{
	const struct multiboot1_module *m =
		adapter_at(mb->mods_addr, (uint64_t)mb->mods_count * sizeof(*m));

	if (m == NULL && mb->mods_count != 0)
		log_warn("entry: list of %u modules at %#x cannot be read", mb->mods_count,
			 mb->mods_addr);
	for (uint32_t i = 0; m != NULL && i < mb->mods_count; i++)
		adapter_module(m[i].start, m[i].end);
}

/* QEMU puts the kernel's file name before the command line, GRUB does not. */
static uint32_t
cmdline_of(const struct multiboot1_info *mb)
{
	const char *name = mb->flags & MB1_LOADER_NAME ? adapter_at(mb->loader_name, 5) : NULL;
	uint32_t at = mb->cmdline;
	const char *c;

	if (name == NULL || memcmp(name, "qemu", 5) != 0)
		return at;
	while ((c = adapter_at(at, 1)) != NULL && *c != '\0' && *c != ' ')
		at++;
	return c != NULL && *c == ' ' ? at + 1 : at;
}

static void
read_screen(const struct multiboot1_info *mb)
{
	const struct adapter_screen screen = {
		mb->fb_addr, mb->fb_width, mb->fb_height, mb->fb_pitch, mb->fb_bpp, mb->fb_type,
	};

	adapter_screen(&screen);
}

void
multiboot1_read(uint64_t pa)
{
	const struct multiboot1_info *mb = adapter_at(pa, sizeof(*mb));

	adapter_source(BOOT_SOURCE_MULTIBOOT, 0);
	if (mb == NULL) {
		log_err("entry: Multiboot information at %#lx cannot be read", pa);
		return;
	}
	if (mb->flags & MB1_LOADER_NAME)
		adapter_source(BOOT_SOURCE_MULTIBOOT, mb->loader_name);
	if (mb->flags & MB1_MEMORY)
		adapter_sizes(mb->mem_lower, mb->mem_upper);
	if (mb->flags & MB1_MAP)
		read_map(mb);
	if (mb->flags & MB1_CMDLINE)
		adapter_cmdline(cmdline_of(mb));
	if (mb->flags & MB1_MODULES)
		read_modules(mb);
	if (mb->flags & MB1_FRAMEBUFFER)
		read_screen(mb);
}
