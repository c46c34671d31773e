/*
 * trace.c - the boot trace: the machine's state at each transition, read and not guessed.
 *
 * What a CPU may not have (TSC, CR4, EFER) is read only once cpu_check() has found it; until then
 * its bit in `valid` is clear.  Records: include/boot/boot_info.h.
 */
#include <lib/string.h>
#include "stage2.h"
#include "x86.h"

struct trace_known trace_known;

static struct boot_trace_entry *const records = (struct boot_trace_entry *)BOOT_TRACE_ADDR;
static uint64_t disk_ticks;

struct boot_trace_entry *
trace_reserve(const char *name)
{
	struct boot_trace_entry *e;

	if (info->trace_count == BOOT_TRACE_MAX)
		die("This is a mistake in the loader; please report it.",
		    "boot trace is full at %s", name);
	e = &records[info->trace_count++];
	fill_dwords(e, 0, sizeof(*e) / 4);
	strlcpy(e->name, name, sizeof(e->name));
	e->disk_tsc = disk_ticks;
	return e;
}

#define SAMPLE 64 /* dwords */

/* The loop in stage 1 that sums stage 2, over a sample. */
static uint32_t
sample_ticks(void)
{
	const uint64_t start = rdtsc();
	const void *p = (const void *)STAGE2_ADDR;
	uint32_t n = SAMPLE, word;

	__asm__ volatile("1: lodsl\n\troll $1, %%ebx\n\taddl %%eax, %%ebx\n\tloop 1b"
			 : "+S"(p), "+c"(n), "=a"(word)::"ebx", "memory", "cc");
	return (uint32_t)(rdtsc() - start);
}

/* How many ticks did that take in stage 1?  The best of a few samples: the first fills caches. */
static uint32_t
checksum_ticks(void)
{
	const struct stage2_header *h = (const struct stage2_header *)STAGE2_ADDR;
	uint32_t best = UINT32_MAX;

	for (uint32_t i = 0; i < 4; i++) {
		const uint32_t ticks = sample_ticks();

		best = MIN(best, ticks);
	}
	return best / SAMPLE * h->dwords;
}

/* Stage 1 has no room to time its disk accesses: all its time but the checksum's is theirs. */
static void
trace_stage1_disk(struct boot_trace_entry *s1, struct boot_trace_entry *s2)
{
	const struct stage1_handoff *h = (const struct stage1_handoff *)STAGE1_HANDOFF;
	uint64_t elapsed;
	uint32_t sum;

	s1->tsc = (uint64_t)h->tsc[1] << 32 | h->tsc[0];
	s2->tsc = (uint64_t)entry_state.tsc[1] << 32 | entry_state.tsc[0];
	s1->valid |= BOOT_TRACE_TSC;
	s2->valid |= BOOT_TRACE_TSC;
	elapsed = s2->tsc - s1->tsc;
	sum = checksum_ticks();
	disk_ticks = elapsed > sum ? elapsed - sum : 0;
	s2->disk_tsc = disk_ticks;
}

void
trace_init(void)
{
	const struct stage1_handoff *h = (const struct stage1_handoff *)STAGE1_HANDOFF;
	struct boot_trace_entry *s1 = trace_reserve("stage 1"), *s2 = trace_reserve("stage 2");

	s1->cs = h->cs;
	s1->ip = STAGE1_STACK - ((uint32_t)h->cs << 4);
	s1->sp = h->sp;
	s1->bits = 16;

	s2->ip = STAGE2_ENTRY;
	s2->sp = entry_state.sp;
	s2->rflags = entry_state.flags;
	s2->cr0 = entry_state.cr0;
	s2->valid = BOOT_TRACE_CR0;
	s2->bits = 16;
	if (entry_state.tsc[0] | entry_state.tsc[1]) {
		trace_known.tsc = true;
		trace_stage1_disk(s1, s2);
	}
}

/* Not inlined, so that the return address says which phase made the record. */
__attribute__((noinline)) void
trace(const char *name)
{
	const uint32_t flags = read_eflags();
	struct boot_trace_entry *e = trace_reserve(name);

	e->ip = (uint32_t)__builtin_return_address(0);
	e->sp = read_esp();
	e->cs = read_cs();
	e->bits = 32;
	e->rflags = flags;
	e->cr0 = read_cr0();
	e->cr3 = read_cr3();
	e->valid = BOOT_TRACE_CR0;
	if (trace_known.tsc) {
		e->tsc = rdtsc();
		e->valid |= BOOT_TRACE_TSC;
	}
	if (trace_known.cr4) {
		e->cr4 = read_cr4();
		e->valid |= BOOT_TRACE_CR4;
	}
	if (trace_known.efer) {
		e->efer = rdmsr(MSR_EFER);
		e->valid |= BOOT_TRACE_EFER;
	}
	if (trace_known.a20) {
		e->a20 = 1; /* nothing goes on without it */
		e->valid |= BOOT_TRACE_A20;
	}
}

uint64_t
trace_clock(void)
{
	return trace_known.tsc ? rdtsc() : 0;
}

void
trace_disk_time(uint64_t ticks)
{
	disk_ticks += ticks;
}
