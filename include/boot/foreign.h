/*
 * foreign.h - what other boot loaders leave for the kernel: Multiboot 1, Multiboot 2, PVH.
 *
 * Layouts as in memory, read by kernel/entry/; the headers that the kernel shows to those loaders
 * are in kernel/x86/entry32.asm.  All of it, and docs/entry.md, follows these specifications:
 * Multiboot Specification 0.6.96; Multiboot2 Specification 2.0; Xen, "x86/HVM direct boot ABI".
 */
#pragma once
#include <lib/base.h>

/* EAX at the 32-bit entry; PVH has no such number, entry32.asm puts its structure's there. */
#define MULTIBOOT1_MAGIC 0x2badb002U
#define MULTIBOOT2_MAGIC 0x36d76289U
#define PVH_MAGIC	 0x336ec578U

/* The machine as the 32-bit entry found it (kernel/x86/entry32.asm). */
struct entry_state {
	uint64_t tsc;
	uint32_t magic; /* EAX */
	uint32_t info;	/* EBX: physical address */
	uint32_t esp, eflags, cr0, cr4;
	uint32_t cs, eip;
};

/* --- Multiboot 1: "Boot information format" --- */

/* multiboot1_info.flags: which fields are there. */
enum {
	MB1_MEMORY = 1 << 0,
	MB1_CMDLINE = 1 << 2,
	MB1_MODULES = 1 << 3,
	MB1_MAP = 1 << 6,
	MB1_LOADER_NAME = 1 << 9,
	MB1_FRAMEBUFFER = 1 << 12,
};

struct multiboot1_info {
	uint32_t flags;
	uint32_t mem_lower, mem_upper; /* KiB from 0, and from 1 MiB to the first hole */
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count, mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length, mmap_addr;
	uint32_t drives_length, drives_addr;
	uint32_t config_table;
	uint32_t loader_name;
	uint32_t apm_table;
	uint32_t vbe[4];
	uint64_t fb_addr;
	uint32_t fb_pitch, fb_width, fb_height;
	uint8_t fb_bpp, fb_type;
} PACKED;

struct multiboot1_module {
	uint32_t start, end, string, reserved;
};

struct multiboot1_map_entry {
	uint32_t size; /* of what follows: 20 or more */
	uint64_t start, length;
	uint32_t type; /* as E820's */
} PACKED;

/* fb_type of both versions. */
enum { MB_FB_INDEXED, MB_FB_RGB, MB_FB_TEXT };

/* --- Multiboot 2: "Boot information format" --- */

enum {
	MB2_END = 0,
	MB2_CMDLINE = 1,
	MB2_LOADER_NAME = 2,
	MB2_MODULE = 3,
	MB2_MEMORY = 4,
	MB2_MAP = 6,
	MB2_FRAMEBUFFER = 8,
	MB2_RSDP_OLD = 14,
	MB2_RSDP_NEW = 15,
};

struct multiboot2_info {
	uint32_t total_size; /* with this header; tags follow, each at a multiple of 8 */
	uint32_t reserved;
};

struct multiboot2_tag {
	uint32_t type, size; /* size with this header, without the gap to the next tag */
};

struct multiboot2_module {
	struct multiboot2_tag tag;
	uint32_t start, end;
};

struct multiboot2_memory {
	struct multiboot2_tag tag;
	uint32_t lower, upper; /* KiB, as in version 1 */
};

struct multiboot2_map {
	struct multiboot2_tag tag;
	uint32_t entry_size, entry_version;
};

struct multiboot2_map_entry {
	uint64_t start, length;
	uint32_t type, reserved;
};

struct multiboot2_framebuffer {
	struct multiboot2_tag tag;
	uint64_t addr;
	uint32_t pitch, width, height;
	uint8_t bpp, fb_type;
	uint16_t reserved;
};

/* --- PVH: struct hvm_start_info --- */

struct pvh_start_info {
	uint32_t magic, version;
	uint32_t flags, nr_modules;
	uint64_t modules, cmdline, rsdp;
	uint64_t map; /* from version 1 on, as the next two */
	uint32_t map_entries, reserved;
};

struct pvh_module {
	uint64_t start, size, cmdline, reserved;
};

struct pvh_map_entry {
	uint64_t start, size;
	uint32_t type, reserved; /* as E820's */
};

_Static_assert(offsetof(struct multiboot1_info, mmap_length) == 44, "as specified");
_Static_assert(offsetof(struct multiboot1_info, loader_name) == 64, "as specified");
_Static_assert(offsetof(struct multiboot1_info, fb_addr) == 88, "as specified");
_Static_assert(offsetof(struct multiboot1_info, fb_type) == 109, "as specified");
_Static_assert(sizeof(struct multiboot1_map_entry) == 24, "as specified");
_Static_assert(offsetof(struct multiboot2_framebuffer, fb_type) == 29, "as specified");
_Static_assert(offsetof(struct pvh_start_info, map) == 40, "as specified");
_Static_assert(sizeof(struct pvh_start_info) == 56, "as specified");
