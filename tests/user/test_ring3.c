/*
 * test_ring3.c - what ring 3 may and may not do, and that every way out of it leads to the kernel.
 *
 * Proves the user segments, the TSS's RSP0, the gates' privilege levels and the U, W and NX bits.
 */
#include "../kernel/tests.h"
#include "user.h"
#include <kern/clock.h>
#include <kern/selftest.h>
#include <kern/thread.h>
#include <mm/pmm.h>
#include <mm/vmm.h>
#include <x86/cpu.h>
#include <x86/trap.h>

#define PAGE_FAULT_USER_READ  (PF_USER)
#define PAGE_FAULT_USER_WRITE (PF_USER | PF_WRITE)

USER_PROBE(back);
USER_PROBE(stack);
USER_PROBE(cli);
USER_PROBE(hlt);
USER_PROBE(in);
USER_PROBE(out);
USER_PROBE(cr3);
USER_PROBE(wrmsr);
USER_PROBE(lgdt);
USER_PROBE(sgdt);
USER_PROBE(int81);
USER_PROBE(breakpoint);
USER_PROBE(ud2);
USER_PROBE(divide);
USER_PROBE(read);
USER_PROBE(write);
USER_PROBE(call);
USER_PROBE(iopl);
USER_PROBE(spin);
USER_PROBE(registers);
USER_PROBE(ac);

static void
check_ring3(const struct user_result *r)
{
	CHECK_EQ(r->cs, SEL_USER_CODE);
	CHECK_EQ(r->ss, SEL_USER_DATA);
	CHECK(r->on_rsp0);
	CHECK((r->kernel_rflags & RFLAGS_IF) == 0); /* interrupt gates */
}

void
test_user_enter_and_return(void)
{
	struct user_result r;

	USER_RUN(back, 0, &r);
	CHECK_EQ(r.vector, 0x80);
	CHECK_EQ(r.rax, SEL_USER_CODE);
	check_ring3(&r);
	CHECK((r.rflags & RFLAGS_IF) != 0);
	USER_RUN(stack, 41, &r);
	CHECK_EQ(r.rax, 42);
	CHECK_EQ(r.rsp, USER_STACK + PAGE_SIZE);
}

static void
check_general_protection(const uint8_t *code, const uint8_t *end, uint64_t error)
{
	struct user_result r;

	user_run(code, end, USER_RO, &r);
	CHECK_EQ(r.vector, TRAP_GP);
	CHECK_EQ(r.error, error);
	CHECK(r.rip >= USER_CODE && r.rip < USER_CODE + (size_t)(end - code));
	check_ring3(&r);
}

