/*
 * layout.h - the virtual address space.  Also read by the assembler and the linker script
 * (through generated constants), so: plain numbers only.  Drawing: docs/memory.md.
 */
#pragma once

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096UL

#define DIRECT_MAP_BASE	 0xffff800000000000UL /* all RAM, at phys + this */
#define DIRECT_MAP_SIZE	 0x0000400000000000UL /* 64 TiB */
#define KERNEL_MAP_BASE	 0xffffc00000000000UL /* thread stacks, MMIO, large buffers */
#define KERNEL_MAP_SIZE	 0x0000008000000000UL /* one PML4 entry: 512 GiB */
#define FRAME_TABLE_BASE 0xffffc08000000000UL /* four bytes for each frame of RAM (mm/frame.c) */
#define KERNEL_VMA	 0xffffffff80000000UL /* kernel image, at phys + this */
#define KERNEL_PHYS	 0x0000000000100000UL /* where the image starts in physical memory */
#define KSTACK_SIZE	 0x4000UL	      /* thread stack, without its guard page */

/* The log that outlives a reboot (kernel/log_keep.c): nobody else touches it. */
#define LOG_KEEP_PHYS 0x3f0000UL
#define LOG_KEEP_SIZE 0x10000UL

/*
 * VGA text memory is mapped here (uncached) by the loader's tables and by ours: usable from the
 * first line to the last panic.
 */
#define VGA_TEXT_PHYS 0xb8000UL
#define VGA_TEXT_SIZE 0x8000UL
#define VGA_TEXT_VA   (KERNEL_VMA + VGA_TEXT_PHYS)
