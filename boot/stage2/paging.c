/*
 * paging.c - the page tables at hand-over, and the way into the kernel.
 *
 * Physical memory up to 4 GiB at its own address, and the first GiB also at BOOT_KERNEL_VMA, both
 * in pages of 2 MiB, writable and executable: the kernel replaces them by its own at once.
 * Spec: Intel SDM vol. 3A, "4-Level Paging and 5-Level Paging", "Initializing IA-32e Mode".
 */
#include <lib/crc32.h>
#include "bios.h"
#include "stage2.h"
#include "x86.h"

#define PTE_P	0x01
#define PTE_W	0x02
#define PTE_PS	0x80
#define ENTRIES 512

#define TABLE(n)   ((uint64_t *)(LOADER_TABLES + (n)*4096))
#define PML4	   TABLE(0)
#define PDPT_LOW   TABLE(1)
#define PDPT_HIGH  TABLE(2)
#define PD(gib)	   TABLE(3 + (gib))
#define IDT64	   (LOADER_TABLES + 7 * 4096)
#define IDT64_SIZE (32 * 16)

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71
#define NMI_OFF	   0x80
#define FLOPPY_DOR 0x3f2 /* digital output register: motors, reset */
#define PIC1_MASK  0x21
#define PIC2_MASK  0xa1

/* Loaded by longmode.asm. */
struct {
	uint16_t limit;
	uint64_t base;
} PACKED idt64_pointer = {IDT64_SIZE - 1, IDT64};

static void
build_tables(void)
{
	uint32_t *entry = (uint32_t *)PD(0);
	uint32_t page = 0;

	fill_dwords(PML4, 0, 3 * 4096 / 4);
	do { /* the four page directories lie one behind the other */
		entry[0] = page | PTE_P | PTE_W | PTE_PS;
		entry[1] = 0;
		entry += 2;
		page += 2 << 20;
	} while (page != 0);
	PML4[0] = (uint32_t)PDPT_LOW | PTE_P | PTE_W;
	PML4[(BOOT_KERNEL_VMA >> 39) & (ENTRIES - 1)] = (uint32_t)PDPT_HIGH | PTE_P | PTE_W;
	for (uint32_t gib = 0; gib < 4; gib++)
		PDPT_LOW[gib] = (uint32_t)PD(gib) | PTE_P | PTE_W;
	PDPT_HIGH[(BOOT_KERNEL_VMA >> 30) & (ENTRIES - 1)] = (uint32_t)PD(0) | PTE_P | PTE_W;
	info->tables_start = LOADER_TABLES;
	info->tables_end = LOADER_TABLES_END;
}

/*
 * Tell the BIOS that long mode is coming.  Spec: AMD BIOS and Kernel Developer's Guide, "Detect
 * Target Operating Mode Callback".
 */
static void
announce_long_mode(void)
{
	struct bios_regs r = {.eax = 0xec00, .ebx = 2};

	bios_int(0x15, &r); /* most do not know the call: no matter */
}

/* From here on nothing may interrupt: the kernel has no handlers yet. */
static void
mask_interrupts(void)
{
	outb(CMOS_INDEX, NMI_OFF);
	(void)inb(CMOS_DATA); /* some chips want an access after each index */
	if (info->media ==
	    BOOT_MEDIA_FLOPPY) /* the BIOS's timer will not stop the motor any more */
		outb(FLOPPY_DOR, 0);
	outb(PIC1_MASK, 0xff);
	outb(PIC2_MASK, 0xff);
}

/* A record that longmode.asm fills in: it has every register by then. */
static struct boot_trace_entry *
reserve(const char *name)
{
	struct boot_trace_entry *e = trace_reserve(name);

	e->a20 = 1;
	e->valid =
		BOOT_TRACE_TSC | BOOT_TRACE_CR0 | BOOT_TRACE_CR4 | BOOT_TRACE_EFER | BOOT_TRACE_A20;
	return e;
}

void
enter_kernel(uint64_t entry)
{
	struct boot_trace_entry *records;

	say("jump to %llxh\n", (unsigned long long)entry);
	announce_long_mode();
	a20_keep();
	build_tables();
	fault_init64(IDT64);
	mask_interrupts();
	trace("tables");
	records = reserve("paging");
	(void)reserve("long mode");
	(void)reserve("kernel entry");
	info->crc = 0;
	info->crc = crc32(0, info, sizeof(*info));
	long_mode((uint32_t)PML4, records, entry);
}
