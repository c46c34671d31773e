/*
 * image.h - where the linker put the parts of the kernel image (linker.ld).  Page-aligned.
 */
#pragma once
#include <lib/base.h>

extern uint8_t kernel_image_start[], kernel_image_end[];
extern uint8_t kernel_text_start[], kernel_text_end[];
extern uint8_t kernel_init_text_start[], kernel_init_text_end[]; /* kern/init.h */
extern uint8_t kernel_init_data_start[], kernel_init_data_end[];
extern uint8_t kernel_rodata_start[], kernel_rodata_end[];
extern uint8_t kernel_data_start[], kernel_data_end[]; /* with BSS */
extern uint8_t kernel_bss_start[], kernel_bss_end[];
extern uint8_t kernel_ksyms_start[], kernel_ksyms_end[];

/* The page behind the last exception stack (gdt.c). */
extern uint8_t ist_guard_above[];

/* Page tables of the 32-bit entry (kernel/x86/entry32.asm), in BSS. */
extern uint8_t entry_tables[], entry_tables_end[];