#define CHECK_GP(name, error) \
	check_general_protection(user_probe_##name, user_probe_##name##_end, error)

void
test_user_privileged(void)
{
	CHECK_GP(cli, 0);
	CHECK_GP(hlt, 0);
	CHECK_GP(in, 0);
	CHECK_GP(out, 0);
	CHECK_GP(cr3, 0);
	CHECK_GP(wrmsr, 0);
	CHECK_GP(lgdt, 0);
}

/* Spec: Intel SDM vol. 3A, "Error Code": the index of the gate and the IDT bit. */
void
test_user_closed_gate(void)
{
	struct user_result r;

	USER_RUN(int81, 0, &r);
	CHECK_EQ(r.vector, TRAP_GP);
	CHECK_EQ(r.error & 7, 2);
	/*
	 * QEMU's TCG before 8.0 counts gates of 16 bytes in units of 8 and so says twice the index.
	 */
	CHECK(r.error >> 3 == 0x81 || r.error >> 3 == 0x102);
	check_ring3(&r);
}

/* Where the CPU has UMIP, ring 3 does not learn where the kernel's tables are. */
void
test_user_umip(void)
{
	struct user_result r;

	USER_RUN(sgdt, 0, &r);
	CHECK_EQ(r.vector, cpu_features.umip ? TRAP_GP : 0x80);
}

void
test_user_exceptions(void)
{
	struct user_result r;

	USER_RUN(ud2, 0, &r);
	CHECK_EQ(r.vector, TRAP_UD);
	check_ring3(&r);
	USER_RUN(divide, 0, &r);
	CHECK_EQ(r.vector, TRAP_DE);
	check_ring3(&r);
	USER_RUN(breakpoint, 0, &r);
	CHECK_EQ(r.vector, TRAP_BP);
	CHECK_EQ(r.rip, USER_CODE + 1); /* a trap: behind the instruction */
	check_ring3(&r);
}

static void
check_page_fault(const struct user_result *r, uint64_t cr2, uint64_t error)
{
	CHECK_EQ(r->vector, TRAP_PF);
	CHECK_EQ(r->cr2, cr2);
	CHECK_EQ(r->error, error);
	check_ring3(r);
}

void
test_user_memory(void)
{
	static uint64_t kernel_word = 0x1234;
	const uint64_t kernel = (uint64_t)&kernel_word;
	struct user_result r;

	USER_RUN(read, USER_RO, &r);
	CHECK_EQ(r.vector, 0x80);
	CHECK_EQ(r.rax, 0xc3c3c3c3c3c3c3c3);
	USER_RUN(write, USER_STACK, &r);
	CHECK_EQ(r.vector, 0x80);
	CHECK_EQ(r.rax, 42);

	USER_RUN(read, kernel, &r);
	check_page_fault(&r, kernel, PF_USER | PF_PRESENT);
	USER_RUN(write, kernel, &r);
	check_page_fault(&r, kernel, PF_USER | PF_PRESENT | PF_WRITE);
	CHECK_EQ(kernel_word, 0x1234);
	USER_RUN(read, DIRECT_MAP_BASE + MIB(1), &r);
	check_page_fault(&r, DIRECT_MAP_BASE + MIB(1), PF_USER | PF_PRESENT);

	USER_RUN(write, USER_RO, &r);
	check_page_fault(&r, USER_RO, PF_USER | PF_PRESENT | PF_WRITE);
	USER_RUN(write, USER_CODE, &r);
	check_page_fault(&r, USER_CODE, PF_USER | PF_PRESENT | PF_WRITE);
	USER_RUN(read, 0, &r);
	check_page_fault(&r, 0, PAGE_FAULT_USER_READ);
	USER_RUN(write, USER_STACK + 4 * PAGE_SIZE, &r);
	check_page_fault(&r, USER_STACK + 4 * PAGE_SIZE, PAGE_FAULT_USER_WRITE);
}

void
test_user_no_execute(void)
{
	struct user_result r;
	const uint64_t nx = cpu_features.nx ? PF_FETCH : 0;

	if (cpu_features.nx) {
		USER_RUN(call, USER_RO, &r);
		check_page_fault(&r, USER_RO, PF_USER | PF_PRESENT | PF_FETCH);
	}
	USER_RUN(call, (uint64_t)test_user_no_execute, &r); /* kernel text */
	check_page_fault(&r, (uint64_t)test_user_no_execute, PF_USER | PF_PRESENT | nx);
	USER_RUN(call, 0x8000000000000000, &r);
	CHECK_EQ(r.vector, TRAP_GP);
}

/* POPF cannot turn interrupts off or raise the I/O privilege. */
void
test_user_flags(void)
{
	struct user_result r;

	USER_RUN(iopl, 0, &r);
	CHECK_EQ(r.vector, 0x80);
	CHECK((r.rax & RFLAGS_IF) != 0);
	CHECK_EQ(r.rax & 0x3000, 0);
}

static volatile bool stop;
static volatile uint64_t turns;

static void
count_turns(void *unused)
{
	(void)unused;
	while (!stop) {
		turns++;
		sched_yield();
	}
}

/*
 * The timer takes the CPU away from ring 3, another thread runs, and ring 3 goes on as if nothing
 * were.
 */
void
test_user_preempted(void)
{
	const uint64_t ticks = clock_ticks(), burn = clock_tsc_hz() / 20; /* 50 ms */
	struct thread *t;
	struct user_result r;

	if (burn == 0)
		return; /* no TSC to measure with */
	stop = false;
	turns = 0;
	t = thread_create("turns", count_turns, NULL);
	CHECK(t != NULL);
	USER_RUN(spin, burn, &r);
	CHECK_EQ(r.vector, 0x80);
	CHECK_EQ(r.rax, 77);
	USER_RUN(registers, burn, &r);
	stop = true;
	(void)thread_join(t);
	CHECK_EQ(r.rax, UINT64_MAX); /* the sum of the five */
	CHECK(clock_ticks() - ticks >= 4);
	CHECK(turns > 0);
}

static void
read_byte(void *p)
{
	(void)*(volatile uint8_t *)p;
}

static void
execute(void *p)
{
	((void (*)(void))(uintptr_t)p)();
}

/*
 * Where the CPU has SMAP and SMEP the kernel itself keeps out of user pages, unless it opens the
 * door.
 */
void
test_user_smap_smep(void)
{
	paddr_t pa;
	const uint64_t va = USER_RO;
	uint8_t byte = 0;
	struct user_result r;
	int read_result, exec_result;

	USER_RUN(ac, 0, &r);
	CHECK_EQ(r.vector, 0x80);
	CHECK((r.rflags & RFLAGS_AC) != 0);
	if (cpu_features.smap)
		CHECK((r.kernel_rflags & RFLAGS_AC) == 0); /* closed on entry */

	pa = pmm_alloc_zeroed(PMM_TEST);
	CHECK(pa != PADDR_NONE);
	*(uint8_t *)phys_to_virt(pa) = 0xc3;
	CHECK_EQ(vmm_map(va, pa, PAGE_SIZE, VM_USER | VM_EXEC), 0);
	read_result = selftest_catch(read_byte, (void *)va);
	exec_result = selftest_catch(execute, (void *)va);
	CHECK_EQ(vmm_probe_read(&byte, va, 1), 0); /* the door */
	vmm_unmap(va, PAGE_SIZE);
	pmm_free(pa);
	CHECK_EQ(byte, 0xc3);
	CHECK_EQ(read_result, cpu_features.smap ? TRAP_PF : -1);
	CHECK_EQ(exec_result, cpu_features.smep ? TRAP_PF : -1);
}
