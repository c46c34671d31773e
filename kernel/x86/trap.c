/*
 * trap.c - what happens after trap.asm has built the frame: interrupts to their handlers,
 * exceptions to whoever asked for them, else to a panic.
 */
#include <x86/trap.h>
#include <kern/irq.h>
#include <kern/process.h>
#include <kern/selftest.h>
#include <kern/thread.h>
#include <kern/watchdog.h>
#include <kern/usercopy.h>
#include <mm/aspace.h>
#include <x86/cpu.h>
#include <x86/extable.h>
#include <x86/fault.h>
#include <x86/lapic.h>
#include <x86/mca.h>
#include <x86/percpu.h>

static void (*handlers[TRAP_VECTORS])(struct trapframe *tf); /* [a] */
static uint64_t unexpected;				     /* [a] */

/*
 * Spec: Intel SDM vol. 3A, "Protected-Mode Exceptions and Interrupts"; AMD APM vol. 2, "Vectors"
 * (28-30).
 */
static const struct {
	const char *mnemonic, *name;
} exceptions[TRAP_EXCEPTIONS] = {
	[TRAP_DE] = {"#DE", "divide error"},
	[TRAP_DB] = {"#DB", "debug exception"},
	[TRAP_NMI] = {"NMI", "non-maskable interrupt"},
	[TRAP_BP] = {"#BP", "breakpoint"},
	[TRAP_OF] = {"#OF", "overflow"},
	[TRAP_BR] = {"#BR", "bound range exceeded"},
	[TRAP_UD] = {"#UD", "invalid opcode"},
	[TRAP_NM] = {"#NM", "FPU or SSE not available"},
	[TRAP_DF] = {"#DF", "double fault"},
	[9] = {"#MP", "coprocessor segment overrun"},
	[TRAP_TS] = {"#TS", "invalid TSS"},
	[TRAP_NP] = {"#NP", "segment not present"},
	[TRAP_SS] = {"#SS", "stack-segment fault"},
	[TRAP_GP] = {"#GP", "general protection fault"},
	[TRAP_PF] = {"#PF", "page fault"},
	[15] = {"", "reserved exception 15"},
	[TRAP_MF] = {"#MF", "x87 floating-point error"},
	[TRAP_AC] = {"#AC", "alignment check"},
	[TRAP_MC] = {"#MC", "machine check"},
	[TRAP_XM] = {"#XM", "SIMD floating-point exception"},
	[TRAP_VE] = {"#VE", "virtualization exception"},
	[TRAP_CP] = {"#CP", "control protection exception"},
	[22] = {"", "reserved exception 22"},
	[23] = {"", "reserved exception 23"},
	[24] = {"", "reserved exception 24"},
	[25] = {"", "reserved exception 25"},
	[26] = {"", "reserved exception 26"},
	[27] = {"", "reserved exception 27"},
	[TRAP_HV] = {"#HV", "hypervisor injection exception"},
	[TRAP_VC] = {"#VC", "VMM communication exception"},
	[TRAP_SX] = {"#SX", "security exception"},
	[31] = {"", "reserved exception 31"},
};

const char *
trap_mnemonic(unsigned vector)
{
	return vector < TRAP_EXCEPTIONS ? exceptions[vector].mnemonic : "";
}

const char *
trap_name(unsigned vector)
{
	return vector < TRAP_EXCEPTIONS ? exceptions[vector].name : "";
}

void
trap_set_handler(unsigned vector, void (*fn)(struct trapframe *tf))
{
	assert(vector < TRAP_VECTORS);
	assert(irq_by_vector[vector] == NULL); /* those are irq_register()'s */
	handlers[vector] = fn;
}

uint64_t
trap_unexpected(void)
{
	return unexpected;
}

/* Nobody handles it: the end, unless it may be survived or a self-test waits for just this. */
static __attribute__((noinline)) void
exception_unhandled(struct trapframe *tf)
{
	if (tf->rip == (uint64_t)safe_read_insn) {
		tf->rip = (uint64_t)safe_read_failed;
		return;
	}
	if (tf->vector == TRAP_NMI && (watchdog_nmi(tf) || nmi_survived()))
		return;
	if (tf->vector == TRAP_MC && mca_survived())
		return;
	if (!panic_in_progress()) {
		const uint64_t cr2 = read_cr2();

		selftest_trap_hook(tf);
		write_cr2(cr2); /* its careful look may have faulted */
	}
	panic_trap(tf);
}

/* When memory is short, whoever holds most of it goes. */
static int
bring_in(struct process *p, uint64_t va, uint64_t error)
{
	p->minor_faults++;
	for (;;) {
		const int result = aspace_fault(p->as, va, error);

		if (result != -ENOMEM || !oom_kill())
			return result;
	}
}

/* Nobody could be ended to make room: then it is this one.  With a signal waiting, that comes first. */
static void
no_memory(struct process *p)
{
	const struct k_siginfo info = {.signo = SIGKILL, .code = SI_KERNEL};

	if (signal_pending())
		return;
	log_warn("out of memory: %s[%d] cannot go on", p->comm, p->pid);
	(void)signal_send(p, &info);
}

