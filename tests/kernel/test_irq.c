/*
 * test_irq.c - interrupt lines, vectors, and the APICs where they are used.
 */
#include "tests.h"
#include "probes.h"
#include <dev/apic.h>
#include <dev/madt.h>
#include <kern/clock.h>
#include <kern/irq.h>
#include <kern/selftest.h>
#include <kern/thread.h>
#include <x86/cpu.h>
#include <x86/ioapic.h>
#include <x86/lapic.h>
#include <x86/percpu.h>
#include <x86/pic.h>
#include <x86/trap.h>

#define FREE_LINE   13 /* the x87's, which nothing in a 64-bit kernel uses */
#define FREE_GSI    19
#define FREE_VECTOR 0xe1
#define SENDS	    5

static volatile unsigned came;

static void
count(void *arg)
{
	(void)arg;
	came++;
}

static bool
apic(void)
{
	return apic_why_not() == NULL;
}

/* --- vectors ------------------------------------------------------------------------------------ */

static void
free_twice(void *arg)
{
	irq_vector_free(*(unsigned *)arg);
}

/* All can be had, each once, and none that has another meaning. */
void
test_irq_vectors(void)
{
	static uint8_t got[256];
	unsigned n = 0, v;
	int result;

	while ((result = irq_vector_alloc()) >= 0 && n < sizeof(got))
		got[n++] = (uint8_t)result;
	CHECK_EQ(result, -ENOSPC);
	for (unsigned i = 0; i < n; i++) {
		CHECK(got[i] >= IRQ_VECTOR_DYNAMIC && got[i] < IRQ_VECTOR_DYNAMIC_END);
		CHECK(got[i] != IRQ_VECTOR_SOFTWARE);
		CHECK(i == 0 || got[i] > got[i - 1]);
		CHECK_EQ(irq_of_vector(got[i]), IRQ_NONE);
		irq_vector_free(got[i]);
	}
	CHECK(n > 100);
	v = got[n - 1];
	CHECK_EQ(selftest_catch(free_twice, &v), SELFTEST_PANIC);
	v = IRQ_VECTOR_BASE;
	CHECK_EQ(selftest_catch(free_twice, &v), SELFTEST_PANIC);
}

void
test_irq_register(void)
{
	CHECK_EQ(irq_register(IRQ_MAX, "test", count, NULL), -EINVAL);
	CHECK_EQ(irq_register(FREE_LINE, "test", NULL, NULL), -EINVAL);
	CHECK_EQ(irq_vector(IRQ_MAX), 0);
	CHECK_EQ(irq_vector(FREE_LINE), IRQ_VECTOR_BASE + FREE_LINE);
	CHECK_EQ(irq_register(FREE_LINE, "test", count, NULL), 0);
	CHECK_EQ(irq_register(FREE_LINE, "test", count, NULL), -EBUSY);
	irq_unregister(FREE_LINE);
	irq_unregister(FREE_LINE); /* nothing to do */
	CHECK_EQ(irq_register(FREE_LINE, "test", count, NULL), 0);
	irq_unregister(FREE_LINE);
}

/* A line that is no ISA line has a vector while it is registered, and exists only with I/O APICs. */
void
test_irq_gsi(void)
{
	struct irq_stat s;
	unsigned vector;

	if (!lapic_in_use() || !ioapic_has(FREE_GSI)) {
		CHECK_EQ(irq_register(FREE_GSI, "test", count, NULL), -EINVAL);
		return;
	}
	CHECK_EQ(irq_vector(FREE_GSI), 0);
	CHECK_EQ(irq_register(FREE_GSI, "test", count, NULL), 0);
	vector = irq_vector(FREE_GSI);
	CHECK(vector >= IRQ_VECTOR_DYNAMIC && vector < IRQ_VECTOR_DYNAMIC_END);
	CHECK_EQ(irq_of_vector(vector), FREE_GSI);
	irq_stat(FREE_GSI, &s);
	CHECK(!s.masked);
	came = 0;
	lapic_self_ipi(vector);
	CHECK_EQ(came, 1);
	irq_unregister(FREE_GSI);
	irq_stat(FREE_GSI, &s);
	CHECK(s.masked);
	CHECK_EQ(irq_vector(FREE_GSI), 0);
	CHECK_EQ(irq_of_vector(vector), IRQ_NONE);
}

