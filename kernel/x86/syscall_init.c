/*
 * syscall_init.c - tells the CPU where SYSCALL goes.
 *
 * Spec: Intel SDM vol. 3A, "Fast System Calls in 64-Bit Mode" (STAR, LSTAR, FMASK).
 */
#include <kern/syscall.h>
#include <x86/cpu.h>
#include <x86/fpu.h>
#include <x86/syscall.h>
#include <x86/trap.h>

/* SYSRET takes CS from STAR[63:48] + 16 and SS from + 8. */
#define SYSRET_BASE (SEL_USER_DATA - 8)
_Static_assert(SYSRET_BASE + 16 == SEL_USER_CODE, "order of the user segments");

/* Off while the kernel has not got its bearings. */
#define MASKED (RFLAGS_IF | RFLAGS_DF | RFLAGS_TF | RFLAGS_NT | RFLAGS_AC)

int
syscall_init(void)
{
	fpu_init();
	wrmsr(MSR_STAR, (uint64_t)SYSRET_BASE << 48 | (uint64_t)SEL_KERNEL_CODE << 32);
	wrmsr(MSR_LSTAR, (uint64_t)syscall_entry);
	wrmsr(MSR_SFMASK, MASKED);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
	return 0;
}
