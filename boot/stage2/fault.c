/*
 * fault.c - exceptions in the loader's own code, and in a BIOS that it calls: printed, then stop.
 *
 * fault_stubs.asm holds the entry points.  There is no way to go on: a loader that faulted is not
 * to be trusted.
 * Spec: Intel SDM vol. 3A, "Exception and Interrupt Reference", "IDT Descriptors", "64-Bit Mode
 * IDT".
 */
#include "stage2.h"
#include "x86.h"

#define VECTORS	   32
#define SEL_CODE32 0x08
#define SEL_CODE64 0x28
#define GATE	   0x8e00 /* present, ring 0, interrupt gate */

static const char advice32[] =
	"This is a mistake in the loader or damaged memory; please report these lines.";
static const char advice64[] =
	"The kernel failed before it could report itself; please report these lines.";

static uint64_t idt[VECTORS];

void
fault_init(void)
{
	for (uint32_t i = 0; i < VECTORS; i++) {
		const uint32_t at = (uint32_t)fault_stubs32 + i * FAULT_STUB_SIZE;

		idt[i] = (uint64_t)((at & 0xffff0000) | GATE) << 32 | SEL_CODE32 << 16 |
			 (at & 0xffff);
	}
	idt32_pointer.limit = sizeof(idt) - 1;
	idt32_pointer.base = (uint32_t)idt;
	__asm__ volatile("lidt %0" ::"m"(idt32_pointer));
}

void
fault_init64(uint32_t where)
{
	uint32_t *gate = (uint32_t *)where;

	for (uint32_t i = 0; i < VECTORS; i++, gate += 4) {
		const uint32_t at = (uint32_t)fault_stubs64 + i * FAULT_STUB_SIZE;

		gate[0] = SEL_CODE64 << 16 | (at & 0xffff);
		gate[1] = (at & 0xffff0000) | GATE;
		gate[2] = gate[3] = 0;
	}
}

void
fault_report(void)
{
	const struct fault_record *f = &fault_record;

	die(f->bits == 64 ? advice64 : advice32,
	    "exception %u, error code %xh, in %u-bit code at %x:%llxh, SP %llxh, flags %llxh, "
	    "CR0 %xh, CR2 %llxh, CR3 %xh, CR4 %xh",
	    f->vector, f->error, f->bits, f->cs, (unsigned long long)f->ip,
	    (unsigned long long)f->sp, (unsigned long long)f->flags, read_cr0(),
	    (unsigned long long)f->cr2, read_cr3(), trace_known.cr4 ? read_cr4() : 0);
}

void
fault_real_mode(uint32_t cs, uint32_t ip)
{
	die("Update the BIOS, or boot from another drive or port.",
	    "invalid opcode in real mode (the BIOS's) at %04x:%04x", cs & 0xffff, ip & 0xffff);
}
