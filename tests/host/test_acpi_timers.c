/*
 * test_acpi_timers.c - what the FADT and the HPET table say of timers: right, damaged, nonsense, random.
 *
 * SOURCES: drivers/acpi_timers.c drivers/acpi_parse.c kernel/lib/string.c
 *
 * SEED=n repeats a run.
 */
#include "host.h"
#include <dev/acpi.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <time.h>

#define FADT_SIZE 276
#define HPET_SIZE 56

static void
put(uint8_t *buf, size_t at, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		buf[at + i] = (uint8_t)(v >> 8 * i);
}

static void
put_gas(uint8_t *buf, size_t at, uint8_t space, uint64_t address)
{
	buf[at] = space;
	put(buf, at + 4, address, 8);
}

static void
finish(uint8_t *buf, size_t n, const char *signature)
{
	memcpy(buf, signature, 4);
	put(buf, 4, n, 4);
	buf[9] = 0;
	buf[9] = (uint8_t)-acpi_sum(buf, n);
}

static void
make_fadt(uint8_t *t)
{
	memset(t, 0, FADT_SIZE);
	put(t, 40, 0x7fe0000, 4); /* DSDT */
	put(t, 76, 0x608, 4);
	t[91] = 4;
	finish(t, FADT_SIZE, "FACP");
}

/* As QEMU's q35 has it. */
static void
make_hpet(uint8_t *t)
{
	memset(t, 0, HPET_SIZE);
	put(t, 36, 0x8086a201, 4);
	put_gas(t, 40, ACPI_SPACE_MEMORY, 0xfed00000);
	finish(t, HPET_SIZE, "HPET");
}

static struct acpi_fadt
fadt(const uint8_t *t, size_t n)
{
	struct acpi_fadt f;

	assert_int_equal(acpi_parse_fadt(t, n, &f), 0);
	return f;
}

static void
pm_timer(void **state)
{
	uint8_t t[FADT_SIZE];
	struct acpi_fadt f;

	make_fadt(t);
	f = fadt(t, 116); /* revision 1 ends here */
	assert_int_equal(f.pm_timer.address, 0x608);
	assert_int_equal(f.pm_timer.space, ACPI_SPACE_IO);
	assert_int_equal(f.pm_timer_bits, 24);
	put(t, 112, 1 << 8, 4); /* TMR_VAL_EXT */
	assert_int_equal(fadt(t, sizeof(t)).pm_timer_bits, 32);
	put_gas(t, 208, ACPI_SPACE_IO, 0xb008); /* the newer field counts if it is set */
	assert_int_equal(fadt(t, sizeof(t)).pm_timer.address, 0xb008);
	assert_int_equal(fadt(t, 219).pm_timer.address, 0x608); /* but not if it is cut off */
	put_gas(t, 208, ACPI_SPACE_MEMORY, 0xfed10000);
	f = fadt(t, sizeof(t));
	assert_int_equal(f.pm_timer.space, ACPI_SPACE_MEMORY);
	assert_int_equal(f.pm_timer.address, 0xfed10000);
}

static void
pm_timer_nonsense(void **state)
{
	uint8_t t[FADT_SIZE];

	make_fadt(t);
	t[91] = 3; /* not four bytes long */
	assert_int_equal(fadt(t, sizeof(t)).pm_timer.address, 0);
	make_fadt(t);
	put(t, 76, 0x10608, 4); /* no such port */
	assert_int_equal(fadt(t, sizeof(t)).pm_timer.address, 0);
	put(t, 76, 0x609, 4); /* unaligned */
	assert_int_equal(fadt(t, sizeof(t)).pm_timer.address, 0);
	put(t, 76, 0, 4);
	assert_int_equal(fadt(t, sizeof(t)).pm_timer.address, 0);
	make_fadt(t);
	put_gas(t, 208, 77, 0xb008); /* a space that does not exist: the old field */
	assert_int_equal(fadt(t, sizeof(t)).pm_timer.address, 0x608);
	put_gas(t, 208, ACPI_SPACE_IO, 0x1b008);
	assert_int_equal(fadt(t, sizeof(t)).pm_timer.address, 0);
	put_gas(t, 208, ACPI_SPACE_MEMORY, UINT64_MAX - 3); /* ends beyond memory */
	assert_int_equal(fadt(t, sizeof(t)).pm_timer.address, 0);
	make_fadt(t);
	put(t, 112, 1 << 20, 4); /* hardware-reduced ACPI has none */
	assert_int_equal(fadt(t, sizeof(t)).pm_timer.address, 0);
}

