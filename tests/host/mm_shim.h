/*
 * mm_shim.h - what mm/'s sources need around them on the host: panics that a test can expect, locks
 * that only complain, a log that says nothing.  Include it in one file per program.
 */
#pragma once
#include "host.h"
#include <kern/base.h>
#include <kern/spinlock.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <time.h>
#include <unistd.h>

static jmp_buf shim_expecting;
static bool shim_expected;
static char shim_panic_text[256];

void
panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(shim_panic_text, sizeof(shim_panic_text), fmt, ap);
	va_end(ap);
	if (shim_expected)
		longjmp(shim_expecting, 1);
	fprintf(stderr, "panic: %s\n", shim_panic_text);
	abort();
}

void
assert_failed(const char *expr, const char *file, int line, const char *func)
{
	panic("assertion failed: %s, %s:%d, %s()", expr, file, line, func);
}

void
klog(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

bool
panic_in_progress(void)
{
	return false;
}

void
spin_not_held(const struct spinlock *l)
{
	panic("lock %s is not held", l->name);
}

/* @stmt must panic with a message that contains @text. */
#define EXPECT_PANIC(stmt, text)                                                      \
	do {                                                                          \
		shim_expected = true;                                                 \
		if (setjmp(shim_expecting) == 0) {                                    \
			stmt;                                                         \
			shim_expected = false;                                        \
			fail_msg("no panic: %s", #stmt);                              \
		}                                                                     \
		shim_expected = false;                                                \
		if (strstr(shim_panic_text, text) == NULL)                            \
			fail_msg("panic \"%s\" lacks \"%s\"", shim_panic_text, text); \
	} while (0)

static uint64_t shim_random_state;

/*
 * The seed: MINOS_SEED if it is set, else from the clock; printed, so that a failure can be had
 * again.
 */
static inline void
shim_seed(void)
{
	const char *s = getenv("MINOS_SEED");

	shim_random_state = s != NULL ? strtoull(s, NULL, 0)
				      : (uint64_t)time(NULL) * 1000003 + (uint64_t)getpid();
	print_message("seed: MINOS_SEED=%llu\n", (unsigned long long)shim_random_state);
}

/* xorshift64*; never 0 inside. */
static inline uint64_t
shim_random(uint64_t below)
{
	uint64_t x = shim_random_state | 1ULL << 63;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	shim_random_state = x;
	return (x * 0x2545f4914f6cdd1dULL >> 11) % below;
}
