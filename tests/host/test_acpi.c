/*
 * test_acpi.c - ACPI tables: right ones, damaged ones, lies, random bytes.
 *
 * SOURCES: drivers/acpi_parse.c drivers/acpi_timers.c kernel/lib/string.c
 */
#include "host.h"
#include <dev/acpi.h>
#include <lib/errno.h>
#include <lib/string.h>

/* Make the bytes of [0, n) sum to 0 by the one at @at. */
static void
fix_sum(uint8_t *buf, size_t n, size_t at)
{
	buf[at] = 0;
	buf[at] = (uint8_t)-acpi_sum(buf, n);
}

static void
put(uint8_t *buf, size_t at, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		buf[at + i] = (uint8_t)(v >> 8 * i);
}

static void
make_rsdp(uint8_t *buf, uint8_t revision)
{
	memset(buf, 0, ACPI_RSDP_V2_SIZE);
	memcpy(buf, "RSD PTR ", 8);
	buf[15] = revision;
	put(buf, 16, 0x12340000, 4);
	put(buf, 20, ACPI_RSDP_V2_SIZE, 4);
	put(buf, 24, 0x1ffff0000, 8);
	fix_sum(buf, ACPI_RSDP_V1_SIZE, 8);
	fix_sum(buf, ACPI_RSDP_V2_SIZE, 32);
}

static void
rsdp(void **state)
{
	uint8_t buf[ACPI_RSDP_V2_SIZE];
	struct acpi_rsdp r;

	make_rsdp(buf, 0);
	assert_int_equal(acpi_parse_rsdp(buf, sizeof(buf), &r), 0);
	assert_int_equal(r.rsdt, 0x12340000);
	assert_int_equal(r.xsdt, 0);
	make_rsdp(buf, 2);
	assert_int_equal(acpi_parse_rsdp(buf, sizeof(buf), &r), 0);
	assert_int_equal(r.xsdt, 0x1ffff0000);
	buf[30] ^= 1; /* the second checksum is wrong: only the first part counts */
	assert_int_equal(acpi_parse_rsdp(buf, sizeof(buf), &r), 0);
	assert_int_equal(r.xsdt, 0);
	assert_int_equal(r.rsdt, 0x12340000);
	assert_int_equal(acpi_parse_rsdp(buf, 19, &r), -EINVAL);
	for (unsigned i = 0; i < ACPI_RSDP_V1_SIZE; i++) {
		make_rsdp(buf, 2);
		buf[i] ^= 0x10;
		assert_int_equal(acpi_parse_rsdp(buf, sizeof(buf), &r), -EINVAL);
	}
}

static void
checksums(void **state)
{
	static uint8_t big[70001];
	uint64_t seed = 11;
	uint8_t sum = 0;

	memset(big, 0xff, sizeof(big)); /* the largest carries */
	assert_int_equal(acpi_sum(big, sizeof(big)), (uint8_t) - sizeof(big));
	for (size_t i = 0; i < sizeof(big); i++) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		big[i] = (uint8_t)(seed >> 40);
		sum += big[i];
		if (i < 100 || i == sizeof(big) - 1)
			assert_int_equal(acpi_sum(big, i + 1), sum);
	}
}

static void
table_headers(void **state)
{
	uint8_t t[64] = "FACP";

	put(t, 4, sizeof(t), 4);
	fix_sum(t, sizeof(t), 9);
	assert_true(acpi_table_valid(t, sizeof(t), "FACP"));
	assert_false(acpi_table_valid(t, sizeof(t), "APIC"));
	assert_false(acpi_table_valid(t, sizeof(t) - 1, "FACP"));
	t[40]++;
	assert_false(acpi_table_valid(t, sizeof(t), "FACP"));
	put(t, 4, 35, 4);
	assert_int_equal(acpi_table_length(t), 0);
	put(t, 4, 0xffffffff, 4);
	assert_int_equal(acpi_table_length(t), 0);
	put(t, 4, 36, 4);
	assert_int_equal(acpi_table_length(t), 36);
}

