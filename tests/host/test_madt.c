/*
 * test_madt.c - the MADT: right ones, each kind of nonsense, random bytes.
 *
 * SOURCES: drivers/acpi_madt.c drivers/acpi_parse.c drivers/acpi_timers.c kernel/lib/string.c
 */
#include "host.h"
#include <time.h>
#include <dev/acpi.h>
#include <dev/madt.h>
#include <lib/errno.h>
#include <lib/string.h>

#define HEADER 44

static struct {
	uint8_t bytes[4096];
	size_t n;
} table;

static void
put(size_t at, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		table.bytes[at + i] = (uint8_t)(v >> 8 * i);
}

/* Length and checksum of what has been put together. */
static void
finish(void)
{
	put(4, table.n, 4);
	table.bytes[9] = 0;
	table.bytes[9] = (uint8_t)-acpi_sum(table.bytes, table.n);
}

static void
begin(uint32_t lapic, uint32_t flags)
{
	memset(&table, 0, sizeof(table));
	memcpy(table.bytes, "APIC", 4);
	put(36, lapic, 4);
	put(40, flags, 4);
	table.n = HEADER;
}

static void
entry(const char *bytes, size_t n)
{
	memcpy(table.bytes + table.n, bytes, n);
	table.n += n;
}

#define ENTRY(s) entry(s, sizeof(s) - 1)

/* A copy of its own size, so that a read past the end is seen. */
static int
parse(struct madt *m)
{
	uint8_t *copy = malloc(table.n + (table.n == 0));
	int result;

	memcpy(copy, table.bytes, table.n);
	result = madt_parse(copy, table.n, m);
	free(copy);
	assert_true((result == 0) == (m->problem == NULL));
	return result;
}

static void
refused(const char *why)
{
	struct madt m;

	finish();
	assert_int_equal(parse(&m), -EINVAL);
	assert_non_null(strstr(m.problem, why));
}

/* As SeaBIOS makes it for a PC with two processors. */
static void
usual(void)
{
	begin(0xfee00000, 1);
	ENTRY("\x00\x08\x00\x00\x01\x00\x00\x00");
	ENTRY("\x00\x08\x01\x01\x01\x00\x00\x00");
	ENTRY("\x01\x0c\x00\x00\x00\x00\xc0\xfe\x00\x00\x00\x00");
	ENTRY("\x02\x0a\x00\x00\x02\x00\x00\x00\x00\x00");
	ENTRY("\x02\x0a\x00\x05\x05\x00\x00\x00\x0d\x00");
	ENTRY("\x02\x0a\x00\x09\x09\x00\x00\x00\x0f\x00");
	ENTRY("\x04\x06\xff\x00\x00\x01");
	finish();
}

static void
right_table(void **state)
{
	struct madt m;

	usual();
	assert_int_equal(parse(&m), 0);
	assert_int_equal(m.lapic_address, 0xfee00000);
	assert_true(m.pcat_compat);
	assert_int_equal(m.nr_cpus, 2);
	assert_int_equal(m.cpus[1].apic_id, 1);
	assert_true(m.cpus[1].enabled && !m.cpus[1].x2apic);
	assert_int_equal(m.nr_ioapics, 1);
	assert_int_equal(m.ioapics[0].address, 0xfec00000);
	assert_int_equal(m.isa[0].gsi, 2);
	assert_true(!m.isa[0].low && !m.isa[0].level);
	assert_int_equal(m.isa[2].gsi, MADT_NO_GSI); /* its pin is line 0's */
	assert_true(!m.isa[5].low && m.isa[5].level);
	assert_true(m.isa[9].low && m.isa[9].level);
	assert_int_equal(m.isa[4].gsi, 4);
	assert_int_equal(m.nr_nmis, 1);
	assert_true(m.nmis[0].local && m.nmis[0].all_cpus && m.nmis[0].pin == 1);
}

