/*
 * x86.h - the instructions that stage 2 needs and C has no words for, for 32-bit code.
 */
#pragma once
#include <lib/base.h>

#define EFLAGS_CF BIT(0)
#define EFLAGS_AC BIT(18)
#define EFLAGS_ID BIT(21)

#define MSR_EFER 0xc0000080

struct cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

static inline void
outb(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port) : "memory");
}

static inline uint8_t
inb(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

/* About a microsecond: a write to the POST port, which nothing else uses. */
static inline void
io_wait(void)
{
	outb(0x80, 0);
}

static inline struct cpuid_regs
cpuid(uint32_t leaf)
{
	struct cpuid_regs r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(0));
	return r;
}

static inline uint64_t
rdtsc(void)
{
	uint64_t v;

	__asm__ volatile("rdtsc" : "=A"(v)::"memory");
	return v;
}

static inline uint64_t
rdmsr(uint32_t msr)
{
	uint64_t v;

	__asm__ volatile("rdmsr" : "=A"(v) : "c"(msr) : "memory");
	return v;
}

#define DEFINE_READ_CR(n)                                                   \
	static inline uint32_t read_cr##n(void)                             \
	{                                                                   \
		uint32_t v;                                                 \
                                                                            \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(v)::"memory"); \
		return v;                                                   \
	}
DEFINE_READ_CR(0)
DEFINE_READ_CR(2)
DEFINE_READ_CR(3)
DEFINE_READ_CR(4)
#undef DEFINE_READ_CR

static inline uint32_t
read_eflags(void)
{
	uint32_t v;

	__asm__ volatile("pushfl\n\tpopl %0" : "=r"(v)::"memory");
	return v;
}

static inline void
write_eflags(uint32_t v)
{
	__asm__ volatile("pushl %0\n\tpopfl" ::"r"(v) : "memory", "cc");
}

static inline uint16_t
read_cs(void)
{
	uint16_t v;

	__asm__("mov %%cs, %0" : "=r"(v));
	return v;
}

static inline uint32_t
read_esp(void)
{
	uint32_t v;

	__asm__ volatile("mov %%esp, %0" : "=r"(v));
	return v;
}

/*
 * Copy and fill by string instructions: one instruction per dword, which is what counts here (and
 * on hardware, microcode moves whole cache lines).
 */
static inline void
copy_dwords(void *dst, const void *src, uint32_t n)
{
	__asm__ volatile("rep movsl" : "+D"(dst), "+S"(src), "+c"(n)::"memory");
}

static inline void
fill_dwords(void *dst, uint32_t v, uint32_t n)
{
	__asm__ volatile("rep stosl" : "+D"(dst), "+c"(n) : "a"(v) : "memory");
}

NORETURN static inline void
halt_forever(void)
{
	for (;;)
		__asm__ volatile("cli\n\thlt" ::: "memory");
}