static void
fadt(void **state)
{
	uint8_t t[276] = {0};
	struct acpi_fadt f;

	put(t, 40, 0x7fe0000, 4);
	put(t, 48, 0xb2, 4);
	t[52] = 0xf1;
	put(t, 64, 0x604, 4);
	put(t, 112, 1 << 10, 4);
	t[116] = ACPI_SPACE_IO;
	put(t, 120, 0xcf9, 8);
	t[128] = 0x0f;
	assert_int_equal(acpi_parse_fadt(t, 116, &f), 0); /* revision 1 ends here */
	assert_int_equal(f.dsdt, 0x7fe0000);
	assert_int_equal(f.smi_cmd, 0xb2);
	assert_int_equal(f.enable_value, 0xf1);
	assert_int_equal(f.pm1a_cnt.address, 0x604);
	assert_int_equal(f.pm1b_cnt.address, 0);
	assert_false(f.has_reset);
	assert_int_equal(acpi_parse_fadt(t, sizeof(t), &f), 0);
	assert_true(f.has_reset);
	assert_int_equal(f.reset.address, 0xcf9);
	assert_int_equal(f.reset_value, 0x0f);
	put(t, 140, 0x17fe0000, 8); /* the 64-bit fields count if they are set */
	t[172] = ACPI_SPACE_MEMORY;
	put(t, 176, 0xfed00000, 8);
	assert_int_equal(acpi_parse_fadt(t, sizeof(t), &f), 0);
	assert_int_equal(f.dsdt, 0x17fe0000);
	assert_int_equal(f.pm1a_cnt.address, 0xfed00000);
	/* Nonsense: ports beyond 64 KiB, a register in a space that does not exist, no DSDT. */
	t[172] = 77;
	put(t, 64, 0x10604, 4);
	put(t, 48, 0x100b2, 4);
	put(t, 120, 0x10cf9, 8);
	assert_int_equal(acpi_parse_fadt(t, sizeof(t), &f), 0);
	assert_int_equal(f.pm1a_cnt.address, 0);
	assert_int_equal(f.smi_cmd, 0);
	assert_false(f.has_reset);
	put(t, 40, 0, 4);
	put(t, 140, 0, 8);
	assert_int_equal(acpi_parse_fadt(t, sizeof(t), &f), -EINVAL);
	assert_int_equal(acpi_parse_fadt(t, 115, &f), -EINVAL);
}

/* @aml behind a header and two bytes of something else. */
static int
s5(const char *aml, size_t n, struct acpi_sleep *out)
{
	uint8_t *t = malloc(ACPI_HEADER_SIZE + 2 + n); /* exact: ASan sees one byte too far */
	int result;

	memset(t, 0, ACPI_HEADER_SIZE + 2);
	memcpy(t + ACPI_HEADER_SIZE + 2, aml, n);
	out->a = out->b = 99;
	result = acpi_parse_s5(t, ACPI_HEADER_SIZE + 2 + n, out);
	free(t);
	return result;
}
#define S5(literal) s5(literal, sizeof(literal) - 1, &got)

