/*
 * boot_trace.h - the boot info, kept, and the boot trace, continued by the kernel.
 */
#pragma once
#include <boot/boot_info.h>
#include <kern/base.h>

/* Check magic, version, size and CRC, and copy everything out of low memory.  0 or -EINVAL.  First thing the kernel does. */
int boot_info_init(paddr_t where) INIT;
const struct boot_info *boot_info(void);
const struct boot_mem *boot_raw_map(size_t *count);
const struct boot_mem *boot_map(size_t *count);

/* Record the machine's state now under @name with an init row's @result. */
void boot_trace_add(const char *name, int result);
const struct boot_trace_entry *boot_trace(size_t *count);
