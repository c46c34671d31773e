/*
 * crc32.c - CRC-32, four bytes a step; also compiled into the loader and the host tests.
 *
 * table[s][b] is the CRC of byte b followed by s zero bytes.  The CRC is linear: the entry of b is
 * the XOR of the entries of b's bits, so that the tables are written here as their 4 x 8 single-bit
 * entries and the compiler fills in the rest.
 * Spec: IEEE 802.3, "Frame Check Sequence (FCS) field"; RFC 1952, "Appendix: Sample CRC Code".
 */
#include <lib/crc32.h>

#define PICK(b, i, k) (((b) >> (i)) & 1 ? (k) : 0u)
#define E1(b, k0, k1, k2, k3, k4, k5, k6, k7)                                                 \
	(PICK(b, 0, k0) ^ PICK(b, 1, k1) ^ PICK(b, 2, k2) ^ PICK(b, 3, k3) ^ PICK(b, 4, k4) ^ \
	 PICK(b, 5, k5) ^ PICK(b, 6, k6) ^ PICK(b, 7, k7))
#define E4(b, ...)                                                              \
	E1(b, __VA_ARGS__), E1((b) + 1, __VA_ARGS__), E1((b) + 2, __VA_ARGS__), \
		E1((b) + 3, __VA_ARGS__)
#define E16(b, ...)                                                             \
	E4(b, __VA_ARGS__), E4((b) + 4, __VA_ARGS__), E4((b) + 8, __VA_ARGS__), \
		E4((b) + 12, __VA_ARGS__)
#define E64(b, ...)                                                                  \
	E16(b, __VA_ARGS__), E16((b) + 16, __VA_ARGS__), E16((b) + 32, __VA_ARGS__), \
		E16((b) + 48, __VA_ARGS__)
#define E256(...) \
	E64(0, __VA_ARGS__), E64(64, __VA_ARGS__), E64(128, __VA_ARGS__), E64(192, __VA_ARGS__)

static const uint32_t table[4][256] = {
	{E256(0x77073096, 0xee0e612c, 0x076dc419, 0x0edb8832, 0x1db71064, 0x3b6e20c8, 0x76dc4190,
	      0xedb88320)},
	{E256(0x191b3141, 0x32366282, 0x646cc504, 0xc8d98a08, 0x4ac21251, 0x958424a2, 0xf0794f05,
	      0x3b83984b)},
	{E256(0x01c26a37, 0x0384d46e, 0x0709a8dc, 0x0e1351b8, 0x1c26a370, 0x384d46e0, 0x709a8dc0,
	      0xe1351b80)},
	{E256(0xb8bc6765, 0xaa09c88b, 0x8f629757, 0xc5b428ef, 0x5019579f, 0xa032af3e, 0x9b14583d,
	      0xed59b63b)},
};

typedef struct PACKED __attribute__((may_alias)) le32 {
	uint32_t v;
} le32_t;

static inline __attribute__((always_inline)) uint32_t
step(uint32_t crc, const uint8_t *p)
{
	crc ^= ((const le32_t *)p)->v;
	return table[3][crc & 0xff] ^ table[2][(crc >> 8) & 0xff] ^ table[1][(crc >> 16) & 0xff] ^
	       table[0][crc >> 24];
}

uint32_t
crc32(uint32_t crc, const void *buf, size_t n)
{
	const uint8_t *p = buf;

	crc = ~crc;
	for (; n >= 16; n -= 16, p += 16)
		crc = step(step(step(step(crc, p), p + 4), p + 8), p + 12);
	for (; n > 0; n--)
		crc = table[0][(crc ^ *p++) & 0xff] ^ (crc >> 8);
	return ~crc;
}
