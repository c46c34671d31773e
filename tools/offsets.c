/*
 * offsets.c - constants and structure offsets that the assembler needs, taken from the C headers.
 *
 * Compiled to assembly, never linked; the Makefile turns each `->NAME value` into a NASM %define.
 */
#include <boot/boot_info.h>
#include <boot/foreign.h>
#include <boot/loader.h>
#include <kern/process.h>
#include <kern/syscall.h>
#include <kern/thread.h>
#include <x86/cpu.h>
#include <x86/percpu.h>
#include <x86/trap.h>

#define CONSTANT(name, value)	   __asm__ volatile("\n->" #name " %0" ::"i"(value))
#define OFFSET(name, type, member) CONSTANT(name, offsetof(type, member))

_Static_assert(BOOT_KERNEL_VMA == KERNEL_VMA, "loader and kernel agree");

void offsets(void);

void
offsets(void)
{
	CONSTANT(PAGE_SIZE, PAGE_SIZE);
	CONSTANT(KERNEL_VMA, KERNEL_VMA);
	CONSTANT(SEL_KERNEL_CODE, SEL_KERNEL_CODE);
	CONSTANT(SEL_KERNEL_DATA, SEL_KERNEL_DATA);
	CONSTANT(SEL_TSS, SEL_TSS);
	CONSTANT(SEL_USER_CODE, SEL_USER_CODE);
	CONSTANT(SEL_USER_DATA, SEL_USER_DATA);
	CONSTANT(MSR_GS_BASE, MSR_GS_BASE);
	CONSTANT(TRAP_NMI, TRAP_NMI);
	CONSTANT(TRAP_DF, TRAP_DF);
	CONSTANT(TRAP_MC, TRAP_MC);
	CONSTANT(RFLAGS_TF_RF, RFLAGS_TF | RFLAGS_RF);
	CONSTANT(VECTOR_SYSCALL, VECTOR_SYSCALL);
	CONSTANT(SYSCALL_MAX, SYSCALL_MAX);
	OFFSET(CPU_TASK, struct cpu, task);
	OFFSET(CPU_KERNEL_RSP, struct cpu, kernel_rsp);
	OFFSET(CPU_USER_RSP, struct cpu, user_rsp);
	OFFSET(TASK_WORK, struct task, work);
	CONSTANT(KSTACK_SIZE, KSTACK_SIZE);
	CONSTANT(TRAP_VECTORS, TRAP_VECTORS);
	OFFSET(TF_R15, struct trapframe, r15);
	OFFSET(TF_R14, struct trapframe, r14);
	OFFSET(TF_R13, struct trapframe, r13);
	OFFSET(TF_R12, struct trapframe, r12);
	OFFSET(TF_R11, struct trapframe, r11);
	OFFSET(TF_R10, struct trapframe, r10);
	OFFSET(TF_R9, struct trapframe, r9);
	OFFSET(TF_R8, struct trapframe, r8);
	OFFSET(TF_RBP, struct trapframe, rbp);
	OFFSET(TF_RDI, struct trapframe, rdi);
	OFFSET(TF_RSI, struct trapframe, rsi);
	OFFSET(TF_RDX, struct trapframe, rdx);
	OFFSET(TF_RCX, struct trapframe, rcx);
	OFFSET(TF_RBX, struct trapframe, rbx);
	OFFSET(TF_RAX, struct trapframe, rax);
	OFFSET(TF_VECTOR, struct trapframe, vector);
	OFFSET(TF_ERROR, struct trapframe, error);
	OFFSET(TF_RIP, struct trapframe, rip);
	OFFSET(TF_CS, struct trapframe, cs);
	OFFSET(TF_RFLAGS, struct trapframe, rflags);
	OFFSET(TF_RSP, struct trapframe, rsp);
	OFFSET(TF_SS, struct trapframe, ss);
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
	OFFSET(BI_DISPLAY, struct boot_info, display);
	CONSTANT(BOOT_DISPLAY_TEXT, BOOT_DISPLAY_TEXT);

	CONSTANT(MULTIBOOT1_MAGIC, MULTIBOOT1_MAGIC);
	CONSTANT(PVH_MAGIC, PVH_MAGIC);
	CONSTANT(ES_SIZE, sizeof(struct entry_state));
	OFFSET(ES_TSC, struct entry_state, tsc);
	OFFSET(ES_MAGIC, struct entry_state, magic);
	OFFSET(ES_INFO, struct entry_state, info);
	OFFSET(ES_ESP, struct entry_state, esp);
	OFFSET(ES_EFLAGS, struct entry_state, eflags);
	OFFSET(ES_CR0, struct entry_state, cr0);
	OFFSET(ES_CR4, struct entry_state, cr4);
	OFFSET(ES_CS, struct entry_state, cs);
	OFFSET(ES_EIP, struct entry_state, eip);

	CONSTANT(STAGE1_STACK, STAGE1_STACK);
	CONSTANT(STAGE1_HANDOFF, STAGE1_HANDOFF);
	CONSTANT(LOADER_STACK, LOADER_STACK);
	CONSTANT(STAGE2_ADDR, STAGE2_ADDR);
	CONSTANT(STAGE2_ENTRY, STAGE2_ENTRY);
	CONSTANT(STAGE2_MAX, STAGE2_MAX);
	CONSTANT(STAGE2_MAGIC, STAGE2_MAGIC);
}
