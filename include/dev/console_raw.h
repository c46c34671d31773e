/*
 * console_raw.h - output that depends on nothing but two ports and the screen's mapping.
 *
 * Implementation: drivers/console_raw.c.  For drivers/console.c, while a panic is reported whose
 * output failed.  Context: interrupts off.
 */
#pragma once
#include <kern/base.h>

/* Clear the screen, forget all state. */
void console_raw_init(void);
void console_raw_write(const char *s, size_t n, bool screen, bool serial);
