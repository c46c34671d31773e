/*
 * adapter.h - what the readers of foreign boot information call: it collects a struct boot_info.
 *
 * Everything that a loader says is checked before it is used; what cannot be used is reported in
 * the log, noted in boot_info.quirks, and the boot goes on.
 */
#pragma once
#include <boot/boot_info.h>
#include <boot/foreign.h>
#include <kern/base.h>

/*
 * Begin anew; [@kernel_start, @kernel_end) is the image in memory.  What is returned is completed
 * by the calls below and, where they leave fields, by the caller.
 */
struct boot_info *adapter_start(uint64_t kernel_start, uint64_t kernel_end);
/*
 * After the last piece: clean the map, check the initrd, sum up.  @who is for messages.  Panics if
 * nothing is known of the memory.
 */
void adapter_finish(const char *who);

/*
 * Memory that a loader points at: @size bytes at physical @pa, or NULL if that is nowhere or not
 * below 4 GiB, which is what the tables of entry32.asm show.
 */
const void *adapter_at(uint64_t pa, uint64_t size);

/* Which loader: BOOT_SOURCE_*, and its name (0 = none). */
void adapter_source(uint32_t source, uint64_t name);
/* A range of the memory map as the loader has it; @type as E820's. */
void adapter_memory(uint64_t start, uint64_t size, uint32_t type);
/* KiB from 0 and from 1 MiB: all that some know.  Used only if no map came. */
void adapter_sizes(uint32_t lower_kib, uint32_t upper_kib);
/* A string that ends in NUL; 0 = none. */
void adapter_cmdline(uint64_t text);
/* The first module is the initrd. */
void adapter_module(uint64_t start, uint64_t end);
/* Where the RSDP is, or, with adapter_rsdp_copy(), what it says. */
void adapter_rsdp(uint64_t pa);
void adapter_rsdp_copy(const void *rsdp, size_t size);

struct adapter_screen {
	uint64_t base;
	uint32_t width, height, pitch;
	uint8_t bpp, type; /* MB_FB_* */
};
void adapter_screen(const struct adapter_screen *screen);

/* --- the readers --- */

void multiboot1_read(uint64_t pa);
void multiboot2_read(uint64_t pa);
void pvh_read(uint64_t pa);

/*
 * From what the 32-bit entry found to a complete boot info; its physical address.  Called by
 * entry32.asm before kernel_main().  Panics only when nothing is known of the memory.
 */
paddr_t entry_adapt(const struct entry_state *state);
