/*
 * crc32.h - CRC-32 as IEEE 802.3, zlib and cksfv have it (reflected polynomial EDB88320h).
 *
 * Pure.  Start with @crc = 0 and feed pieces: crc = crc32(crc, buf, n).
 */
#pragma once
#include <lib/base.h>

uint32_t crc32(uint32_t crc, const void *buf, size_t n);