static void
hpet(void **state)
{
	uint8_t t[HPET_SIZE + 8] = {0};
	struct acpi_hpet h;

	make_hpet(t);
	assert_true(acpi_table_valid(t, HPET_SIZE, "HPET"));
	assert_int_equal(acpi_parse_hpet(t, HPET_SIZE, &h), 0);
	assert_int_equal(h.address, 0xfed00000);
	assert_int_equal(h.comparators, 3);
	assert_true(h.is_64_bits);
	assert_true(h.can_replace);
	assert_int_equal(h.number, 0);
	put(t, 36, 0x80860001, 4);
	put(t, 53, 1000, 2);
	t[52] = 3;
	assert_int_equal(acpi_parse_hpet(t, sizeof(t), &h),
			 0); /* a longer table of a later revision */
	assert_int_equal(h.comparators, 1);
	assert_false(h.is_64_bits);
	assert_false(h.can_replace);
	assert_int_equal(h.number, 3);
	assert_int_equal(h.min_ticks, 1000);
}

static void
hpet_nonsense(void **state)
{
	static const uint64_t addresses[] = {0, 0xfed00004, 0xfed00001, UINT64_MAX - 7};
	uint8_t t[HPET_SIZE];
	struct acpi_hpet h;

	for (size_t n = 0; n < HPET_SIZE; n++) {
		uint8_t *cut = malloc(n + 1); /* exact: ASan sees a byte too far */

		make_hpet(t);
		memcpy(cut, t, n);
		assert_int_equal(acpi_parse_hpet(cut, n, &h), -EINVAL);
		free(cut);
	}
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		make_hpet(t);
		put_gas(t, 40, ACPI_SPACE_MEMORY, addresses[i]);
		assert_int_equal(acpi_parse_hpet(t, HPET_SIZE, &h), -EINVAL);
	}
	for (unsigned space = 1; space < 256; space++) {
		make_hpet(t);
		t[40] = (uint8_t)space;
		assert_int_equal(acpi_parse_hpet(t, HPET_SIZE, &h), -EINVAL);
	}
}

/* One bit wrong, anywhere: the checksum (or the signature, or the length) tells. */
static void
every_bit(void **state)
{
	uint8_t t[HPET_SIZE];

	for (unsigned bit = 0; bit < HPET_SIZE * 8; bit++) {
		make_hpet(t);
		t[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(acpi_table_valid(t, HPET_SIZE, "HPET"));
	}
}

/* Whatever the bytes: no access beyond them, and what comes out can be used. */
static void
random_tables(void **unused)
{
	const char *given = getenv("SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	print_message("SEED=%llu\n", (unsigned long long)seed);
	for (unsigned round = 0; round < 50000; round++) {
		const size_t n = round % 300;
		uint8_t *t = malloc(n + 1);
		struct acpi_hpet h;
		struct acpi_fadt f = {0};

		for (size_t i = 0; i < n; i++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			t[i] = (uint8_t)(round % 3 == 0 ? seed >> 40 : seed >> 62);
		}
		if (acpi_parse_hpet(t, n, &h) == 0) {
			assert_true(n >= HPET_SIZE && h.address != 0 && h.address % 8 == 0);
			assert_in_range(h.comparators, 1, 32);
		}
		acpi_parse_pm_timer(t, n, &f);
		if (f.pm_timer.address != 0) {
			assert_true(f.pm_timer.space == ACPI_SPACE_MEMORY ||
				    f.pm_timer.address <= UINT16_MAX);
			assert_true(f.pm_timer.address % 4 == 0);
			assert_true(f.pm_timer_bits == 24 || f.pm_timer_bits == 32);
		}
		free(t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pm_timer),  cmocka_unit_test(pm_timer_nonsense),
		cmocka_unit_test(hpet),	     cmocka_unit_test(hpet_nonsense),
		cmocka_unit_test(every_bit), cmocka_unit_test(random_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
