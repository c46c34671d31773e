/*
 * printf.h - formatted output into a buffer or through a callback.  Pure; any context.
 *
 * %d %i %u %x %X %o %c %s %p %% with flags "-0+ #", width and precision (also *), and the length
 * modifiers hh h l ll z t j.  %s of NULL prints "(null)".  No floating point.
 */
#pragma once
#include <stdarg.h>
#include <lib/base.h>

/* Receives the output in pieces; @arg is what was handed to vfmt(). */
typedef void (*fmt_sink_t)(void *arg, const char *s, size_t n);

/* Format into @sink.  Returns the number of bytes produced. */
int vfmt(fmt_sink_t sink, void *arg, const char *fmt, va_list ap) PRINTF(3, 0);

/* As ISO C: the result is always NUL-terminated if @size > 0; returns the untruncated length. */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap) PRINTF(3, 0);
int snprintf(char *buf, size_t size, const char *fmt, ...) PRINTF(3, 4);
