/*
 * test_trap.c - descriptor tables, exceptions, trap frames, what fault reports say.
 */
#include "tests.h"
#include "probes.h"
#include <dev/apic.h>
#include <kern/irq.h>
#include <kern/ksym.h>
#include <kern/selftest.h>
#include <kern/thread.h>
#include <lib/string.h>
#include <mm/kstack.h>
#include <mm/vmm.h>
#include <x86/cpu.h>
#include <x86/crash.h>
#include <x86/fault.h>
#include <x86/pic.h>
#include <x86/trap.h>

#define TEST_VECTOR 0x80

static struct trapframe seen; /* by the handlers below */
static unsigned hits;

/* selftest_catch() takes a function with an argument. */
static void
call(void *fn)
{
	void (*f)(void);

	memcpy(&f, fn, sizeof(f));
	f();
}

static int
catch_call(void (*fn)(void))
{
	return selftest_catch(call, &fn);
}

static void
record(struct trapframe *tf)
{
	seen = *tf;
	hits++;
}

void
test_trap_exceptions(void)
{
	CHECK_EQ(catch_call(crash_divide), TRAP_DE);
	CHECK_EQ(catch_call(crash_bad_opcode), TRAP_UD);
	CHECK_EQ(catch_call(crash_non_canonical), TRAP_GP);
	CHECK_EQ(catch_call(crash_page_fault), TRAP_PF);
	CHECK_EQ(read_cr2(), 8);
	CHECK(irqs_on());
}

void
test_trap_write_protection(void)
{
	CHECK_EQ(catch_call(crash_write_code), TRAP_PF);
	if (cpu_features.nx)
		CHECK_EQ(catch_call(crash_execute_data), TRAP_PF);
}

/* RSP is worthless: only a stack of its own (IST) lets the handler run at all. */
void
test_trap_double_fault(void)
{
	CHECK_EQ(catch_call(crash_double_fault), TRAP_DF);
	CHECK_EQ(catch_call(crash_double_fault), TRAP_DF); /* and again: nothing is left behind */
}

void
test_trap_stack_overflow(void)
{
	CHECK_EQ(catch_call(crash_stack_overflow), TRAP_DF);
	CHECK(kstack_is_guard(read_cr2()));
}

void
test_trap_registers_kept(void)
{
	hits = 0;
	trap_set_handler(TEST_VECTOR, record);
	CHECK_EQ(probe_registers(), 0);
	trap_set_handler(TEST_VECTOR, NULL);
	CHECK_EQ(hits, 1);
	CHECK_EQ(seen.vector, TEST_VECTOR);
	CHECK_EQ(seen.error, 0);
	CHECK_EQ(seen.cs, SEL_KERNEL_CODE);
	CHECK_EQ(seen.rax, 0x0101010101010101);
	CHECK_EQ(seen.r15, 0x0101010101010101 * 14);
	CHECK_EQ(seen.rbp, 0x0101010101010101 * 15);
	CHECK(seen.rip > (uint64_t)probe_registers && seen.rip < (uint64_t)probe_int);
}

static void
load_bad_selector(void)
{
	probe_load_es(0x1234);
}

/* Skip the faulting MOV ES, EDI (two bytes). */
static void
record_and_skip(struct trapframe *tf)
{
	record(tf);
	tf->rip += 2;
}

void
test_trap_error_code(void)
{
	trap_set_handler(TRAP_GP, record_and_skip);
	load_bad_selector();
	trap_set_handler(TRAP_GP, NULL);
	CHECK_EQ(seen.vector, TRAP_GP);
	CHECK_EQ(seen.error, 0x1234 & ~3U);
	CHECK_EQ(catch_call(load_bad_selector), TRAP_GP); /* the handler is gone */
}

void
test_trap_unexpected_vector(void)
{
	const uint64_t before = trap_unexpected();

	probe_int();
	CHECK_EQ(trap_unexpected(), before + 1);
}

void
test_trap_tables(void)
{
	const struct desc_ptr idtr = read_idtr(), gdtr = read_gdtr();
	const uint64_t *idt = (const uint64_t *)idtr.base;
	const uint64_t *gdt = (const uint64_t *)gdtr.base;

	CHECK_EQ(idtr.limit, 256 * 16 - 1);
	for (unsigned v = 0; v < TRAP_VECTORS; v++) {
		const uint64_t lo = idt[2 * v], dpl = (lo >> 45) & 3;
		const uint64_t target =
			(lo & 0xffff) | ((lo >> 32) & 0xffff0000) | idt[2 * v + 1] << 32;

		CHECK_EQ((lo >> 40) & 0x9f, 0x8e); /* present interrupt gate */
		CHECK_EQ((lo >> 16) & 0xffff, SEL_KERNEL_CODE);
		CHECK_EQ(dpl, v == TRAP_BP || v == TRAP_OF ? 3 : 0);
		CHECK_EQ(target, (uint64_t)trap_stubs + v * TRAP_STUB_SIZE);
	}
	CHECK_EQ((idt[2 * TRAP_DF] >> 32) & 7, IST_DF);
	CHECK_EQ((idt[2 * TRAP_NMI] >> 32) & 7, IST_NMI);
	CHECK_EQ((idt[2 * TRAP_MC] >> 32) & 7, IST_MC);
	CHECK_EQ((idt[2 * TRAP_PF] >> 32) & 7, 0);
	CHECK_EQ(gdtr.limit, 7 * 8 - 1);
	CHECK_EQ(gdt[0], 0);
	CHECK_EQ((gdt[SEL_TSS / 8] >> 40) & 0x9f, 0x8b); /* present, busy: LTR was here */
	CHECK_EQ(read_tr(), SEL_TSS);
}

