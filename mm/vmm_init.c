/*
 * vmm_init.c - the kernel's first page tables: image, screen, direct map; then the loader's go.
 *
 * Each part of the image gets the rights that linker.ld gives its section.  RAM is mapped as the
 * memory map has it, not up to its highest address: what is not RAM has caches of its own kind.
 */
#include <mm/vmm.h>
#include <mm/image.h>
#include <mm/kmap.h>
#include <mm/kstack.h>
#include <mm/pmm.h>
#include <mm/tables.h>
#include <x86/cpu.h>

static int
map_section(const uint8_t *start, const uint8_t *end, unsigned prot)
{
	const vaddr_t va = (vaddr_t)start;

	if (start == end)
		return 0;
	return vmm_map(va, va - KERNEL_VMA, (size_t)(end - start), prot | VM_GLOBAL);
}

static int
map_kernel_image(void)
{
	int r = map_section(kernel_text_start, kernel_text_end, VM_EXEC);

	if (r == 0)
		r = map_section(kernel_init_text_start, kernel_init_text_end, VM_EXEC);
	if (r == 0)
		r = map_section(kernel_rodata_start, kernel_rodata_end, VM_READ);
	if (r == 0)
		r = map_section(kernel_init_data_start, kernel_init_data_end, VM_WRITE);
	if (r == 0)
		r = map_section(kernel_data_start, kernel_data_end, VM_WRITE);
	if (r == 0)
		r = map_section(kernel_ksyms_start, kernel_ksyms_end, VM_READ);
	if (r == 0)
		r = vmm_map(VGA_TEXT_VA, VGA_TEXT_PHYS, VGA_TEXT_SIZE,
			    VM_WRITE | VM_WC | VM_GLOBAL);
	return r;
}

/* One range of RAM; what holds kernel text and constants only readable, so that W^X has no back door. */
static void
map_ram(void *arg, paddr_t start, paddr_t end)
{
	const paddr_t ro_start = virt_to_phys(kernel_text_start);
	const paddr_t ro_end = virt_to_phys(kernel_rodata_end);
	int *result = arg;

	while (start < end && *result == 0) {
		unsigned prot = VM_WRITE | VM_GLOBAL;
		paddr_t stop = end;

		if (start < ro_start) {
			stop = MIN(end, ro_start);
		} else if (start < ro_end) {
			stop = MIN(end, ro_end);
			prot = VM_GLOBAL;
		}
		*result = vmm_map(DIRECT_MAP_BASE + start, start, stop - start, prot);
		start = stop;
	}
}

/*
 * The entries of the PML4 that mappings will be made under: here and now, since each program's PML4
 * begins as a copy of this one's upper half.
 */
static int
make_shared_entries(void)
{
	const int result = vmm_make_table(KERNEL_MAP_BASE);

	return result == 0 ? vmm_make_table(FRAME_TABLE_BASE) : result;
}

int
vmm_init(void)
{
	const paddr_t pml4 = pmm_alloc_zeroed(PMM_PAGE_TABLE);
	int result;

	/* The loader says where the image lies; the linker knows.  Both must mean the same. */
	assert(!pmm_is_free(virt_to_phys(kernel_text_start)));
	assert(!pmm_is_free(virt_to_phys(kernel_ksyms_end) - PAGE_SIZE));

	if (pml4 == PADDR_NONE)
		return -ENOMEM;
	pat_init();
	vmm_tables_init(pml4, cpu_features.page1g ? LEVEL_PDPT : LEVEL_PD,
			cpu_features.nx ? PTE_NX : 0, cpu_features.pge ? PTE_G : 0);
	result = make_shared_entries();
	if (result == 0)
		result = map_kernel_image();
	if (result == 0)
		pmm_for_each_range(map_ram, &result);
	if (result != 0)
		return result;

	write_cr3(pml4);
	direct_map_base = DIRECT_MAP_BASE; /* first: a panic's report goes to the kept log by it */
	vmm_tables_moved(DIRECT_MAP_BASE);
	pmm_use_direct_map(DIRECT_MAP_BASE);
	kmap_init();
	kstack_init();
	pmm_release_boot();
	return 0;
}