static void
other_entries(void **state)
{
	struct madt m;

	begin(0xfee00000, 0);
	ENTRY("\x05\x0c\x00\x00\x00\x00\xe0\xfe\x01\x00\x00\x00");
	ENTRY("\x09\x10\x00\x00\x45\x23\x01\x00\x03\x00\x00\x00\x07\x00\x00\x00");
	ENTRY("\x03\x08\x0f\x00\x11\x00\x00\x00");
	ENTRY("\x0a\x0c\x05\x00\xff\xff\xff\xff\x01\x00\x00\x00");
	ENTRY("\x04\x06\x07\x00\x00\x00");
	ENTRY("\x7f\x05\x01\x02\x03");
	ENTRY("\x00\x0a\x02\x09\x02\x00\x00\x00\xaa\xbb"); /* longer than today's */
	finish();
	assert_int_equal(parse(&m), 0);
	assert_false(m.pcat_compat);
	assert_int_equal(m.lapic_address, 0x1fee00000);
	assert_int_equal(m.nr_cpus, 2);
	assert_true(m.cpus[0].x2apic && m.cpus[0].enabled && m.cpus[0].online_capable);
	assert_int_equal(m.cpus[0].apic_id, 0x12345);
	assert_int_equal(m.cpus[0].uid, 7);
	assert_true(!m.cpus[1].enabled && m.cpus[1].online_capable);
	assert_int_equal(m.nr_unknown, 1);
	assert_int_equal(m.nr_nmis, 3);
	assert_true(!m.nmis[0].local && m.nmis[0].pin == 17);
	assert_true(m.nmis[0].low && m.nmis[0].level);
	assert_true(m.nmis[1].local && m.nmis[1].all_cpus && m.nmis[1].pin == 1);
	assert_true(!m.nmis[1].low && !m.nmis[1].level);
	assert_true(m.nmis[2].local && !m.nmis[2].all_cpus && m.nmis[2].uid == 7);
}

static void
nonsense(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *why;
	} rows[] = {
		{"\x00", 1, "beyond the table"},
		{"\x00\x00", 2, "beyond the table"},
		{"\x7f\x01", 2, "beyond the table"},
		{"\x00\x09\x00\x00\x01\x00\x00\x00", 8, "beyond the table"},
		{"\x00\x07\x00\x00\x01\x00\x00", 7, "too short"},
		{"\x01\x0b\x00\x00\x00\x00\xc1\xfe\x20\x00\x00", 11, "too short"},
		{"\x02\x09\x00\x01\x01\x00\x00\x00\x00", 9, "too short"},
		{"\x04\x05\xff\x00\x00", 5, "too short"},
		{"\x01\x0c\x00\x00\x00\x00\x00\x00\x20\x00\x00\x00", 12, "at address 0"},
		{"\x01\x0c\x00\x00\x00\x00\xc0\xfe\x20\x00\x00\x00", 12, "at one address"},
		{"\x01\x0c\x01\x00\x00\x00\xc1\xfe\x00\x00\x00\x00", 12, "one GSI base"},
		{"\x02\x0a\x01\x03\x03\x00\x00\x00\x00\x00", 10, "not ISA"},
		{"\x02\x0a\x00\x10\x03\x00\x00\x00\x00\x00", 10, "above 15"},
		{"\x02\x0a\x00\x03\xff\xff\xff\xff\x00\x00", 10, "impossible GSI"},
		{"\x02\x0a\x00\x00\x02\x00\x00\x00\x00\x00", 10, "two overrides"},
		{"\x02\x0a\x00\x03\x02\x00\x00\x00\x00\x00", 10, "at one GSI"},
		{"\x02\x0a\x00\x03\x03\x00\x00\x00\x02\x00", 10, "reserved polarity"},
		{"\x02\x0a\x00\x03\x03\x00\x00\x00\x08\x00", 10, "reserved polarity"},
		{"\x03\x08\x02\x00\x03\x00\x00\x00", 8, "reserved polarity"},
		{"\x04\x06\xff\x00\x00\x02", 6, "LINT above 1"},
		{"\x05\x0c\x00\x00\x01\x00\xe0\xfe\x00\x00\x00\x00", 12, "local APIC address"},
		{"\x05\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 12, "local APIC address"},
		{"\x00\x08\x05\x01\x01\x00\x00\x00", 8, "the same APIC id"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		usual();
		entry(rows[i].bytes, rows[i].n);
		refused(rows[i].why);
	}
}

static void
damaged_header(void **state)
{
	struct madt m;

	for (size_t n = 0; n < HEADER; n++) { /* cut short */
		begin(0xfee00000, 1);
		table.n = n;
		assert_int_equal(parse(&m), -EINVAL);
	}
	usual();
	table.bytes[50] ^= 1; /* the checksum */
	assert_int_equal(parse(&m), -EINVAL);
	usual();
	table.bytes[0] = 'B';
	refused("signature");
	usual();
	table.n -= 6; /* an entry less than the length says */
	assert_int_equal(parse(&m), -EINVAL);
}

static void
no_room(void **state)
{
	struct madt m;

	begin(0xfee00000, 1);
	for (unsigned i = 0; i < MADT_CPUS_MAX + 3; i++) {
		ENTRY("\x00\x08\x00\x00\x01\x00\x00\x00");
		table.bytes[table.n - 5] = (uint8_t)i;
	}
	for (unsigned i = 0; i <= MADT_IOAPICS_MAX; i++) {
		ENTRY("\x01\x0c\x00\x00\x00\x00\xc0\xfe\x00\x00\x00\x00");
		table.bytes[table.n - 7] = (uint8_t)i;
		table.bytes[table.n - 4] = (uint8_t)(24 * i);
	}
	for (unsigned i = 0; i <= MADT_NMIS_MAX; i++)
		ENTRY("\x03\x08\x00\x00\x03\x00\x00\x00");
	finish();
	assert_int_equal(parse(&m), 0);
	assert_int_equal(m.nr_cpus, MADT_CPUS_MAX);
	assert_int_equal(m.nr_ioapics, MADT_IOAPICS_MAX);
	assert_int_equal(m.nr_nmis, MADT_NMIS_MAX);
	assert_int_equal(m.nr_dropped, 5);
}

static uint64_t seed;

static uint8_t
random_byte(void)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint8_t)(seed >> 40);
}