/* --- the local APIC ----------------------------------------------------------------------------- */

void
test_irq_lapic_state(void)
{
	if (!apic())
		return;
	CHECK_EQ(lapic_regs[LAPIC_SVR] & (SVR_ENABLE | LVT_VECTOR),
		 SVR_ENABLE | IRQ_VECTOR_SPURIOUS);
	CHECK_EQ(lapic_regs[LAPIC_TPR], 0);
	CHECK((lapic_regs[LAPIC_LVT_LINT0] & LVT_MASKED) != 0); /* the 8259A is shut out */
	CHECK_EQ(lapic_regs[LAPIC_LVT_ERROR] & (LVT_MASKED | LVT_VECTOR), IRQ_VECTOR_LAPIC_ERROR);
	CHECK_EQ(this_cpu()->apic_id, lapic_id());
	CHECK_EQ(this_cpu()->apic_errors, 0);
}

/* Each one is served and ended; those that meet while interrupts are off become one. */
void
test_irq_self_ipi(void)
{
	const unsigned vector = irq_vector(FREE_LINE);
	uint64_t flags;

	if (!apic())
		return;
	came = 0;
	CHECK_EQ(irq_register(FREE_LINE, "test", count, NULL), 0);
	for (unsigned i = 0; i < SENDS; i++)
		lapic_self_ipi(vector);
	CHECK_EQ(came, SENDS);
	CHECK(!lapic_in_service(vector));
	flags = irq_save();
	lapic_self_ipi(vector);
	lapic_self_ipi(vector);
	CHECK_EQ(came, SENDS);
	irq_restore(flags);
	irq_unregister(FREE_LINE);
	CHECK_EQ(came, SENDS + 1);
}

/* On a vector that is nobody's: ended all the same, or nothing of lower priority would come again. */
void
test_irq_unexpected(void)
{
	const uint64_t before = trap_unexpected();

	if (!apic())
		return;
	lapic_self_ipi(FREE_VECTOR);
	CHECK_EQ(trap_unexpected(), before + 1);
	CHECK(!lapic_in_service(FREE_VECTOR));
	test_irq_self_ipi();
}

/* A line that nobody handles is masked, and ended. */
void
test_irq_stray(void)
{
	const unsigned vector = irq_vector(FREE_LINE);
	struct irq_stat before, after;

	if (!apic())
		return;
	irq_stat(FREE_LINE, &before);
	lapic_self_ipi(vector);
	irq_stat(FREE_LINE, &after);
	CHECK_EQ(after.count, before.count + 1);
	CHECK(after.masked);
	CHECK(!lapic_in_service(vector));
}

/* It was taken back: counted, no EOI, nothing else disturbed. */
void
test_irq_lapic_spurious(void)
{
	const uint64_t before = this_cpu()->apic_spurious, unexpected = trap_unexpected();

	probe_spurious_ff();
	if (lapic_in_use())
		CHECK_EQ(this_cpu()->apic_spurious, before + 1);
	else
		CHECK_EQ(trap_unexpected(), unexpected + 1);
	CHECK_EQ(sleep_ms(20), 0); /* the timer's interrupts come */
}

/* --- the I/O APICs ------------------------------------------------------------------------------ */

/* The pin of each ISA line that is in use says what the firmware and the line demand. */
void
test_irq_ioapic_entries(void)
{
	const struct madt *m = apic_madt();
	struct ioapic_info io;
	unsigned seen = 0;

	if (!apic())
		return;
	for (unsigned irq = 0; irq < IRQ_ISA_LINES; irq++) {
		const struct madt_line *l = &m->isa[irq];
		struct irq_stat s;
		uint64_t e;

		irq_stat(irq, &s);
		if (s.name == NULL || !ioapic_info(0, &io) || l->gsi - io.gsi_base >= io.pins)
			continue;
		e = ioapic_entry(0, l->gsi - io.gsi_base);
		CHECK_EQ(e & IOAPIC_VECTOR, IRQ_VECTOR_BASE + irq);
		CHECK_EQ(e >> IOAPIC_DEST_SHIFT, lapic_id());
		CHECK_EQ(e & (IOAPIC_MASKED | IOAPIC_MODE | IOAPIC_LOGICAL), 0);
		CHECK_EQ((e & IOAPIC_LEVEL) != 0, l->level);
		CHECK_EQ((e & IOAPIC_LOW) != 0, l->low);
		seen++;
	}
	CHECK(seen > 0);
}

