/*
 * mp.c - the Interrupt Mode Configuration Register of old multiprocessor boards.
 *
 * There ("PIC mode") the 8259A's output and the NMI go past the local APIC straight to the CPU until
 * this register says otherwise.  ACPI does not tell of it; the MP tables do.  The ports belong
 * to other things elsewhere, so nothing is written unless they do.
 * Spec: MultiProcessor Specification 1.4, "PIC Mode", "MP Floating Pointer Structure".
 */
#include <dev/mp.h>
#include <lib/string.h>
#include <mm/vmm.h>
#include <x86/io.h>

#define BDA_EBDA_SEGMENT 0x40e
#define EBDA_LOW	 0x80000
#define EBDA_SEARCH	 1024
#define BASE_MEMORY_END	 0xa0000
#define BIOS_START	 0xf0000
#define BIOS_SIZE	 0x10000

#define IMCR_SELECT   0x22
#define IMCR_DATA     0x23
#define IMCR_REGISTER 0x70
#define IMCR_APIC     0x01 /* else 0: past the local APIC */

/* Look for the structure; true if it is there, and then *@has_imcr is set. */
static bool
search(paddr_t start, size_t size, bool *has_imcr)
{
	const uint8_t *p = vmm_map_firmware(start, size);
	bool found = false;

	if (p == NULL)
		return false;
	for (size_t at = 0; at < size && !found; at += MP_POINTER_SIZE)
		found = p[at] == '_' && mp_parse_pointer(p + at, size - at, has_imcr) == 0;
	vmm_unmap_mmio((void *)(uintptr_t)p, size);
	return found;
}

static paddr_t
ebda(void)
{
	const uint16_t *segment = vmm_map_firmware(BDA_EBDA_SEGMENT, sizeof(*segment));
	paddr_t address = 0;

	if (segment != NULL) {
		address = (paddr_t)*segment << 4;
		vmm_unmap_mmio((void *)(uintptr_t)segment, sizeof(*segment));
	}
	return address >= EBDA_LOW && address < BASE_MEMORY_END ? address
								: BASE_MEMORY_END - EBDA_SEARCH;
}

bool
mp_has_imcr(void)
{
	bool has_imcr = false;

	if (search(ebda(), EBDA_SEARCH, &has_imcr) || search(BIOS_START, BIOS_SIZE, &has_imcr))
		return has_imcr;
	return false;
}

void
mp_imcr_to_apic(void)
{
	outb(IMCR_SELECT, IMCR_REGISTER);
	outb(IMCR_DATA, IMCR_APIC);
}
