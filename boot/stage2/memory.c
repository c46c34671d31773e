/*
 * memory.c - what memory there is: int 15h E820h, else E801h, else 88h; cleaned by e820.c.
 *
 * Spec: ACPI 6.4, "INT 15H, E820H - Query System Address Map"; Ralf Brown's Interrupt List,
 * "INT 15/AX=E801h", "INT 15/AH=88h".
 */
#include <boot/e820.h>
#include "bios.h"
#include "stage2.h"
#include "x86.h"

#define SMAP	      0x534d4150
#define E820_MIN_SIZE 20
#define ATTR_VALID    1
#define LOW_LIMIT     0xa0000

/* What the kernel needs above 1 MiB to reach its prompt. */
#define MIN_HIGH_RAM MIB(2)

static const char advice[] = "Give the machine more memory: MinOS needs 4 MiB.  In QEMU: -m 128.";

static struct boot_mem *const raw = (struct boot_mem *)BOOT_RAW_MAP_ADDR;
static struct boot_mem *const map = (struct boot_mem *)BOOT_MAP_ADDR;

static void
raw_add(uint64_t start, uint64_t size, uint32_t type)
{
	raw[info->raw_map_count++] = (struct boot_mem){start, size, type, ATTR_VALID};
}

/*
 * The entries go straight to where the kernel will read them.  Some BIOSes end with carry set on
 * the call after the last entry, some with EBX = 0 on it; some give 20 bytes; some never end.
 */
static bool
ask_e820(void)
{
	uint32_t next = 0;

	for (uint32_t i = 0; i < BOOT_RAW_MAP_MAX; i++) {
		struct boot_mem *e = &raw[i];
		struct bios_regs r = {.eax = 0xe820, .ebx = next, .ecx = sizeof(*e), .edx = SMAP};

		e->attr = ATTR_VALID;
		r.edi = (uint32_t)e;
		bios_int(0x15, &r);
		if (bios_carry(&r) || r.eax != SMAP || r.ecx < E820_MIN_SIZE)
			return i > 0;
		if (r.ecx < sizeof(*e))
			e->attr = ATTR_VALID;
		info->raw_map_count = i + 1;
		next = r.ebx;
		if (next == 0)
			return true;
	}
	info->quirks |= BOOT_QUIRK_MAP_CUT;
	return true;
}

/* KiB of memory from 0 on.  Spec: IBM PC/AT Technical Reference, "INT 12". */
static void
add_conventional(void)
{
	struct bios_regs r = {0};

	bios_int(0x12, &r);
	raw_add(0, MIN((r.eax & 0xffff) << 10, LOW_LIMIT), BOOT_MEM_RAM);
}

/* KiB from 1 to 16 MiB, and units of 64 KiB above; in AX, BX or in CX, DX. */
static bool
ask_e801(void)
{
	struct bios_regs r = {.eax = 0xe801};
	uint32_t low, high;

	bios_int(0x15, &r);
	low = r.eax & 0xffff;
	high = r.ebx & 0xffff;
	if ((r.ecx | r.edx) & 0xffff) {
		low = r.ecx & 0xffff;
		high = r.edx & 0xffff;
	}
	if (bios_carry(&r) || low == 0 || low > 15 << 10)
		return false;
	add_conventional();
	raw_add(MIB(1), (uint64_t)low << 10, BOOT_MEM_RAM);
	if (high > 0)
		raw_add(MIB(16), (uint64_t)high << 16, BOOT_MEM_RAM);
	info->quirks |= BOOT_QUIRK_E801;
	return true;
}

/* KiB from 1 MiB on, at most 64 MiB. */
static bool
ask_88(void)
{
	struct bios_regs r = {.eax = 0x8800};

	bios_int(0x15, &r);
	if (bios_carry(&r) || (r.eax & 0xffff) == 0)
		return false;
	add_conventional();
	raw_add(MIB(1), (uint64_t)(r.eax & 0xffff) << 10, BOOT_MEM_RAM);
	info->quirks |= BOOT_QUIRK_88;
	return true;
}

static const char *
ask(void)
{
	if (ask_e820())
		return "E820";
	info->raw_map_count = 0;
	if (ask_e801())
		return "E801";
	if (ask_88())
		return "88";
	die("Update the BIOS; a PC from 1996 on answers at least one of them.",
	    "the BIOS tells no memory size: int 15h E820h, E801h and 88h all failed");
}

/* RAM in [start, end). */
static uint64_t
ram_between(uint64_t start, uint64_t end)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < info->map_count; i++) {
		const uint64_t from = MAX(map[i].start, start);
		const uint64_t to = MIN(map[i].start + map[i].size, end);

		if (map[i].type == BOOT_MEM_RAM && from < to)
			sum += to - from;
	}
	return sum;
}

static bool
is_ram(uint64_t start, uint64_t size)
{
	for (uint32_t i = 0; i < info->map_count; i++)
		if (map[i].type == BOOT_MEM_RAM && start >= map[i].start &&
		    start - map[i].start <= map[i].size &&
		    size <= map[i].size - (start - map[i].start))
			return true;
	return false;
}

void
memory_require(const char *what, uint64_t start, uint64_t size)
{
	if (!is_ram(start, size))
		die(advice, "no memory for %s: %llx-%llxh is not all RAM", what,
		    (unsigned long long)start, (unsigned long long)(start + size));
}

uint32_t
memory_find(uint32_t min, uint32_t size)
{
	for (uint32_t i = 0; i < info->map_count; i++) {
		const uint64_t start = MAX(map[i].start, min);

		if (map[i].type == BOOT_MEM_RAM && start + size <= GIB(4) && is_ram(start, size))
			return (uint32_t)start;
	}
	return 0;
}

uint32_t
memory_find_top(uint32_t size)
{
	uint64_t best = 0;

	for (uint32_t i = 0; i < info->map_count; i++) {
		const uint64_t start = MAX(map[i].start, MIB(1));
		const uint64_t end = MIN(map[i].start + map[i].size, GIB(4));

		if (map[i].type == BOOT_MEM_RAM && start < end && end - start >= size)
			best = MAX(best, (end - size) & ~4095ULL);
	}
	return best >= MIB(1) ? (uint32_t)best : 0;
}

void
memory_init(void)
{
	const char *how;
	uint64_t high, total;

	say("memory ");
	how = ask();
	info->raw_map = BOOT_RAW_MAP_ADDR;
	info->map = BOOT_MAP_ADDR;
	info->map_count = e820_clean(raw, info->raw_map_count, map, BOOT_MAP_MAX, &info->quirks);
	total = ram_between(0, UINT64_MAX);
	high = ram_between(MIB(1), UINT64_MAX);
	say("%u KiB, %sh, %u entries\n", (uint32_t)(total >> 10), how, info->raw_map_count);
	if (high < MIN_HIGH_RAM)
		die(advice, "too little memory: %u KiB above 1 MiB", (uint32_t)(high >> 10));
	/* Page 0 is said to be reserved by some; it holds vectors and BIOS variables anyway. */
	memory_require("the loader", BOOT_RAW_MAP_ADDR, LOADER_END - BOOT_RAW_MAP_ADDR);
	trace("memory");
}