static void
sleep_package(void **state)
{
	struct acpi_sleep got;

	/* As QEMU's two machines have it. */
	assert_int_equal(S5("\x08_S5_\x12\x06\x04\x00\x00\x00\x00"), 0);
	assert_int_equal(got.a, 0);
	assert_int_equal(got.b, 0);
	/* Bytes, words; with the root's backslash; two-byte package length. */
	assert_int_equal(S5("\x08\\_S5_\x12\x0a\x04\x0a\x05\x0a\x06\x00\x00"),
			 -ENOENT); /* too long */
	assert_int_equal(S5("\x08\\_S5_\x12\x08\x04\x0a\x05\x0a\x06\x00\x00"), 0);
	assert_int_equal(got.a, 5);
	assert_int_equal(got.b, 6);
	assert_int_equal(S5("\x08_S5_\x12\x49\x00\x02\x0b\x07\x00\x0c\x03\x00\x00\x00"), -ENOENT);
	assert_int_equal(S5("\x08_S5_\x12\x4b\x00\x02\x0b\x07\x00\x0c\x03\x00\x00\x00"), 0);
	assert_int_equal(got.a, 7);
	assert_int_equal(got.b, 3);
	assert_int_equal(S5("\x08_S5_\x12\x04\x01\x0a\x05"), 0); /* one value for both */
	assert_int_equal(got.b, 5);
	for (size_t before = 0; before < 9; before++) { /* wherever the search's steps fall */
		char aml[24] = {0};

		memcpy(aml + before, "\x08_S5_\x12\x05\x02\x0a\x04\x01", 11);
		assert_int_equal(s5(aml, before + 11, &got), 0);
		assert_int_equal(got.a, 4);
	}
	/* The name in a string or a reference first, the object later. */
	assert_int_equal(S5("\x0d_S5_\0\x08_S5_\x12\x05\x02\x01\x0a\x02"), 0);
	assert_int_equal(got.a, 1);
	assert_int_equal(got.b, 2);
}

static void
sleep_package_nonsense(void **state)
{
	struct acpi_sleep got;
	static const char whole[] = "\x08\\_S5_\x12\x08\x04\x0a\x05\x0a\x06\x00\x00";

	assert_int_equal(S5(""), -ENOENT);
	assert_int_equal(S5("\x08_S5"), -ENOENT);
	assert_int_equal(S5("\x08_S5_"), -ENOENT);
	assert_int_equal(S5("\x08_S5_\x12"), -ENOENT);
	assert_int_equal(S5("\x08_S5_\x12\xff\xff\xff\xff"), -ENOENT);
	assert_int_equal(S5("\x08_S5_\x12\x06\x00\x00\x00\x00\x00"), -ENOENT); /* no element */
	assert_int_equal(S5("\x08_S5_\x12\x06\x02\x0a\x08\x00\x00"), -ENOENT); /* 8: four bits */
	assert_int_equal(S5("\x08_S5_\x12\x06\x02\x70\x01\x00\x00"), -ENOENT); /* no constant */
	assert_int_equal(S5("\x08_S5_\x12\x02\x02\x0a\x05\x0a\x05"), -ENOENT); /* ends too early */
	assert_int_equal(S5("\x08_S5_\x14\x06\x04\x00\x00\x00\x00"), -ENOENT); /* a method */
	assert_int_equal(S5("\x10_S5_\x12\x06\x04\x00\x00\x00\x00"), -ENOENT); /* a scope */
	for (size_t n = 0; n < 11; n++) /* cut anywhere before the values are complete */
		assert_int_equal(s5(whole, n, &got), -ENOENT);
}

static void
random_tables(void **state)
{
	uint64_t seed = 3;
	struct acpi_sleep got;
	struct acpi_fadt f;
	struct acpi_rsdp r;

	for (unsigned round = 0; round < 20000; round++) {
		char aml[64];
		const size_t n = round % sizeof(aml);
		uint8_t *t = malloc(n + 1);

		for (size_t i = 0; i < sizeof(aml); i++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			aml[i] = (char)(seed >> 40);
		}
		memcpy(aml + (seed >> 50) % 8, "\x08_S5_\x12", 6);
		if (s5(aml, n, &got) == 0)
			assert_true(got.a <= 7 && got.b <= 7);
		memcpy(t, aml, n);
		(void)acpi_parse_fadt(t, n, &f);
		(void)acpi_parse_rsdp(t, n, &r);
		free(t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rsdp),		 cmocka_unit_test(checksums),
		cmocka_unit_test(table_headers), cmocka_unit_test(fadt),
		cmocka_unit_test(sleep_package), cmocka_unit_test(sleep_package_nonsense),
		cmocka_unit_test(random_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
