/*
 * init_mem.c - start-up code and data go back to the frame allocator.
 *
 * The addresses stay unmapped for good, so that a late call is a page fault that can be named; the
 * symbol table keeps the names, so that a backtrace taken during the start can be read.  The frames
 * become writable in the direct map, where text was read-only, and are ordinary memory then.
 */
#include <kern/init.h>
#include <kern/ksym.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/image.h>
#include <mm/pmm.h>
#include <mm/vmm.h>

#define CODE_FILL 0xcc /* INT3: whoever has kept the address in the direct map learns it at once */

static size_t released; /* [I] after the start; bytes */

static inline bool
within(vaddr_t va, const uint8_t *start, const uint8_t *end)
{
	return va - (vaddr_t)start < (vaddr_t)(end - start);
}

static void
give_back(uint8_t *start, uint8_t *end)
{
	const size_t len = (size_t)(end - start);
	const paddr_t pa = virt_to_phys(start);

	if (len == 0)
		return;
	if (vmm_protect((vaddr_t)phys_to_virt(pa), len, VM_WRITE | VM_GLOBAL) != 0 ||
	    vmm_unmap((vaddr_t)start, len) != 0) {
		log_warn("init: no memory to give %zu KiB back", len / 1024);
		return;
	}
	memset(phys_to_virt(pa), CODE_FILL, len);
	pmm_release(pa, pa + len);
	released += len;
}

void
init_release(void)
{
	give_back(kernel_init_text_start, kernel_init_text_end);
	give_back(kernel_init_data_start, kernel_init_data_end);
	log_info("init: %zu KiB of start-up code and data given back", released / 1024);
}

size_t
init_released(void)
{
	return released;
}

bool
init_is_gone(vaddr_t va)
{
	return released != 0 && (within(va, kernel_init_text_start, kernel_init_text_end) ||
				 within(va, kernel_init_data_start, kernel_init_data_end));
}

bool
init_describe(vaddr_t va, char *buf, size_t size)
{
	const bool code = within(va, kernel_init_text_start, kernel_init_text_end);
	const char *name = ksym_lookup(va, NULL);

	if (released == 0 || (!code && !within(va, kernel_init_data_start, kernel_init_data_end)))
		return false;
	snprintf(buf, size, "freed .init %s: %s", code ? "code" : "data",
		 name != NULL ? name : "?");
	return true;
}
