/*
 * cpu.h - the CPU's registers and instructions that C has no words for.
 *
 * Spec: Intel SDM vol. 2 (instructions), vol. 3A "Control Registers", vol. 4 (MSRs).
 */
#pragma once
#include <kern/irqsoff.h>
#include <lib/base.h>

#define RFLAGS_CF BIT(0)
#define RFLAGS_PF BIT(2)
#define RFLAGS_AF BIT(4)
#define RFLAGS_ZF BIT(6)
#define RFLAGS_SF BIT(7)
#define RFLAGS_OF BIT(11)
#define RFLAGS_DF BIT(10)
#define RFLAGS_IF BIT(9)
#define RFLAGS_TF BIT(8)
#define RFLAGS_NT BIT(14)
#define RFLAGS_RF BIT(16)
#define RFLAGS_AC BIT(18)

#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_PG BIT(31)

#define CR4_DE	       BIT(3)
#define CR4_PSE	       BIT(4)
#define CR4_PAE	       BIT(5)
#define CR4_MCE	       BIT(6)
#define CR4_PGE	       BIT(7)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP       BIT(11)
#define CR4_FSGSBASE   BIT(16)
#define CR4_OSXSAVE    BIT(18)
#define CR4_SMEP       BIT(20)
#define CR4_SMAP       BIT(21)

#define MSR_APIC_BASE	   0x1b
#define MSR_PAT		   0x277
#define MSR_EFER	   0xc0000080
#define MSR_STAR	   0xc0000081
#define MSR_LSTAR	   0xc0000082
#define MSR_CSTAR	   0xc0000083
#define MSR_SFMASK	   0xc0000084
#define MSR_FS_BASE	   0xc0000100
#define MSR_GS_BASE	   0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define EFER_SCE	   BIT(0)
#define EFER_LME	   BIT(8)
#define EFER_LMA	   BIT(10)
#define EFER_NXE	   BIT(11)

struct cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid_regs
cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

static inline uint64_t
rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return ((uint64_t)hi << 32) | lo;
}

#define CPUID_1_ECX_RDRAND BIT(30)

/* A random number of the CPU's; false if it has none ready.  Only where CPUID says that it exists. */
static inline bool
rdrand(uint64_t *out)
{
	bool good;

	__asm__ volatile("rdrand %0" : "=r"(*out), "=@ccc"(good));
	return good;
}

/* Address of the code that asks. */
static ALWAYS_INLINE uint64_t
current_rip(void)
{
	uint64_t v;

	__asm__ volatile("lea 0(%%rip), %0" : "=r"(v));
	return v;
}

static inline uint64_t
rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
	return ((uint64_t)hi << 32) | lo;
}

static inline void
wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

#define DEFINE_CR(n)                                                        \
	static inline uint64_t read_cr##n(void)                             \
	{                                                                   \
		uint64_t v;                                                 \
                                                                            \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(v)::"memory"); \
		return v;                                                   \
	}                                                                   \
	static inline void write_cr##n(uint64_t v)                          \
	{                                                                   \
		__asm__ volatile("mov %0, %%cr" #n ::"r"(v) : "memory");    \
	}
DEFINE_CR(0)
DEFINE_CR(2)
DEFINE_CR(3)
DEFINE_CR(4)
#undef DEFINE_CR

static inline uint64_t
read_rflags(void)
{
	uint64_t v;

	__asm__ volatile("pushfq\n\tpopq %0" : "=r"(v)::"memory");
	return v;
}

/* Host tests run in ring 3, where these would fault; there is nothing to hold off there. */
#ifdef HOST_TEST
#define PRIVILEGED(insn) __asm__ volatile("" ::: "memory")
#else
#define PRIVILEGED(insn) __asm__ volatile(insn ::: "memory")
#endif

/* Debug builds: where interrupts were turned off last. */
extern uint64_t irq_off_site; /* [c] */
#if defined(DEBUG) && !defined(HOST_TEST)
#define NOTE_IRQ_OFF(flags) ((flags)&RFLAGS_IF ? (void)(irq_off_site = current_rip()) : (void)0)
#else
#define NOTE_IRQ_OFF(flags) ((void)(flags))
#endif

static inline void
irq_enable(void)
{
	if (IRQSOFF_TRACE)
		irqsoff_end();
	PRIVILEGED("sti");
}

static inline uint16_t
read_cs(void)
{
	uint16_t v;

	__asm__ volatile("mov %%cs, %0" : "=r"(v));
	return v;
}

static inline bool
irqs_on(void)
{
	return (read_rflags() & RFLAGS_IF) != 0;
}

/* Turn interrupts off; the result goes to irq_restore(). */
static ALWAYS_INLINE uint64_t
irq_save(void)
{
	const uint64_t flags = read_rflags();

	PRIVILEGED("cli");
	NOTE_IRQ_OFF(flags);
	if (IRQSOFF_TRACE)
		irqsoff_begin();
	return flags;
}

static ALWAYS_INLINE void
irq_disable(void)
{
	NOTE_IRQ_OFF(read_rflags());
	PRIVILEGED("cli");
	if (IRQSOFF_TRACE)
		irqsoff_begin();
}

static ALWAYS_INLINE void
irq_restore(uint64_t flags)
{
	if (likely(flags & RFLAGS_IF))
		irq_enable();
}

/*
 * Enable interrupts and halt, with no window in which an interrupt could be missed between the two.
 */
static inline void
cpu_idle(void)
{
	if (IRQSOFF_TRACE)
		irqsoff_end();
	__asm__ volatile("sti\n\thlt" ::: "memory");
}

static inline void
cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

NORETURN static inline void
cpu_halt_forever(void)
{
	for (;;)
		__asm__ volatile("cli\n\thlt" ::: "memory");
}

/* Reset the CPU by an exception that finds no handler: the last resort of a reboot. */
NORETURN static inline void
cpu_triple_fault(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} PACKED none;

	for (;;)
		__asm__ volatile("lidt %0\n\tint3" ::"m"(none));
}

static inline void
invlpg(uintptr_t va)
{
	__asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

/* Open and close the window in which the kernel may touch user pages; only where SMAP is on. */
static inline void
stac(void)
{
	__asm__ volatile("stac" ::: "memory", "cc");
}

static inline void
clac(void)
{
	__asm__ volatile("clac" ::: "memory", "cc");
}

/* What the CPU has; filled by cpu_init(). */
struct cpu_features {
	char vendor[13];
	char brand[49];
	uint32_t family, model, stepping;
	uint32_t max_leaf, max_ext_leaf;
	bool nx, pge, page1g, smep, smap, umip, fsgsbase, invariant_tsc, apic, x2apic, hypervisor;
	bool pat, tsc, rdrand, rdseed, xsave, mce, mca;
	unsigned phys_bits, virt_bits;
};
extern struct cpu_features cpu_features;

/*
 * Read CPUID and turn on what the kernel uses (WP, NXE, PGE, MCE, SMEP, SMAP, UMIP where present).
 * Returns 0.
 */
int cpu_init(void) INIT;
/* Zero one page at a page-aligned address (kernel/x86/switch.asm). */
void page_zero(void *page);
