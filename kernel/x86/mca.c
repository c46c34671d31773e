/*
 * mca.c - the machine-check banks: each watches a part of the processor and keeps its last error.
 *
 * An error that the hardware corrected is only kept; somebody has to look (mca_poll()).  One that it
 * could not raises #MC, with the stack of its own that the IDT names.
 * Spec: Intel SDM vol. 3B, "Machine-Check Architecture": "Machine-Check MSRs", "Machine-Check
 * Initialization", "Machine-Check Exception Handler".
 */
#include <x86/mca.h>
#include <kern/base.h>
#include <lib/printf.h>
#include <x86/cpu.h>

#define MSR_MCG_CAP    0x179
#define MSR_MCG_STATUS 0x17a
#define MSR_MCG_CTL    0x17b
#define MSR_MC0_CTL    0x400 /* bank n: + 4n; then its status, address, misc */

#define MCG_CAP_COUNT 0xff
#define MCG_CAP_CTL_P BIT(8) /* there is an IA32_MCG_CTL */
#define BANKS_MAX     32     /* those whose registers lie at MSR_MC0_CTL */

enum { CTL, STATUS, ADDR, MISC };

static unsigned nr_banks; /* [I] 0 where the CPU has none */

static uint32_t
msr_of(unsigned bank, unsigned which)
{
	return MSR_MC0_CTL + 4 * bank + which;
}

/* The firmware's: in the P6 family it is not written.  Spec: "Machine-Check Initialization". */
static bool
leave_control(unsigned bank)
{
	return bank == 0 && cpu_features.family == 6 && cpu_features.model < 0x1a;
}

void
mca_init(void)
{
	uint64_t cap;

	if (!cpu_features.mce || !cpu_features.mca)
		return;
	cap = rdmsr(MSR_MCG_CAP);
	nr_banks = MIN((unsigned)(cap & MCG_CAP_COUNT), BANKS_MAX);
	if (cap & MCG_CAP_CTL_P)
		wrmsr(MSR_MCG_CTL, UINT64_MAX);
	for (unsigned bank = 0; bank < nr_banks; bank++)
		if (!leave_control(bank))
			wrmsr(msr_of(bank, CTL), UINT64_MAX);
	mca_poll(); /* what they hold survived a reset: it may be why there was one */
}

bool
mca_survived(void)
{
	if (nr_banks == 0 || (rdmsr(MSR_MCG_STATUS) & MCG_STATUS_RIPV) == 0)
		return false;
	for (unsigned bank = 0; bank < nr_banks; bank++) {
		const uint64_t status = rdmsr(msr_of(bank, STATUS));

		if ((status & MC_STATUS_VAL) != 0 && (status & MC_STATUS_UC) != 0)
			return false;
	}
	wrmsr(MSR_MCG_STATUS, 0);
	return true;
}

/* " addr 12340 misc 0", as far as they are valid. */
static void
extra_text(unsigned bank, uint64_t status, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	if (status & MC_STATUS_ADDRV)
		n = (size_t)snprintf(buf, size, " addr %lx", rdmsr(msr_of(bank, ADDR)));
	if (status & MC_STATUS_MISCV)
		(void)snprintf(buf + n, size - n, " misc %lx", rdmsr(msr_of(bank, MISC)));
}

unsigned
mca_report(void)
{
	char text[MCA_TEXT_MAX];
	unsigned found = 0;
	uint64_t global;

	if (nr_banks == 0)
		return 0;
	global = rdmsr(MSR_MCG_STATUS);
	if (global & MCG_STATUS_MCIP) {
		(void)mca_describe_global(global, text, sizeof(text));
		printf("MCG_STATUS %lx: %s\n", global, text);
	}
	for (unsigned bank = 0; bank < nr_banks; bank++) {
		const uint64_t status = rdmsr(msr_of(bank, STATUS));
		char extra[60];

		if ((status & MC_STATUS_VAL) == 0)
			continue;
		(void)mca_describe(status, text, sizeof(text));
		extra_text(bank, status, extra, sizeof(extra));
		printf("bank %u: %s\n  status %016lx%s\n", bank, text, status, extra);
		found++;
	}
	wrmsr(MSR_MCG_STATUS, 0);
	return found;
}

void
mca_poll(void)
{
	for (unsigned bank = 0; bank < nr_banks; bank++) {
		const uint64_t status = rdmsr(msr_of(bank, STATUS));
		char text[MCA_TEXT_MAX], extra[60];

		if ((status & MC_STATUS_VAL) == 0)
			continue;
		(void)mca_describe(status, text, sizeof(text));
		extra_text(bank, status, extra, sizeof(extra));
		log_warn("machine check: bank %u: %s; status %016lx%s", bank, text, status, extra);
		wrmsr(msr_of(bank, STATUS), 0);
	}
}
