/*
 * gdt.c - segments, the task state segment, and the exception stacks it names.
 *
 * In long mode segments keep three jobs: CS says the mode and the privilege level, SS must be
 * loadable, and the TSS tells the CPU which stack to take.  Spec: Intel SDM vol. 3A, "Segment
 * Descriptors", "64-Bit Mode Task Management"; vol. 2B, "SYSRET" (order of the user selectors).
 */
#include <x86/trap.h>
#include <kern/base.h>
#include <x86/cpu.h>
#include <x86/percpu.h>
#include <x86/switch.h>

/* Access byte and flags of a descriptor, as the upper half has them (bits 40-55). */
#define DESC_ACCESSED BIT(40) /* preset: the CPU would write it back otherwise */
#define DESC_WRITE    BIT(41) /* data: writable; code: readable */
#define DESC_CODE     BIT(43)
#define DESC_SEGMENT  BIT(44) /* code or data, not a system descriptor */
#define DESC_DPL3     (3ULL << 45)
#define DESC_PRESENT  BIT(47)
#define DESC_LONG     BIT(53) /* code: 64-bit; D must be 0 */
#define DESC_COMMON   (DESC_PRESENT | DESC_SEGMENT | DESC_WRITE | DESC_ACCESSED)
#define DESC_TSS      (9ULL << 40) /* available 64-bit TSS */

/* Spec: Intel SDM vol. 3A, "Task State Segment (TSS)" for 64-bit mode. */
struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7]; /* ist[0] is IST 1 */
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t iomap; /* offset of the port bitmap; at the limit: none, ring 3 gets no port */
} PACKED;
_Static_assert(sizeof(struct tss) == 104, "TSS layout");

/* A guard page below each; linker.ld puts one more behind the last. */
uint8_t ist_area[IST_COUNT][4096 + IST_STACK_SIZE]
	__attribute__((aligned(4096), section(".bss.ist")));

static struct tss tss __attribute__((aligned(128))); /* within one page, as the SDM asks */
static uint64_t gdt[7] __attribute__((aligned(64))) = {
	[SEL_KERNEL_CODE / 8] = DESC_COMMON | DESC_CODE | DESC_LONG,
	[SEL_KERNEL_DATA / 8] = DESC_COMMON,
	[SEL_USER_DATA / 8] = DESC_COMMON | DESC_DPL3,
	[SEL_USER_CODE / 8] = DESC_COMMON | DESC_DPL3 | DESC_CODE | DESC_LONG,
	/* SEL_TSS: two entries, filled by gdt_init() */
};

/* Load GDTR and put our selectors into every segment register; CS by a far return. */
static void
gdt_load(void)
{
	const struct desc_ptr ptr = {sizeof(gdt) - 1, (uint64_t)gdt};

	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\tmovl %2, %%eax\n\t"
			 "movl %%eax, %%ss\n\t"
			 "movl %%eax, %%ds\n\t"
			 "movl %%eax, %%es\n\t"
			 "xorl %%eax, %%eax\n\t"
			 "movl %%eax, %%fs\n\t"
			 "movl %%eax, %%gs"
			 :
			 : "m"(ptr), "i"(SEL_KERNEL_CODE), "i"(SEL_KERNEL_DATA)
			 : "rax", "memory");
}

int
gdt_init(void)
{
	const uint64_t base = (uint64_t)&tss;

	for (unsigned i = 0; i < IST_COUNT; i++)
		tss.ist[i] = (uint64_t)ist_area[i] + sizeof(ist_area[i]);
	tss.rsp[0] = (uint64_t)boot_stack_top;
	tss.iomap = sizeof(tss);
	gdt[SEL_TSS / 8] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | DESC_TSS | DESC_PRESENT |
			   ((base >> 24) & 0xff) << 56;
	gdt[SEL_TSS / 8 + 1] = base >> 32;
	gdt_load();
	wrmsr(MSR_GS_BASE, (uint64_t)&cpu_boot); /* loading a null selector may clear it */
	__asm__ volatile("ltr %w0" ::"r"(SEL_TSS));
	/*
	 * No LDT: at reset LDTR shows 64 KiB at address 0, and a selector with TI would be looked
	 * up there.
	 */
	__asm__ volatile("lldt %w0" ::"r"(0));
	return 0;
}

void
tss_set_rsp0(uint64_t rsp0)
{
	tss.rsp[0] = rsp0;
}

uint64_t
tss_rsp0(void)
{
	return tss.rsp[0];
}

struct desc_ptr
read_gdtr(void)
{
	struct desc_ptr p;

	__asm__ volatile("sgdt %0" : "=m"(p));
	return p;
}

struct desc_ptr
read_idtr(void)
{
	struct desc_ptr p;

	__asm__ volatile("sidt %0" : "=m"(p));
	return p;
}

uint16_t
read_tr(void)
{
	uint16_t v;

	__asm__ volatile("str %0" : "=r"(v));
	return v;
}
