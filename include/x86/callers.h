/*
 * callers.h - who called: return addresses of the running code, for notes that are kept.
 *
 * Implementation: kernel/x86/callers.c.  Context: any.  Reads the running stack only, takes no lock.
 */
#pragma once
#include <lib/base.h>

/*
 * The return addresses from the innermost on, at most @max, into @out; returns how many.  The chain
 * begins with @first, a __builtin_return_address(0): what that function called is left out.
 */
unsigned callers_collect(const void *first, uint64_t *out, unsigned max);
