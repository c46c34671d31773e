/*
 * cmd_desc.c - `gdt` and `idt`: the descriptor tables as the CPU has them, decoded.
 *
 * Spec: Intel SDM vol. 3A, "Segment Descriptors", "TSS Descriptor in 64-bit Mode", "64-Bit Mode Task
 * State Segment", "64-Bit Mode IDT".
 */
#include <kern/irq.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/vmm.h>
#include <x86/trap.h>
#include "cmds.h"

/* Copy @len bytes of a table that the CPU uses; complains if that is not readable. */
static bool
read_table(void *dst, vaddr_t base, size_t offset, size_t len)
{
	if (vmm_probe_read(dst, base + offset, len) == 0)
		return true;
	sh_printf("%016lx is not mapped\n", base + offset);
	return false;
}

/* --- gdt ----------------------------------------------------------------------------------------- */

static const char *
system_type(unsigned type)
{
	switch (type) {
	case 2: return "LDT";
	case 9: return "TSS, available";
	case 11: return "TSS, busy";
	default: return "reserved";
	}
}

/* The base of a system descriptor: 16 bytes in 64-bit mode. */
static uint64_t
descriptor_base(uint64_t low, uint64_t high)
{
	return (low >> 16 & 0xffffff) | (low >> 56 & 0xff) << 24 | (high & 0xffffffff) << 32;
}

static uint32_t
descriptor_limit(uint64_t d)
{
	const uint32_t limit = (uint32_t)((d & 0xffff) | (d >> 32 & 0xf0000));

	return d & BIT(55) ? limit << 12 | 0xfff : limit;
}

static void
print_segment(unsigned selector, uint64_t d)
{
	const bool code = (d & BIT(43)) != 0;
	const unsigned dpl = d >> 45 & 3;

	sh_printf("  %04x  %016lx  ring %u  %s", selector, d, dpl, code ? "code" : "data");
	if (code)
		sh_printf(", %s%s",
			  d & BIT(53)	? "64-bit"
			  : d & BIT(54) ? "32-bit"
					: "16-bit",
			  d & BIT(41) ? "" : ", execute only");
	else
		sh_printf(", %s", d & BIT(41) ? "read/write" : "read-only");
	if (!(d & BIT(53)))
		sh_printf(", base %lx, limit %x", descriptor_base(d, 0), descriptor_limit(d));
	sh_printf("%s%s\n", d & BIT(47) ? "" : ", not present", d & BIT(40) ? ", accessed" : "");
}

static void
print_tss(uint64_t base)
{
	uint8_t tss[104];
	uint64_t value;

	if (!read_table(tss, base, 0, sizeof(tss)))
		return;
	memcpy(&value, tss + 4, 8);
	sh_printf("        RSP0 %016lx  stack for entries from ring 3\n", value);
	for (unsigned i = 1; i <= 7; i++) {
		static const char *const users[] = {"", " (double fault)", " (NMI)",
						    " (machine check)"};

		memcpy(&value, tss + 28 + 8 * i, 8);
		if (value != 0)
			sh_printf("        IST%u %016lx  top of a stack of its own%s\n", i, value,
				  i < ARRAY_SIZE(users) ? users[i] : "");
	}
	memcpy(&value, tss + 96, 8);
	sh_printf("        I/O bitmap at offset %lu%s\n", value >> 48,
		  value >> 48 >= sizeof(tss) ? ": none, ring 3 reaches no port" : "");
}

int
cmd_gdt(int argc, char **argv)
{
	const struct desc_ptr gdtr = read_gdtr();

	if (argc > 1)
		return -EINVAL;
	sh_printf("GDT at %016lx, %u bytes\n  SEL   DESCRIPTOR        RING    MEANING\n", gdtr.base,
		  gdtr.limit + 1u);
	for (unsigned offset = 0; offset + 7 <= gdtr.limit && !sh_interrupted(); offset += 8) {
		uint64_t d[2] = {0, 0};

		if (!read_table(d, gdtr.base, offset, offset + 15 <= gdtr.limit ? 16 : 8))
			return -EFAULT;
		if (d[0] == 0) {
			sh_printf("  %04x  %016lx  null\n", offset, d[0]);
		} else if (d[0] & BIT(44)) {
			print_segment(offset, d[0]);
		} else {
			const uint64_t base = descriptor_base(d[0], d[1]);
			const unsigned type = d[0] >> 40 & 15;

			sh_printf("  %04x  %016lx  ring %lu  %s at %016lx, limit %x\n", offset,
				  d[0], (uint64_t)(d[0] >> 45 & 3), system_type(type), base,
				  descriptor_limit(d[0]));
			if (type == 9 || type == 11)
				print_tss(base);
			offset += 8;
		}
	}
	sh_printf("In 64-bit mode base and limit of code and data segments have no effect.\n");
	return 0;
}

