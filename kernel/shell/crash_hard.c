/*
 * crash_hard.c - crashes that take away what a report usually stands on: stack, page tables, locks,
 * the thread, the report itself.  For `crash KIND`; what each shows: docs/traps.md.
 */
#include <dev/console.h>
#include <kern/clock.h>
#include <kern/spinlock.h>
#include <kern/thread.h>
#include <kern/timer.h>
#include <lib/string.h>
#include <mm/image.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>
#include <mm/vmm.h>
#include <x86/cpu.h>
#include <x86/crash.h>
#include <x86/dr.h>
#include <x86/fault.h>
#include <x86/pte.h>
#include <x86/trap.h>
#include "cmds.h"

/* --- where a panic may come ----------------------------------------------------------------- */

static void
timer_panics(void *arg)
{
	panic("asked for in an interrupt");
}

void
crash_irq(void)
{
	static struct timer timer;

	timer_setup(&timer, timer_panics, NULL);
	timer_arm(&timer, clock_ns());
	(void)sh_sleep_ms(1000);
}

static unsigned steps_wanted; /* instructions with interrupts off until the panic */
static unsigned steps;

/* After each instruction: a lock is held when interrupts have been off for a while. */
static void
stepped(struct trapframe *tf)
{
	if (tf->rflags & RFLAGS_IF || (LOCK_ORDER && lock_order_held(0) == NULL))
		steps = 0;
	else
		steps++;
	if (steps < steps_wanted)
		return;
	trap_set_handler(TRAP_DB, NULL);
	panic_at(tf, "asked for while a lock is held");
}

static void
panic_inside(void (*fn)(void), unsigned nr_steps)
{
	steps = 0;
	steps_wanted = nr_steps;
	trap_set_handler(TRAP_DB, stepped);
	crash_single_step(fn);
	trap_set_handler(TRAP_DB, NULL);
	sh_printf("it was through before: nothing to see\n");
}

static void
allocate(void)
{
	kfree(kmalloc(100));
}

/* Behind the taking of its lock. */
void
crash_alloc(void)
{
	panic_inside(allocate, 10);
}

static void
print(void)
{
	static const char text[] = "crash output: \x1b[1;3"; /* ends within an escape sequence */

	console_write(text, sizeof(text) - 1);
}

/* In the middle of the bytes. */
void
crash_output(void)
{
	panic_inside(print, 400);
}

/* A breakpoint in the report, so that reporting the panic fails. */
void
crash_printer(void)
{
	write_dr0((uint64_t)fault_print_regs);
	write_dr7(DR7_L0);
	panic("asked for, and its report fails");
}

/* The same in what the double fault's handler does first. */
void
crash_handler(void)
{
	write_dr0((uint64_t)fault_cr_read);
	write_dr7(DR7_L0);
	crash_double_fault();
}

/* --- the stack, the thread ------------------------------------------------------------------ */

void
crash_rsp(void)
{
	crash_with_rsp(0xdeadbeefdeadbeef);
}

/* Mapped, but not writable. */
void
crash_rsp_code(void)
{
	crash_with_rsp((uint64_t)kernel_text_start + PAGE_SIZE);
}

/* Mapped and writable, but not the kernel's. */
void
crash_rsp_user(void)
{
	const vaddr_t page = 0x400000;
	const paddr_t frame = pmm_alloc(PMM_TEST);

	if (frame == PADDR_NONE || vmm_map(page, frame, PAGE_SIZE, VM_USER | VM_WRITE) != 0) {
		sh_printf("out of memory\n");
		return;
	}
	crash_with_rsp(page + PAGE_SIZE);
}

void
crash_thread(void)
{
	irq_disable();
	sched_current = (struct thread *)0xdead0000beef0000;
	crash_bad_opcode();
}

/* --- the page tables ------------------------------------------------------------------------ */

/* Global pages, too. */
static void
forget_translations(void)
{
	const uint64_t cr4 = read_cr4();

	write_cr3(read_cr3());
	write_cr4(cr4 & ~CR4_PGE);
	write_cr4(cr4);
}

static void
break_direct_map(pte_t clear, pte_t set)
{
	pte_t *const pml4 = phys_to_virt(read_cr3() & PTE_ADDR);
	pte_t *const e = &pml4[pte_index(DIRECT_MAP_BASE, 4)];

	irq_disable();
	*e = (*e & ~clear) | set;
	forget_translations();
	crash_read(DIRECT_MAP_BASE + KERNEL_PHYS);
}

void
crash_pml4(void)
{
	break_direct_map(UINT64_MAX, 0);
}

/* The highest address bit, which no CPU of today has. */
void
crash_reserved(void)
{
	if (cpu_features.phys_bits >= 52) {
		sh_printf("this CPU has all address bits: nothing is reserved\n");
		return;
	}
	break_direct_map(0, BIT(51));
}

/* A PML4 with the kernel's image and nothing else: no stack, no direct map. */
void
crash_cr3(void)
{
	const pte_t *const pml4 = phys_to_virt(read_cr3() & PTE_ADDR);
	const paddr_t frame = pmm_alloc_zeroed(PMM_TEST);

	if (frame == PADDR_NONE) {
		sh_printf("out of memory\n");
		return;
	}
	((pte_t *)phys_to_virt(frame))[pte_index(KERNEL_VMA, 4)] = pml4[pte_index(KERNEL_VMA, 4)];
	irq_disable();
	write_cr3(frame);
	forget_translations();
	crash_bad_opcode();
}

/* Nothing but an NMI, or a reset, gets the machine out of it. */
void
crash_hang(void)
{
	sh_printf("hanging, interrupts off\n");
	irq_disable();
	for (;;)
		cpu_relax();
}
