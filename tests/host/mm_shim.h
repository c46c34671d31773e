/*
 * mm_shim.h - what mm/'s sources need around them on the host: panics that a test can expect, locks
 * that only complain, a log that says nothing.  Include it in one file per program.
 */
#pragma once
#include "host.h"
#include <kern/base.h>
#include <kern/clock.h>
#include <kern/ksym.h>
#include <kern/spinlock.h>
#include <kern/watchdog.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/fail.h>
#include <time.h>
#include <unistd.h>
#include <x86/callers.h>

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

/* Nothing fails on purpose here, and only the innermost caller is known. */
bool fail_armed;

bool
fail_check(enum fail_kind kind)
{
	(void)kind;
	return false;
}

unsigned
callers_collect(const void *first, uint64_t *out, unsigned max)
{
	(void)max;
	out[0] = (uint64_t)first;
	return 1;
}

const char *
ksym_lookup(uint64_t addr, uint64_t *offset)
{
	(void)addr;
	*offset = 0;
	return "somebody";
}

void
spin_not_held(const struct spinlock *l)
{
	panic("lock %s is not held", l->name);
}

/* One thread: a lock that is taken was taken by itself. */
void
lock_contended_host(struct ticket_lock *l, uint16_t ticket)
{
	(void)l;
	(void)ticket;
	panic("a lock is taken twice");
}

/* For kernel/lock_order.c. */
struct ksym_text
ksym_text(uint64_t addr)
{
	struct ksym_text t;

	snprintf(t.s, sizeof(t.s), "%#lx", addr);
	return t;
}

uint64_t
clock_cycles_to_ns(uint64_t cycles)
{
	(void)cycles;
	return 0;
}

void
watchdog_spinlock(const char *name, uint64_t site, uint64_t ns)
{
	(void)name;
	(void)site;
	(void)ns;
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
