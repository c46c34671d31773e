/*
 * cpu.c - is this CPU one that MinOS runs on?  If not, what does it lack?
 *
 * Compiled for a 386, so that a 386 or 486 gets as far as the message.
 * Spec: Intel SDM vol. 2A, "CPUID"; vol. 1, "Identification of Earlier IA-32 Processors".
 */
#include <lib/string.h>
#include "stage2.h"
#include "x86.h"

#define CPUID_MAX_LEAF	   0
#define CPUID_FEATURES	   1
#define CPUID_MAX_EXT_LEAF 0x80000000
#define CPUID_EXT_FEATURES 0x80000001

static const char advice[] = "MinOS needs a 64-bit PC (x86-64).  In QEMU: qemu-system-x86_64 "
			     "without -cpu, or with -cpu max.";

/* What the kernel and the way to it need, by bits of EDX.  The kernel is compiled without SSE. */
static const struct feature {
	uint32_t leaf;
	uint8_t bit;
	char name[27];
} needed[] = {
	{CPUID_FEATURES, 4, "time stamp counter"},
	{CPUID_FEATURES, 5, "model-specific registers"},
	{CPUID_FEATURES, 6, "PAE"},
	{CPUID_FEATURES, 24, "FXSAVE"},
	{CPUID_EXT_FEATURES, 29, "long mode (64-bit)"},
};

static bool
flag_toggles(uint32_t flag)
{
	const uint32_t before = read_eflags();
	bool toggled;

	write_eflags(before ^ flag);
	toggled = ((read_eflags() ^ before) & flag) != 0;
	write_eflags(before);
	return toggled;
}

static void
append(char *text, size_t size, const char *s)
{
	const size_t n = strlen(text);

	strlcpy(text + n, s, size - n);
}

void
cpu_check(void)
{
	char vendor[13] = "", missing[128] = "";
	struct cpuid_regs max;
	uint32_t ext_max;

	say("cpu ");
	if (!flag_toggles(EFLAGS_ID))
		die(advice, "this CPU is a %s: no CPUID, no long mode (64-bit)",
		    flag_toggles(EFLAGS_AC) ? "486" : "386");
	max = cpuid(CPUID_MAX_LEAF);
	ext_max = cpuid(CPUID_MAX_EXT_LEAF).eax;
	memcpy(vendor, &max.ebx, 4);
	memcpy(vendor + 4, &max.edx, 4);
	memcpy(vendor + 8, &max.ecx, 4);
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		const struct feature *f = &needed[i];
		const bool ext = f->leaf >= CPUID_MAX_EXT_LEAF;
		/* A CPU without extended leaves answers with a basic one: a small number. */
		const bool leaf = (ext ? ext_max : max.eax) >= f->leaf;

		if (leaf && (cpuid(f->leaf).edx & BIT(f->bit)))
			continue;
		append(missing, sizeof(missing), missing[0] ? ", no " : "no ");
		append(missing, sizeof(missing), f->name);
	}
	if (missing[0])
		die(advice, "this CPU (%s) has %s", vendor, missing);
	trace_known.tsc = trace_known.cr4 = trace_known.efer = true;
	say("%s, 64-bit\n", vendor);
	trace("cpu");
}
