/*
 * tar_seal.h - makes the checksum of a tar header right.  Spec: POSIX.1-2017, pax, "ustar Interchange Format".
 */
#pragma once
#include "host.h"

static inline void
seal(uint8_t *h)
{
	unsigned sum = 0;
	char text[16];

	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += h[i];
	(void)sprintf(text, "%06o", sum);
	memcpy(h + 148, text, 7); /* six digits and NUL; the blank stays */
}
