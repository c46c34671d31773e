/*
 * ksym_table.h - between kernel/ksym.c and the table that tools/mksyms.py writes.
 */
#pragma once
#include <lib/base.h>

#define KSYM_STRIDE  16 /* tools/mksyms.py knows it too, and the table checks that they agree */
#define KSYM_SECTION __attribute__((section(".ksyms")))

extern const uint32_t ksym_table_count;
extern const uint32_t ksym_offsets[];	 /* from KERNEL_VMA, ascending */
extern const uint32_t ksym_name_index[]; /* of every KSYM_STRIDE-th name, in ksym_names */
extern const char ksym_names[];		 /* NUL-terminated, in the order of the offsets */
