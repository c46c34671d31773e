/*
 * multiboot2.c - reads what a Multiboot 2 loader (GRUB's `multiboot2`) leaves: a list of tags.
 *
 * Spec: Multiboot2 Specification 2.0, "Boot information format".
 */
#include "adapter.h"

#define TAG_ALIGN 8

/* Strings stand in the tag, behind its header, and so end in it or are cut. */
#define STRING_AT(tag) ((uint64_t)(tag) + sizeof(struct multiboot2_tag))

static void
read_map(const struct multiboot2_map *map)
{
	const uint8_t *at = (const uint8_t *)(map + 1);
	const uint8_t *end = (const uint8_t *)map + map->tag.size;

	if (map->entry_size < sizeof(struct multiboot2_map_entry)) {
		log_warn("entry: memory map with entries of %u bytes ignored", map->entry_size);
		return;
	}
	for (; (size_t)(end - at) >= map->entry_size; at += map->entry_size) {
		const struct multiboot2_map_entry *e = (const struct multiboot2_map_entry *)at;

		adapter_memory(e->start, e->length, e->type);
	}
}

static void
read_screen(const struct multiboot2_framebuffer *fb)
{
	const struct adapter_screen screen = {
		fb->addr, fb->width, fb->height, fb->pitch, fb->bpp, fb->fb_type,
	};

	adapter_screen(&screen);
}

/* Bytes that the tag of this type has at least; 0: it is of no interest. */
static size_t
least_size(uint32_t type)
{
	switch (type) {
	case MB2_CMDLINE:
	case MB2_LOADER_NAME: return sizeof(struct multiboot2_tag) + 1;
	case MB2_MODULE: return sizeof(struct multiboot2_module);
	case MB2_MEMORY: return sizeof(struct multiboot2_memory);
	case MB2_MAP: return sizeof(struct multiboot2_map);
	case MB2_FRAMEBUFFER: return offsetof(struct multiboot2_framebuffer, reserved);
	case MB2_RSDP_OLD:
	case MB2_RSDP_NEW: return sizeof(struct multiboot2_tag) + 20;
	default: return 0;
	}
}

static void
read_tag(const struct multiboot2_tag *tag)
{
	const struct multiboot2_module *m = (const struct multiboot2_module *)tag;
	const struct multiboot2_memory *memory = (const struct multiboot2_memory *)tag;

	switch (tag->type) {
	case MB2_CMDLINE: adapter_cmdline(STRING_AT(tag)); break;
	case MB2_LOADER_NAME: adapter_source(BOOT_SOURCE_MULTIBOOT2, STRING_AT(tag)); break;
	case MB2_MODULE: adapter_module(m->start, m->end); break;
	case MB2_MEMORY: adapter_sizes(memory->lower, memory->upper); break;
	case MB2_MAP: read_map((const struct multiboot2_map *)tag); break;
	case MB2_FRAMEBUFFER: read_screen((const struct multiboot2_framebuffer *)tag); break;
	case MB2_RSDP_OLD: /* a newer one, if there is one, comes later */
	case MB2_RSDP_NEW: adapter_rsdp_copy(tag + 1, tag->size - sizeof(*tag)); break;
	default: break;
	}
}

void
multiboot2_read(uint64_t pa)
{
	const struct multiboot2_info *mb = adapter_at(pa, sizeof(*mb));
	uint64_t at = pa + sizeof(*mb), end;

	adapter_source(BOOT_SOURCE_MULTIBOOT2, 0);
	if (mb == NULL || adapter_at(pa, mb->total_size) == NULL) {
		log_err("entry: Multiboot 2 information at %#lx cannot be read", pa);
		return;
	}
	for (end = pa + mb->total_size; at + sizeof(struct multiboot2_tag) <= end;) {
		const struct multiboot2_tag *tag = (const struct multiboot2_tag *)at;
		const size_t least = least_size(tag->type);

		if (tag->type == MB2_END)
			return;
		if (tag->size < sizeof(*tag) || tag->size > end - at) {
			log_warn("entry: Multiboot 2 tag of type %u says %u bytes: the rest is "
				 "ignored",
				 tag->type, tag->size);
			return;
		}
		if (least != 0 && tag->size >= least)
			read_tag(tag);
		else if (least != 0)
			log_warn("entry: Multiboot 2 tag of type %u is too short", tag->type);
		at += ALIGN_UP((uint64_t)tag->size, TAG_ALIGN);
	}
}