/*
 * Can the 8254's line be used for the tests below?  Where the MADT leaves it at pin 0, that may be
 * wrong: QEMU's microvm says so, and has it at pin 2.
 */
static bool
timer_line_free(void)
{
	struct irq_stat s;

	irq_stat(0, &s);
	return apic() && s.name == NULL && apic_madt()->isa[0].overridden;
}

/*
 * The 8254 goes on counting when another timer makes the tick, and its edges find a masked pin.  Once
 * somebody wants them, one that came before is delivered at once, and the others as they come.
 */
void
test_irq_edge_kept(void)
{
	const uint64_t end = clock_ns() + 2000 * NS_PER_MS;
	unsigned at_once;

	if (!timer_line_free())
		return;
	came = 0;
	CHECK_EQ(irq_register(0, "test", count, NULL), 0);
	at_once = came;
	while (came < at_once + 3 && clock_ns() < end)
		cpu_relax();
	irq_unregister(0);
	CHECK_EQ(at_once, 1);
	CHECK(came >= at_once + 3);
}

/* Wait, interrupts off, until the 8254's edge has reached what delivers line 0 now. */
static bool
edge_waits(bool by_apic)
{
	const uint64_t end = clock_ns() + 200 * NS_PER_MS;
	const unsigned v = IRQ_VECTOR_BASE;

	while (clock_ns() < end) {
		if (by_apic ? (lapic_regs[LAPIC_IRR + v / 32 * 4] >> v % 32 & 1) != 0
			    : (pic_irr() & 1) != 0)
			return true;
	}
	return false;
}

/* An edge that waits while the lines move, either way, is delivered, and the lines work afterwards. */
void
test_irq_move(void)
{
	uint64_t flags;
	unsigned before;
	bool waited;

	if (!timer_line_free())
		return;
	CHECK_EQ(irq_register(0, "test", count, NULL), 0);
	flags = irq_save();
	waited = edge_waits(true);
	before = came;
	irq_restore(flags); /* apic_give_back() wants interrupts on: the edge comes either here */
	apic_give_back();   /* or in there */
	CHECK(waited && came > before);
	CHECK_EQ(lapic_in_service(IRQ_VECTOR_BASE), 0);
	flags = irq_save();
	waited = edge_waits(false);
	before = came;
	apic_take_again();
	CHECK_EQ(came, before);
	irq_restore(flags);
	CHECK(waited && came > before);
	before = came;
	CHECK_EQ(sleep_ms(50), 0);
	CHECK(came > before);
	irq_unregister(0);
	CHECK_EQ(pic_isr(), 0);
}

/* --- the local APIC's timer --------------------------------------------------------------------- */

/* Its rate is what was measured, to 2%; an interruption of the host's may spoil some tries. */
void
test_irq_lapic_timer_rate(void)
{
	const uint64_t hz = lapic_timer_hz();
	uint64_t off = UINT64_MAX;

	if (hz == 0)
		return;
	for (unsigned i = 0; i < 50 && off > 20; i++) {
		const uint64_t flags = irq_save();
		const uint32_t from = lapic_regs[LAPIC_TIMER_CURRENT];
		const uint64_t start = clock_ns();
		uint64_t ns, counts, expected;

		while (clock_ns() - start < 500000)
			cpu_relax();
		counts = from - lapic_regs[LAPIC_TIMER_CURRENT];
		ns = clock_ns() - start;
		irq_restore(flags);
		expected = hz / 1000 * ns / 1000000;
		if (counts < UINT32_MAX / 2) /* it did not start over meanwhile */
			off = (counts > expected ? counts - expected : expected - counts) * 1000 /
			      expected;
	}
	CHECK(off <= 20);
}
