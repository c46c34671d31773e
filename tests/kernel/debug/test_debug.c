/*
 * test_debug.c - DEBUG=1: a smashed stack is noticed, and each kind of undefined behaviour.
 *
 * Operands are volatile, so that the compiler cannot see what will happen.
 */
#include "../tests.h"
#include <kern/debug.h>
#include <kern/selftest.h>
#include <lib/printf.h>
#include <lib/string.h>

#pragma GCC diagnostic ignored "-Wvla"

static volatile int zero, minus_one = -1, three = 3, forty = 40, least = INT32_MIN,
			  most = INT32_MAX;
static volatile size_t overrun = 32;
static volatile int sink;
static volatile uint8_t two = 2;
static int table[4];
static int *volatile nowhere;
static volatile uintptr_t odd = 1;

__attribute__((noinline)) static void
smash(void *arg)
{
	char buffer[16];

	(void)arg;
	memset(buffer, 0x41, overrun); /* over the guard, but not over the caller's frame */
	sink = buffer[three];
}

void
test_debug_stack_smash(void)
{
	CHECK((__stack_chk_guard & 0xff) == 0 && __stack_chk_guard != 0x8f3a61d27be4c500);
	CHECK_EQ(selftest_catch(smash, NULL), SELFTEST_PANIC);
	CHECK(strstr(selftest_panic_text(), "stack smashed in smash()") != NULL);
}

/* --- undefined behaviour --------------------------------------------------------------------- */

static void
add(void *arg)
{
	sink = most + three;
}

static void
subtract(void *arg)
{
	sink = least - three;
}

static void
multiply(void *arg)
{
	sink = most * three;
}

static void
negate(void *arg)
{
	sink = -least;
}

static void
divide(void *arg)
{
	sink = three / zero;
}

static void
divide_least(void *arg)
{
	sink = least / minus_one;
}

static void
shift(void *arg)
{
	sink = three << forty;
}

static void
shift_back(void *arg)
{
	sink = three >> minus_one;
}

static void
index_high(void *arg)
{
	sink = table[forty];
}

static void
load_null(void *arg)
{
	sink = *nowhere;
}

static void
load_odd(void *arg)
{
	sink = *(const int *)((uintptr_t)table + odd);
}

static void
move_around(void *arg)
{
	char *p = (char *)table;

	sink = (int)(uintptr_t)(p + (SIZE_MAX / 2 + 1 + odd));
	sink = (int)(uintptr_t)(p + (SIZE_MAX / 2 - odd));
}

static void
load_bool(void *arg)
{
	bool b;

	memcpy(&b, (const void *)&two, sizeof(b));
	sink = *(volatile bool *)&b;
}

static void
array_length(void *arg)
{
	int array[minus_one];

	array[0] = three;
	sink = array[0];
}

__attribute__((noinline, nonnull)) static void
wants_pointer(int *p)
{
	sink = p == table;
}

static void
null_argument(void *arg)
{
	wants_pointer(nowhere);
}

__attribute__((noinline, returns_nonnull)) static int *
gives_pointer(void)
{
	return nowhere;
}

static void
null_return(void *arg)
{
	sink = gives_pointer() == table;
}

static void
count_zeros(void *arg)
{
	sink = __builtin_ctz((unsigned)zero);
}

static void
unreachable(void *arg)
{
	if (three == 3)
		__builtin_unreachable();
	sink = 1;
}

void
test_debug_undefined(void)
{
	static const struct {
		void (*fn)(void *arg);
		const char *text;
	} kinds[] = {
		{add, "2147483647 + 3 does not fit into 'int'"},
		{subtract, "-2147483648 - 3 does not fit into 'int'"},
		{multiply, "2147483647 * 3 does not fit into 'int'"},
		{negate, "-(-2147483648) does not fit into 'int'"},
		{divide, "3 divided by zero"},
		{divide_least, "-2147483648 / -1 does not fit"},
		{shift, "3 shifted by 40, of type 'int'"},
		{shift_back, "3 shifted by -1, of type 'int'"},
		{index_high, "index 40 is outside 'int"},
		{load_null, "'int' by a null pointer"},
		{load_odd, ", not aligned to 4"},
		{move_around, "around the end"},
		{load_bool, "2 is no value of '"},
		{array_length, "array of -1 elements"},
		{null_argument, "argument 1 is null"},
		{null_return, "null returned"},
		{count_zeros, "zeros of 0"},
		{unreachable, "cannot be reached"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *text;

		CHECK_EQ(selftest_catch(kinds[i].fn, NULL), SELFTEST_PANIC);
		text = selftest_panic_text();
		if (strstr(text, kinds[i].text) == NULL ||
		    strstr(text, "undefined behaviour: ") != text ||
		    strstr(text, "tests/kernel/debug/test_debug.c:") == NULL)
			selftest_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", text,
				      kinds[i].text);
	}
}
