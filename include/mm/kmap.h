/*
 * kmap.h - how the kernel's mapping area is divided (mm/kmap.c, mm/kstack.c).
 */
#pragma once
#include <kern/base.h>

/* Thread stacks at the bottom: 8192 slots of 32 KiB. */
#define KSTACK_AREA_BASE KERNEL_MAP_BASE
#define KSTACK_AREA_SIZE MIB(256)
/* The rest is given out in ranges. */
#define KMAP_BASE	 (KSTACK_AREA_BASE + GIB(1))
#define KMAP_END	 (KERNEL_MAP_BASE + KERNEL_MAP_SIZE)

/* Is @va the start of a range from vmm_alloc()?  Its length, else 0. */
size_t kmap_length(const void *va);
