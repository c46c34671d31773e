/*
 * tar.h - is this a sound ustar archive?  Pure; tested on the host.
 */
#pragma once
#include <lib/base.h>

/*
 * Check the header checksum and size of each member of the @size bytes at @data.  NULL if all is
 * well, else what is wrong; *@offset is then the header's.  An archive that just ends is sound.
 */
const char *tar_check(const void *data, size_t size, size_t *offset);
