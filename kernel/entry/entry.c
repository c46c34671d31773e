/*
 * entry.c - from the 32-bit entry to a complete struct boot_info.
 *
 * Runs on the tables of entry32.asm, with physical memory below 4 GiB mapped 1:1, before anything
 * of the kernel has started.  docs/entry.md.
 */
#include <lib/string.h>
#include <mm/image.h>
#include <mm/pmm.h>
#include <x86/cpu.h>
#include "adapter.h"

#define BDA_MODE  0x449 /* the BIOS's video mode */
#define MODE_TEXT 3	/* 80 x 25, colour */
#define NR_TRACE  2

static struct boot_trace_entry trace[NR_TRACE];

static struct boot_trace_entry *
trace_add(struct boot_info *info, const char *name)
{
	struct boot_trace_entry *e = &trace[info->trace_count++];

	(void)strlcpy(e->name, name, sizeof(e->name));
	e->a20 = 1; /* all the protocols have it on, and the kernel was read above 1 MiB */
	e->valid =
		BOOT_TRACE_TSC | BOOT_TRACE_CR0 | BOOT_TRACE_CR4 | BOOT_TRACE_EFER | BOOT_TRACE_A20;
	return e;
}

/* All before is the other loader's, and unknown. */
static void
fill_trace(struct boot_info *info, const struct entry_state *state)
{
	struct boot_trace_entry *e = trace_add(info, "32-bit entry");

	e->tsc = state->tsc;
	e->ip = state->eip;
	e->sp = state->esp;
	e->cs = (uint16_t)state->cs;
	e->rflags = state->eflags;
	e->cr0 = state->cr0;
	e->cr4 = state->cr4;
	e->bits = 32;
	e->valid &= ~(uint32_t)BOOT_TRACE_EFER; /* not looked at there */

	e = trace_add(info, "long mode");
	e->tsc = rdtsc();
	e->ip = (uint64_t)__builtin_return_address(0);
	e->sp = (uint64_t)__builtin_frame_address(0);
	e->cs = read_cs();
	e->rflags = read_rflags();
	e->cr0 = (uint32_t)read_cr0();
	e->cr3 = read_cr3();
	e->cr4 = (uint32_t)read_cr4();
	e->efer = rdmsr(MSR_EFER);
	e->bits = 64;
}

static const char *
read_foreign(const struct entry_state *state)
{
	switch (state->magic) {
	case MULTIBOOT1_MAGIC: multiboot1_read(state->info); return "the Multiboot 1 loader";
	case MULTIBOOT2_MAGIC: multiboot2_read(state->info); return "the Multiboot 2 loader";
	case PVH_MAGIC: pvh_read(state->info); return "the PVH loader";
	default:
		panic("entered at the 32-bit entry by an unknown protocol: EAX = %#x, EBX = %#x",
		      state->magic, state->info);
	}
}

paddr_t
entry_adapt(const struct entry_state *state)
{
	struct boot_info *info =
		adapter_start(virt_to_phys(kernel_image_start), virt_to_phys(kernel_image_end));

	info->tables_start = virt_to_phys(entry_tables);
	info->tables_end = virt_to_phys(entry_tables_end);
	info->trace = virt_to_phys(trace);
	if (*(const uint8_t *)BDA_MODE == MODE_TEXT) /* a loader that says otherwise knows better */
		info->display = BOOT_DISPLAY_TEXT;
	fill_trace(info, state);
	adapter_finish(read_foreign(state));
	return virt_to_phys(info);
}