/* --- idt ----------------------------------------------------------------------------------------- */

struct gate {
	uint64_t low, high;
};

static uint64_t
gate_target(const struct gate *g)
{
	return (g->low & 0xffff) | (g->low >> 32 & 0xffff0000) | g->high << 32;
}

/* All but the target: selector, IST, type, DPL, present. */
static uint64_t
gate_kind(const struct gate *g)
{
	return g->low & 0x0000ff07ffff0000;
}

static void
print_gate_kind(const struct gate *g)
{
	const unsigned type = g->low >> 40 & 15, ist = g->low >> 32 & 7;

	sh_printf("%-9s  ring %lu  %04lx  ",
		  type == 14   ? "interrupt"
		  : type == 15 ? "trap"
			       : "?",
		  (uint64_t)(g->low >> 45 & 3), (uint64_t)(g->low >> 16 & 0xffff));
	if (ist != 0)
		sh_printf("IST%u ", ist);
	else
		sh_printf("-    ");
}

static void
vector_name(char *buf, size_t size, unsigned vector)
{
	struct irq_stat stat;

	if (vector < 32) {
		snprintf(buf, size, "%s %s", trap_mnemonic(vector), trap_name(vector));
	} else if (irq_of_vector(vector) != IRQ_NONE) {
		irq_stat(irq_of_vector(vector), &stat);
		snprintf(buf, size, "IRQ %u%s%s", irq_of_vector(vector), stat.name ? ", " : "",
			 stat.name ? stat.name : "");
	} else if (vector == IRQ_VECTOR_SPURIOUS) {
		snprintf(buf, size, "spurious, of the local APIC");
	} else {
		snprintf(buf, size, "free");
	}
}

static void
print_gates(unsigned first, unsigned last, const struct gate *g)
{
	char name[48], range[12];

	if (first == last)
		snprintf(range, sizeof(range), "%02x", first);
	else
		snprintf(range, sizeof(range), "%02x-%02x", first, last);
	if ((g->low & BIT(47)) == 0) {
		sh_printf("  %-5s  not present\n", range);
		return;
	}
	sh_printf("  %-5s  ", range);
	print_gate_kind(g);
	vector_name(name, sizeof(name), first);
	sh_printf(" %s%s\n", name, first == last ? "" : " ...");
}

/* Gates that differ only in the stub they lead to are one line. */
static int
idt_summary(const struct desc_ptr *idtr)
{
	const unsigned n = (idtr->limit + 1u) / 16;
	struct gate first_gate = {0, 0}, g;
	unsigned first = 0;

	sh_printf("IDT at %016lx, %u vectors\n  VECTOR GATE       RING    CS    STACK MEANING\n",
		  idtr->base, n);
	for (unsigned v = 0; v < n && !sh_interrupted(); v++) {
		if (!read_table(&g, idtr->base, v * sizeof(g), sizeof(g)))
			return -EFAULT;
		if (v == 0)
			first_gate = g;
		/* exceptions, lines and free vectors are told apart though their gates are alike */
		if (v > 0 && (gate_kind(&g) != gate_kind(&first_gate) || v == 32 || v == 48 ||
			      v == IRQ_VECTOR_LAPIC_TIMER)) {
			print_gates(first, v - 1, &first_gate);
			first = v;
			first_gate = g;
		}
	}
	print_gates(first, n - 1, &first_gate);
	sh_printf("An interrupt gate clears RFLAGS.IF on entry.  idt VECTOR shows one gate.\n");
	return 0;
}

static int
idt_one(const struct desc_ptr *idtr, unsigned vector)
{
	struct gate g;
	char name[48];

	if ((vector + 1u) * 16 > idtr->limit + 1u) {
		sh_printf("the IDT ends before vector %#x\n", vector);
		return -ERANGE;
	}
	if (!read_table(&g, idtr->base, vector * sizeof(g), sizeof(g)))
		return -EFAULT;
	vector_name(name, sizeof(name), vector);
	sh_printf("vector %#x (%u): %s\n  gate    %016lx %016lx%s\n  kind    ", vector, vector,
		  name, g.high, g.low, g.low & BIT(47) ? "" : ", not present");
	print_gate_kind(&g);
	sh_printf("\n  target  %016lx %s\n", gate_target(&g), sym_text(gate_target(&g)).s);
	return 0;
}

int
cmd_idt(int argc, char **argv)
{
	const struct desc_ptr idtr = read_idtr();
	uint64_t vector;

	if (argc > 2)
		return -EINVAL;
	if (argc == 1)
		return idt_summary(&idtr);
	if (!arg_number_max(argv[1], 255, &vector))
		return -EINVAL;
	return idt_one(&idtr, (unsigned)vector);
}