static void
fault_signal(struct task *t, struct trapframe *tf, uint64_t va, int result)
{
	t->fault_addr = va;
	if (result == -ENOMEM)
		no_memory(t->proc);
	else if (result == -ENXIO || result == -EIO)
		signal_fault(tf, SIGBUS, BUS_ADRERR, va);
	else
		signal_fault(tf, SIGSEGV, result == -EACCES ? SEGV_ACCERR : SEGV_MAPERR, va);
}

/* Exceptions of programs as signals: number, si_code, and whether si_addr is the instruction's. */
static const struct {
	uint8_t signo, code;
	bool at_rip;
} user_signals[TRAP_EXCEPTIONS] = {
	[TRAP_DE] = {SIGFPE, FPE_INTDIV, true},	   [TRAP_DB] = {SIGTRAP, TRAP_TRACE, true},
	[TRAP_BP] = {SIGTRAP, SI_KERNEL, false},   [TRAP_OF] = {SIGSEGV, SI_KERNEL, false},
	[TRAP_BR] = {SIGSEGV, SI_KERNEL, false},   [TRAP_UD] = {SIGILL, ILL_ILLOPN, true},
	[TRAP_TS] = {SIGSEGV, SI_KERNEL, false},   [TRAP_NP] = {SIGBUS, SI_KERNEL, false},
	[TRAP_SS] = {SIGBUS, SI_KERNEL, false},	   [TRAP_GP] = {SIGSEGV, SI_KERNEL, false},
	[TRAP_PF] = {SIGSEGV, SEGV_MAPERR, false}, [TRAP_MF] = {SIGFPE, FPE_FLTINV, true},
	[TRAP_AC] = {SIGBUS, BUS_ADRALN, false},   [TRAP_XM] = {SIGFPE, FPE_FLTINV, true},
};

/* An exception in ring 3 that is not a page fault within its half.  True: it is settled. */
static __attribute__((noinline)) bool
user_exception(struct trapframe *tf)
{
	struct task *t = this_cpu()->task; /* the thread's own word of it may be what is broken */
	const uint64_t vector = tf->vector;

	if (t == NULL || user_signals[vector].signo == 0)
		return false;
	if (vector == TRAP_PF)
		t->fault_addr = read_cr2();
	irq_enable();
	signal_fault(tf, user_signals[vector].signo, user_signals[vector].code,
		     user_signals[vector].at_rip ? tf->rip
		     : vector == TRAP_PF	 ? t->fault_addr
						 : 0);
	irq_disable();
	return true;
}

/* A page fault of a program, or of the kernel on a program's memory.  True: it is settled. */
static __attribute__((noinline)) bool
user_fault(struct trapframe *tf)
{
	const uint64_t va = read_cr2();
	const bool from_user = (tf->cs & 3) == 3;
	struct task *t = this_cpu()->task;
	const uint64_t then = from_user ? 0 : extable_find(tf->rip);
	int result;

	if (t == NULL || va >= USER_END || (!from_user && then == 0))
		return false;
	if ((tf->rflags & RFLAGS_IF) == 0)
		return false; /* no place from which to wait for a page */
	irq_enable();
	result = t->proc->as != NULL ? bring_in(t->proc, va, tf->error) : -EFAULT;
	if (result != 0 && from_user)
		fault_signal(t, tf, va, result);
	irq_disable();
	if (result == 0 || from_user)
		return true;
	tf->rip = then;
	return true;
}

/*
 * A stray INT instruction, or hardware that nobody set up.  Saying so once is enough.  If it came by
 * the local APIC, that waits for an EOI and lets nothing of lower priority through.
 */
static __attribute__((noinline)) void
interrupt_unhandled(unsigned vector)
{
	if (lapic_in_service(vector))
		lapic_eoi();
	if (unexpected++ == 0)
		log_warn("trap: interrupt on vector %#x, which nobody handles", vector);
}

static void
dispatch(struct trapframe *tf)
{
	const uint64_t vector = tf->vector;
	struct irq_line *line = irq_by_vector[vector];

	if (likely(line != NULL)) {
		this_cpu()->interrupted_cs = (uint16_t)tf->cs;
		irq_dispatch(line);
		sched_preempt_check();
		return;
	}
	if (vector < TRAP_EXCEPTIONS &&
	    ((vector == TRAP_PF && user_fault(tf)) || ((tf->cs & 3) == 3 && user_exception(tf))))
		return;
	if (handlers[vector] != NULL) {
		handlers[vector](tf);
	} else if (vector < TRAP_EXCEPTIONS) {
		exception_unhandled(tf);
	} else {
		interrupt_unhandled((unsigned)vector);
	}
}

void
trap_dispatch(struct trapframe *tf)
{
	if (IRQSOFF_TRACE)
		irqsoff_begin();
	dispatch(tf);
	if (IRQSOFF_TRACE && (tf->rflags & RFLAGS_IF) != 0)
		irqsoff_end();
}