/* Each exception has a name; the panic screen needs them. */
void
test_trap_names(void)
{
	for (unsigned v = 0; v < TRAP_EXCEPTIONS; v++)
		CHECK(trap_name(v)[0] != '\0');
	CHECK(strcmp(trap_mnemonic(TRAP_PF), "#PF") == 0);
	CHECK(strcmp(trap_name(TRAP_GP), "general protection fault") == 0);
	CHECK(trap_name(32)[0] == '\0');
}

static void
check_decode(uint64_t vector, uint64_t error, const char *expected)
{
	const struct trapframe tf = {.vector = vector, .error = error, .cs = SEL_KERNEL_CODE};
	char text[120];

	CHECK(fault_decode_error(&tf, text, sizeof(text)));
	if (strstr(text, expected) == NULL)
		selftest_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", text, expected);
}

void
test_trap_decode(void)
{
	const struct trapframe none = {.vector = TRAP_UD};
	char text[120];

	check_decode(TRAP_PF, 0, "not-present read supervisor");
	check_decode(TRAP_PF, 7, "rights-violation write user");
	check_decode(TRAP_PF, 0x11, "instruction-fetch");
	check_decode(TRAP_PF, 9, "reserved-bit");
	check_decode(TRAP_GP, 0, "no selector");
	check_decode(TRAP_GP, 0x28, "selector 0x28 (GDT entry 5)");
	check_decode(TRAP_NP, 0x0c, "LDT entry 1");
	check_decode(TRAP_GP, 0x402, "IDT gate 0x80");
	check_decode(TRAP_GP, 0x403, "external");
	CHECK(!fault_decode_error(&none, text, sizeof(text)));
}

static void
check_description(const char *expected, uint64_t error)
{
	const struct trapframe tf = {.vector = TRAP_PF, .error = error, .cs = SEL_KERNEL_CODE};
	struct fault_cr cr;
	char text[120];

	fault_cr_read(&cr);
	fault_describe(&tf, &cr, text, sizeof(text));
	if (strstr(text, expected) == NULL)
		selftest_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", text, expected);
}

/*
 * The sentence at the top of a panic says what was done to which address, and why it was refused.
 */
void
test_trap_describe(void)
{
	CHECK_EQ(catch_call(crash_page_fault), TRAP_PF);
	check_description("kernel reading 0x8 (null pointer)", 0);
	CHECK_EQ(catch_call(crash_write_code), TRAP_PF);
	check_description("(read-only page)", PF_PRESENT | PF_WRITE);
	CHECK_EQ(catch_call(crash_stack_overflow), TRAP_DF);
	check_description("(guard page of a kernel stack)", PF_WRITE);
	CHECK_EQ(catch_call(probe_call_null), TRAP_PF);
	check_description("kernel executing 0 (null pointer)", PF_FETCH);
}

/*
 * The lines nobody asked for are masked, and none is left in service behind our back.  With I/O APICs
 * that is so for all of them.
 */
void
test_trap_pic_state(void)
{
	const uint16_t imr = pic_imr();

	if (apic_why_not() == NULL) {
		CHECK_EQ(imr, 0xffff);
		CHECK_EQ(pic_isr(), 0);
		return;
	}
	CHECK_EQ(imr & (1 << 2), 0);	    /* the cascade is open */
	CHECK_EQ(imr & (1 << 0), 0);	    /* so is the timer */
	CHECK_EQ(imr & (1 << 13), 1 << 13); /* the x87's is not */
	CHECK_EQ(pic_isr() & ~(1 << 0), 0);
}

/* A spurious 7 must not send an EOI; a spurious 15 must send the master's. */
void
test_trap_pic_spurious(void)
{
	CHECK(pic_chip.is_spurious(7));
	CHECK(pic_chip.is_spurious(15));
	CHECK(!pic_chip.is_spurious(0));
	CHECK(!pic_chip.is_spurious(14));
	CHECK_EQ(pic_isr() & (1 << 2), 0);
}

static void
check_spurious(unsigned irq, void (*raise)(void))
{
	struct irq_stat before, after;

	irq_stat(irq, &before);
	raise();
	irq_stat(irq, &after);
	CHECK_EQ(after.spurious, before.spurious + 1);
	CHECK_EQ(after.count, before.count);
	CHECK(irqs_on());
}

/* All the way from the vector: counted as spurious, no handler called, the lines still work. */
void
test_trap_spurious_irq(void)
{
	check_spurious(7, probe_spurious_7);
	check_spurious(15, probe_spurious_15);
	CHECK_EQ(pic_isr() & ~(1 << 0), 0);
	CHECK_EQ(sleep_ms(20), 0); /* the timer's interrupts come */
}
