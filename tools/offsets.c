/*
 * offsets.c - constants and structure offsets that the assembler needs, taken from the C headers.
 *
 * Compiled to assembly, never linked; the Makefile turns each `->NAME value` into a NASM %define.
 */
#include <boot/boot_info.h>
#include <kern/thread.h>
#include <x86/trap.h>

#define CONSTANT(name, value)	    __asm__ volatile("\n->" #name " %0" ::"i"(value))
#define OFFSET(name, type, member) CONSTANT(name, offsetof(type, member))

void offsets(void);

void
offsets(void)
{
	CONSTANT(PAGE_SIZE, PAGE_SIZE);
	CONSTANT(KERNEL_VMA, KERNEL_VMA);
	CONSTANT(SEL_KERNEL_CODE, SEL_KERNEL_CODE);
	CONSTANT(SEL_KERNEL_DATA, SEL_KERNEL_DATA);
	CONSTANT(SEL_TSS, SEL_TSS);
	OFFSET(TF_VECTOR, struct trapframe, vector);
	OFFSET(TF_ERROR, struct trapframe, error);
	OFFSET(TF_CS, struct trapframe, cs);
	OFFSET(THREAD_RSP, struct thread, rsp);

	CONSTANT(BOOT_INFO_ADDR, BOOT_INFO_ADDR);
	CONSTANT(BOOT_RAW_MAP_ADDR, BOOT_RAW_MAP_ADDR);
	CONSTANT(BOOT_RAW_MAP_MAX, BOOT_RAW_MAP_MAX);
	CONSTANT(BOOT_TRACE_ADDR, BOOT_TRACE_ADDR);
	CONSTANT(BOOT_TRACE_MAX, BOOT_TRACE_MAX);
	CONSTANT(BT_SIZE, sizeof(struct boot_trace_entry));
	OFFSET(BT_TSC, struct boot_trace_entry, tsc);
	OFFSET(BT_DISK_TSC, struct boot_trace_entry, disk_tsc);
	OFFSET(BT_IP, struct boot_trace_entry, ip);
	OFFSET(BT_SP, struct boot_trace_entry, sp);
	OFFSET(BT_CR3, struct boot_trace_entry, cr3);
	OFFSET(BT_EFER, struct boot_trace_entry, efer);
	OFFSET(BT_RFLAGS, struct boot_trace_entry, rflags);
	OFFSET(BT_CR0, struct boot_trace_entry, cr0);
	OFFSET(BT_CR4, struct boot_trace_entry, cr4);
	OFFSET(BT_CS, struct boot_trace_entry, cs);
	OFFSET(BT_A20, struct boot_trace_entry, a20);
	OFFSET(BT_BITS, struct boot_trace_entry, bits);
	OFFSET(BT_VALID, struct boot_trace_entry, valid);
	CONSTANT(BOOT_TRACE_TSC, BOOT_TRACE_TSC);
	CONSTANT(BOOT_TRACE_CR0, BOOT_TRACE_CR0);
	CONSTANT(BOOT_TRACE_CR4, BOOT_TRACE_CR4);
	CONSTANT(BOOT_TRACE_EFER, BOOT_TRACE_EFER);
	CONSTANT(BOOT_TRACE_A20, BOOT_TRACE_A20);
	OFFSET(BI_TRACE_COUNT, struct boot_info, trace_count);
}