/* What comes out may be anything, but never out of range. */
static void
check_sane(const struct madt *m)
{
	assert_true(m->nr_cpus <= MADT_CPUS_MAX && m->nr_ioapics <= MADT_IOAPICS_MAX);
	assert_true(m->nr_nmis <= MADT_NMIS_MAX);
	for (unsigned i = 0; i < MADT_ISA_LINES; i++) {
		for (unsigned j = 0; j < i; j++) {
			const uint32_t gsi = m->isa[i].gsi;

			assert_true(gsi == MADT_NO_GSI || gsi != m->isa[j].gsi);
		}
	}
}

/* Entries with plausible types and lengths and random content; some bytes flipped, some cut off. */
static void
random_tables(void **state)
{
	unsigned accepted = 0;

	seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : (uint64_t)time(NULL);
	print_message("seed: SEED=%llu\n", (unsigned long long)seed);
	for (unsigned round = 0; round < 20000; round++) {
		struct madt m;

		begin(0xfee00000, random_byte());
		for (unsigned i = random_byte() % 12; i > 0; i--) {
			static const uint8_t sizes[16] = {8, 12, 10, 8, 6, 12, 0, 0,
							  0, 16, 12, 0, 0, 0,  0, 0};
			const uint8_t type = random_byte() % 16;
			const uint8_t size = sizes[type] ? sizes[type] : 2 + random_byte() % 20;

			table.bytes[table.n] = type;
			table.bytes[table.n + 1] = random_byte() < 3 ? random_byte() : size;
			for (unsigned j = 2; j < size; j++)
				table.bytes[table.n + j] = random_byte() % 4 ? 0 : random_byte();
			table.n += size;
		}
		if (random_byte() < 16)
			table.n = HEADER + (table.n - HEADER) * random_byte() / 256;
		finish();
		if (random_byte() < 8)
			table.bytes[random_byte() % table.n] ^= random_byte();
		if (parse(&m) == 0) {
			accepted++;
			check_sane(&m);
		}
	}
	assert_true(accepted > 100); /* not only refusals were tried */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_table), cmocka_unit_test(other_entries),
		cmocka_unit_test(nonsense),    cmocka_unit_test(damaged_header),
		cmocka_unit_test(no_room),     cmocka_unit_test(random_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
