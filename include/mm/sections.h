/*
 * sections.h - where linker.ld put the kernel's sections.  Only the addresses mean something.
 */
#pragma once
#include <lib/base.h>

extern uint8_t kernel_image_start[], kernel_image_end[];
extern uint8_t kernel_text_start[], kernel_text_end[];
extern uint8_t kernel_rodata_start[], kernel_rodata_end[];
extern uint8_t kernel_data_start[], kernel_data_end[];
extern uint8_t kernel_bss_start[], kernel_bss_end[];
extern uint8_t kernel_ksyms_start[], kernel_ksyms_end[];
extern uint8_t kernel_extable_start[], kernel_extable_end[];
extern uint8_t kernel_smap_sites_start[], kernel_smap_sites_end[];
