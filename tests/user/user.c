/*
 * user.c - from the kernel to ring 3 and back, for tests.
 */
#include "user.h"
#include <kern/selftest.h>
#include <kern/thread.h>
#include <lib/string.h>
#include <mm/kstack.h>
#include <mm/pmm.h>
#include <mm/vmm.h>
#include <x86/cpu.h>
#include <x86/switch.h>
#include <x86/trap.h>

#define BACK_VECTOR 0x80

static const unsigned vectors[] = {TRAP_DE, TRAP_BP, TRAP_UD, TRAP_NP,
				   TRAP_SS, TRAP_GP, TRAP_PF, BACK_VECTOR};

static struct jump_buf leave;
static struct user_result result;
static void *trap_stack;  /* RSP0 */
static paddr_t frames[3]; /* code, read-only data, stack */

/* Every trap that a probe can end in comes here; ones from ring 0 are real. */
static void
from_ring3(struct trapframe *tf)
{
	if ((tf->cs & 3) != 3)
		panic_at(tf, "trap %lu in ring 0 while a ring-3 test was running", tf->vector);
	result = (struct user_result){
		.vector = tf->vector,
		.error = tf->error,
		.rax = tf->rax,
		.rip = tf->rip,
		.cs = tf->cs,
		.ss = tf->ss,
		.rsp = tf->rsp,
		.rflags = tf->rflags,
		.cr2 = read_cr2(),
		.kernel_rflags = read_rflags(),
		.on_rsp0 = (uint64_t)(tf + 1) == tss_rsp0(),
	};
	jump_to(&leave, 1);
}

static void
map_page(vaddr_t va, paddr_t *frame, unsigned prot)
{
	*frame = pmm_alloc_zeroed(PMM_TEST);
	CHECK(*frame != PADDR_NONE);
	CHECK_EQ(vmm_map(va, *frame, PAGE_SIZE, VM_USER | prot), 0);
}

static void
set_up(const uint8_t *code, size_t len)
{
	CHECK(len <= PAGE_SIZE);
	map_page(USER_CODE, &frames[0], VM_EXEC);
	map_page(USER_RO, &frames[1], VM_READ);
	map_page(USER_STACK, &frames[2], VM_WRITE);
	memcpy(phys_to_virt(frames[0]), code, len);
	memset(phys_to_virt(frames[1]), 0xc3, PAGE_SIZE); /* RET, were it executable */
	trap_stack = kstack_alloc();
	CHECK(trap_stack != NULL);
	tss_set_rsp0((uint64_t)trap_stack + KSTACK_SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		trap_set_handler(vectors[i], from_ring3);
	idt_allow_user(BACK_VECTOR, true);
}

static void
tear_down(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		trap_set_handler(vectors[i], NULL);
	idt_allow_user(BACK_VECTOR, false);
	tss_set_rsp0((uint64_t)boot_stack_top);
	kstack_free(trap_stack);
	vmm_unmap(USER_CODE, PAGE_SIZE);
	vmm_unmap(USER_RO, PAGE_SIZE);
	vmm_unmap(USER_STACK, PAGE_SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
		pmm_free(frames[i]);
}

void
user_run(const uint8_t *code, const uint8_t *end, uint64_t arg, struct user_result *out)
{
	const struct trapframe tf = {
		.rdi = arg,
		.rip = USER_CODE,
		.cs = SEL_USER_CODE,
		.rflags = RFLAGS_IF | BIT(1), /* bit 1 is always set */
		.rsp = USER_STACK + PAGE_SIZE,
		.ss = SEL_USER_DATA,
	};

	set_up(code, (size_t)(end - code));
	if (jump_save(&leave) == 0)
		trap_return_to(&tf);
	irq_enable();
	tear_down();
	*out = result;
}
