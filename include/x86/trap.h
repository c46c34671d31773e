/*
 * trap.h - the trap frame and the one way into the kernel.
 *
 * Implementation: kernel/x86/trap.asm (256 stubs), trap.c (dispatch), gdt.c, idt.c.
 */
#pragma once
#include <lib/base.h>

/* As trap.asm pushes it, low to high address. */
struct trapframe {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector;
	uint64_t error;
	uint64_t rip, cs, rflags, rsp, ss; /* pushed by the CPU */
};

enum {
	TRAP_DE = 0,
	TRAP_DB = 1,
	TRAP_NMI = 2,
	TRAP_BP = 3,
	TRAP_OF = 4,
	TRAP_BR = 5,
	TRAP_UD = 6,
	TRAP_NM = 7,
	TRAP_DF = 8,
	TRAP_TS = 10,
	TRAP_NP = 11,
	TRAP_SS = 12,
	TRAP_GP = 13,
	TRAP_PF = 14,
	TRAP_MF = 16,
	TRAP_AC = 17,
	TRAP_MC = 18,
	TRAP_XM = 19,
	TRAP_VE = 20,
	TRAP_CP = 21,
	TRAP_HV = 28,
	TRAP_VC = 29,
	TRAP_SX = 30,
};
#define TRAP_EXCEPTIONS 32
#define TRAP_VECTORS	256
#define VECTOR_SYSCALL	0x100 /* in the frame of a system call: no interrupt vector */

/* Page-fault error code.  Spec: Intel SDM vol. 3A, "Page-Fault Exceptions". */
#define PF_PRESENT BIT(0) /* the page is mapped, its rights forbid the access */
#define PF_WRITE   BIT(1)
#define PF_USER	   BIT(2) /* from ring 3 */
#define PF_RSVD	   BIT(3) /* a reserved bit is set in an entry */
#define PF_FETCH   BIT(4) /* instruction fetch */

/* Mnemonic and name of exception @vector ("#PF", "page fault"); "" for reserved ones. */
const char *trap_mnemonic(unsigned vector);
const char *trap_name(unsigned vector);

/* GDT with kernel and user segments and the TSS, IST stacks, IDT with 256 gates.  0. */
int gdt_init(void) INIT;
int idt_init(void) INIT;

/* Selectors; order demanded by SYSCALL/SYSRET (STAR).  Also read by the assembler. */
#define SEL_KERNEL_CODE 0x08
#define SEL_KERNEL_DATA 0x10
#define SEL_USER_DATA	0x1b /* with RPL 3 */
#define SEL_USER_CODE	0x23
#define SEL_TSS		0x28

#define IST_DF	  1
#define IST_NMI	  2
#define IST_MC	  3
#define IST_PANIC 4 /* no gate names it: panic() goes there by itself */

/*
 * Exception stacks of their own, a guard page below each: [stack][page of guard, then the stack].
 */
#define IST_COUNT      4
#define IST_STACK_SIZE 8192
extern uint8_t ist_area[IST_COUNT][4096 + IST_STACK_SIZE];

/* The stack that the CPU takes on entry from ring 3. */
void tss_set_rsp0(uint64_t rsp0);
uint64_t tss_rsp0(void);

/*
 * Handler for a software vector (30h-FFh) or an exception; NULL removes.  For tests and, later,
 * system calls.
 */
void trap_set_handler(unsigned vector, void (*fn)(struct trapframe *tf));
/* May ring 3 reach @vector with an INT instruction?  (#BP and #OF may from the start.) */
void idt_allow_user(unsigned vector, bool allow);
/* From trap.asm, every interrupt and exception.  Interrupts are off. */
void trap_dispatch(struct trapframe *tf);
/* Interrupts on vectors that nobody handles, so far. */
uint64_t trap_unexpected(void);
/* Leave for ring 3 with the registers of @tf (its cs and ss decide). */
NORETURN void trap_return_to(const struct trapframe *tf);

/*
 * Labels in trap.asm: stub of vector n at trap_stubs + n * TRAP_STUB_SIZE; where trap_dispatch()
 * returns to, after NMI, #DF and #MC to the second.
 */
#define TRAP_STUB_SIZE 12
extern uint8_t trap_stubs[], trap_return[], trap_paranoid_return[], trap_clac[];

/* Is @ret, a return address, one of trap_dispatch()'s?  Then a trap frame stands above it on the stack. */
static inline bool
trap_returns_to(uint64_t ret)
{
	return ret == (uint64_t)trap_return || ret == (uint64_t)trap_paranoid_return;
}

/* For `gdt` and `idt`: copies of descriptor tables as the CPU has them. */
struct desc_ptr {
	uint16_t limit;
	uint64_t base;
} PACKED;
struct desc_ptr read_gdtr(void);
struct desc_ptr read_idtr(void);
uint16_t read_tr(void);
