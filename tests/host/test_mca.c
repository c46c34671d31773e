/*
 * test_mca.c - machine-check codes in words: one of each kind that the manual defines, and none that
 * overflows or reads beyond a table.
 *
 * SOURCES: kernel/x86/mca_decode.c kernel/lib/string.c kernel/lib/printf.c
 */
#include "host.h"
#include <lib/string.h>
#include <x86/mca.h>

static void
expect(uint64_t status, const char *expected)
{
	char text[MCA_TEXT_MAX];

	(void)mca_describe(status, text, sizeof(text));
	assert_string_equal(text, expected);
}

/* Spec: Intel SDM vol. 3B, "Simple Error Codes", "Compound Error Codes". */
static void
test_codes(void **state)
{
	(void)state;
	expect(MC_STATUS_VAL | 0, "corrected, no error");
	expect(MC_STATUS_VAL | 5, "corrected, internal parity");
	expect(0x0400, "corrected, internal timer");
	expect(0x0e0b, "corrected, I/O error");
	expect(0x0412, "corrected, internal unclassified");
	expect(0x000e, "corrected, cache, level 2");
	expect(0x0016, "corrected, data TLB, level 2");
	expect(0x0135, "corrected, data cache: data read, level 1");
	expect(0x0152, "corrected, instruction cache: instruction fetch, level 2");
	expect(0x0093, "corrected, memory controller: read, channel 3");
	expect(0x00cf, "corrected, memory controller: scrub");
	expect(0x0800, "corrected, bus: own request, error, memory, level 0");
	expect(0x0f1b, "corrected, bus: generic, read, I/O, any level, timed out");
	expect(0x1135, "corrected, data cache: data read, level 1"); /* F, bit 12, is no kind */
	expect(0x2000, "corrected, unknown code");
}

static void
test_flags(void **state)
{
	(void)state;
	expect(MC_STATUS_UC | 1, "uncorrected, unclassified");
	expect(MC_STATUS_UC | MC_STATUS_PCC | MC_STATUS_OVER | 1,
	       "uncorrected, processor context corrupt, others lost, unclassified");
}

static void
test_every_code(void **state)
{
	(void)state;
	for (uint64_t code = 0; code <= 0xffff; code++) {
		char text[MCA_TEXT_MAX];
		const int n = mca_describe(MC_STATUS_UC | MC_STATUS_PCC | MC_STATUS_OVER | code,
					   text, sizeof(text));

		assert_in_range(n, 20, sizeof(text) - 1);
		assert_null(strchr(text, '%'));
	}
}

static void
test_global(void **state)
{
	char text[80];

	(void)state;
	(void)mca_describe_global(MCG_STATUS_MCIP, text, sizeof(text));
	assert_string_equal(text, "not restartable, rip has nothing to do with it");
	(void)mca_describe_global(MCG_STATUS_RIPV | MCG_STATUS_EIPV, text, sizeof(text));
	assert_string_equal(text, "restartable, rip is where it happened");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_every_code),
		cmocka_unit_test(test_global),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
