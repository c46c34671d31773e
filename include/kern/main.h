/*
 * main.h - where the assembly entry hands over to C.
 */
#pragma once
#include <kern/base.h>

/*
 * Bring the kernel up and become its first thread.  @boot_info: physical address of struct
 * boot_info.  On entry: 64-bit mode on the loader's page tables, interrupts off, the boot stack.
 */
NORETURN void kernel_main(paddr_t boot_info);

/* Sleep until every init row has run.  Context: thread. */
void main_wait_started(void);
