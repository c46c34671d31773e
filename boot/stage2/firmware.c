/*
 * firmware.c - where the firmware left its tables: ACPI RSDP and SMBIOS entry point.
 *
 * Both stand at multiples of 16 in the BIOS area; the RSDP also in the first KiB of the EBDA.
 * Spec: ACPI 6.4, "Finding the RSDP on IA-PC Systems"; SMBIOS 3.6, "Accessing SMBIOS information".
 */
#include <lib/string.h>
#include "bios.h"
#include "stage2.h"

#define BIOS_START  0xe0000
#define BIOS_MID    0xf0000
#define BIOS_END    0x100000
#define LOW_END	    0xa0000
#define EBDA_LOWEST 0x80000

/* First dwords of the signatures "RSD PTR ", "_SM_", "_SM3_". */
#define RSDP_WORD  0x20445352
#define RSDP_WORD2 0x20525450
#define SM_WORD	   0x5f4d535f
#define SM3_WORD   0x334d535f

static bool
sums_to_zero(const uint8_t *p, uint32_t n)
{
	uint8_t sum = 0;

	while (n-- > 0)
		sum = (uint8_t)(sum + *p++);
	return sum == 0;
}

static bool
rsdp_valid(const uint8_t *p)
{
	uint32_t length;

	if (*(const uint32_t *)(p + 4) != RSDP_WORD2 || !sums_to_zero(p, 20))
		return false;
	if (p[15] < 2) /* revision: 2 and later have a longer structure with a sum of its own */
		return true;
	length = *(const uint32_t *)(p + 20);
	return length >= 33 && length <= 256 && sums_to_zero(p, length);
}

static bool
smbios_valid(const uint8_t *p)
{
	const bool v3 = p[3] == '3';
	const uint8_t length = v3 ? p[6] : p[5];

	if (v3 && p[4] != '_')
		return false;
	return length >= (v3 ? 0x18 : 0x1e) && length <= 0x40 && sums_to_zero(p, length);
}

static void
scan(uint32_t start, uint32_t end)
{
	for (uint32_t at = start; at < end; at += 16) {
		const uint32_t word = *(const uint32_t *)at;

		if ((word & 0xf2) != 0x52) /* 'R' and '_' pass; nearly all else goes on here */
			continue;
		if (word == RSDP_WORD && info->rsdp == 0 && rsdp_valid((const uint8_t *)at))
			info->rsdp = at;
		/* The 64-bit entry point is the better one, wherever it stands. */
		if (word == SM3_WORD || (word == SM_WORD && info->smbios == 0))
			if (smbios_valid((const uint8_t *)at))
				info->smbios = at;
	}
}

void
firmware_tables(void)
{
	const uint32_t ebda = (uint32_t)bda16(BDA_EBDA_SEGMENT) << 4;

	scan(BIOS_MID, BIOS_END);
	if (info->rsdp == 0)
		scan(BIOS_START, BIOS_MID);
	if (info->rsdp == 0 && ebda >= EBDA_LOWEST && ebda < LOW_END)
		scan(ebda, MIN(ebda + 1024, LOW_END));
}
