/*
 * mp_parse.c - reading the MP Floating Pointer Structure.  Pure.
 *
 * Spec: MultiProcessor Specification 1.4, "MP Floating Pointer Structure".
 */
#include <dev/mp.h>
#include <dev/acpi.h>
#include <lib/errno.h>
#include <lib/string.h>

#define LENGTH	 8 /* in 16 bytes: 1 */
#define REVISION 9 /* 1 or 4: of 1.1, of 1.4 */
#define FEATURE2 12
#define IMCRP	 BIT(7) /* "PIC mode is implemented": there is an IMCR, and it is in use */

int
mp_parse_pointer(const void *buf, size_t n, bool *has_imcr)
{
	const uint8_t *p = buf;

	if (n < MP_POINTER_SIZE || memcmp(p, "_MP_", 4) != 0 || p[LENGTH] != 1 ||
	    (p[REVISION] != 1 && p[REVISION] != 4) || acpi_sum(p, MP_POINTER_SIZE) != 0)
		return -EINVAL;
	*has_imcr = (p[FEATURE2] & IMCRP) != 0;
	return 0;
}
