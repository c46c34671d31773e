/*
 * crc.c - CRC-32 for stage 2: the tables, made when first needed; crc_loop.asm does the bytes.
 *
 * Same function as kernel/lib/crc32.c, which the kernel and the host tests use: there the tables
 * are 4 KiB of constants, here they would be an eighth of what stage 1 has to read and to sum.
 * Spec: IEEE 802.3, "Frame Check Sequence (FCS) field".
 */
#include <lib/crc32.h>
#include "stage2.h"

#define POLYNOMIAL 0xedb88320 /* bits reversed */
#define CHUNK	   16	      /* bytes per round of crc_loop() */

/* crc_tables[s][b]: CRC of byte b followed by s zero bytes. */
uint32_t crc_tables[4][256];

/* @n chunks of 16 bytes. */
uint32_t crc_loop(uint32_t crc, const void *buf, uint32_t n);

static void
make_tables(void)
{
	uint32_t crc = 1;

	/* Entries of single bits, then sums of those: the CRC is linear. */
	for (uint32_t bit = 128; bit > 0; bit >>= 1) {
		crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
		crc_tables[0][bit] = crc;
	}
	for (uint32_t bit = 1; bit < 256; bit <<= 1)
		for (uint32_t i = 1; i < bit; i++)
			crc_tables[0][bit + i] = crc_tables[0][bit] ^ crc_tables[0][i];
	for (uint32_t s = 1; s < 4; s++)
		for (uint32_t i = 0; i < 256; i++) {
			const uint32_t t = crc_tables[s - 1][i];

			crc_tables[s][i] = t >> 8 ^ crc_tables[0][t & 0xff];
		}
}

uint32_t
crc32(uint32_t crc, const void *buf, size_t n)
{
	const uint8_t *p = buf;

	if (crc_tables[0][1] == 0)
		make_tables();
	crc = crc_loop(~crc, p, n / CHUNK);
	for (p += n & ~(CHUNK - 1U), n %= CHUNK; n > 0; n--)
		crc = crc_tables[0][(crc ^ *p++) & 0xff] ^ crc >> 8;
	return ~crc;
}
