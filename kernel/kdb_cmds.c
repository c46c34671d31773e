/*
 * kdb_cmds.c - the panic debugger's commands, and the one table of them.
 */
#include "kdb_cmds.h"
#include <dev/power.h>
#include <kern/clock.h>
#include <kern/irq.h>
#include <kern/ksym.h>
#include <kern/spinlock.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/vmm.h>
#include <x86/cpu.h>
#include <x86/crash.h>
#include <x86/fault.h>
#include <x86/mca.h>
#include <x86/trap.h>

#define MEM_BYTES 128 /* that `mem` shows if not told */
#define MEM_MAX	  4096
#define LOG_LINES 20

/* --- addresses ------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	size_t offset;
} registers[] = {
	{"rip", offsetof(struct trapframe, rip)}, {"rsp", offsetof(struct trapframe, rsp)},
	{"rbp", offsetof(struct trapframe, rbp)}, {"rax", offsetof(struct trapframe, rax)},
	{"rbx", offsetof(struct trapframe, rbx)}, {"rcx", offsetof(struct trapframe, rcx)},
	{"rdx", offsetof(struct trapframe, rdx)}, {"rsi", offsetof(struct trapframe, rsi)},
	{"rdi", offsetof(struct trapframe, rdi)}, {"r8", offsetof(struct trapframe, r8)},
	{"r9", offsetof(struct trapframe, r9)},	  {"r10", offsetof(struct trapframe, r10)},
	{"r11", offsetof(struct trapframe, r11)}, {"r12", offsetof(struct trapframe, r12)},
	{"r13", offsetof(struct trapframe, r13)}, {"r14", offsetof(struct trapframe, r14)},
	{"r15", offsetof(struct trapframe, r15)},
};

static bool
register_value(const char *s, uint64_t *out)
{
	if (strcmp(s, "cr2") == 0) {
		*out = panic_cr()->cr2;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
		if (strcmp(s, registers[i].name) == 0) {
			memcpy(out, (const char *)panic_frame() + registers[i].offset,
			       sizeof(*out));
			return true;
		}
	}
	return false;
}

/* Sixteen hexadecimal digits, as the report prints them, need no 0x. */
static bool
number(const char *s, uint64_t *out)
{
	return (strlen(s) == 16 && parse_u64(s, 16, out) == 0) || parse_u64(s, 0, out) == 0;
}

bool
kdb_address(const char *s, uint64_t *out)
{
	char name[64];
	const char *plus = strchr(s, '+');
	uint64_t offset = 0;

	if (number(s, out))
		return true;
	if (plus != NULL && parse_u64(plus + 1, 0, &offset) != 0)
		plus = NULL;
	(void)strlcpy(name, s,
		      plus != NULL ? MIN((size_t)(plus - s) + 1, sizeof(name)) : sizeof(name));
	if (!register_value(name, out))
		*out = ksym_find(name);
	if (*out == 0 && plus == NULL && !register_value(name, out)) {
		printf("'%s' is no number (0x...), symbol or register\n", s);
		return false;
	}
	*out += offset;
	return true;
}

/* --- looking -------------------------------------------------------------------------------- */

static void
kdb_regs(int n, char **words)
{
	printf("%s\n", panic_message());
	fault_print_place(panic_frame()->rip, panic_frame()->vector == TRAP_VECTORS);
	printf("\n");
	fault_print_regs(panic_frame(), panic_cr());
}

/* 16 bytes at @at; -- where nothing can be read.  False if none of them can. */
static bool
mem_row(uint64_t at)
{
	uint8_t bytes[16];
	bool readable[16], any = false;

	for (unsigned i = 0; i < 16; i++)
		any |= readable[i] = vmm_probe_read(&bytes[i], at + i, 1) == 0;
	printf("%016lx ", at);
	for (unsigned i = 0; i < 16; i++) {
		if (readable[i])
			printf("%s%02x", i == 8 ? "  " : " ", bytes[i]);
		else
			printf("%s--", i == 8 ? "  " : " ");
	}
	printf("  ");
	for (unsigned i = 0; i < 16; i++)
		printf("%c", readable[i] && bytes[i] >= ' ' && bytes[i] < 0x7f ? bytes[i] : '.');
	printf("\n");
	return any;
}

static void
kdb_mem(int n, char **words)
{
	uint64_t at, len = MEM_BYTES;

	if (n < 2 || n > 3 || !kdb_address(words[1], &at) ||
	    (n == 3 && (parse_u64(words[2], 0, &len) != 0 || len > MEM_MAX))) {
		printf("mem ADDR [BYTES], at most %d\n", MEM_MAX);
		return;
	}
	for (uint64_t done = 0; done < len; done += 16) {
		if (!mem_row(at + done)) {
			printf("nothing can be read there; see walk %#lx\n", at + done);
			return;
		}
		if (!kdb_more(1))
			return;
	}
}

static void
kdb_walk(int n, char **words)
{
	uint64_t at;

	if (n == 2 && kdb_address(words[1], &at))
		fault_print_walk(panic_cr()->cr3, at);
	else
		printf("walk ADDR\n");
}

static void
kdb_code(int n, char **words)
{
	uint64_t at = panic_frame()->rip;

	if (n > 2 || (n == 2 && !kdb_address(words[1], &at))) {
		printf("code [ADDR]\n");
		return;
	}
	fault_print_place(at, false);
	printf("\n");
	fault_print_code(at);
}

static void
kdb_sym(int n, char **words)
{
	uint64_t at, offset;
	const char *name;

	if (n != 2 || !kdb_address(words[1], &at)) {
		printf("sym NAME | ADDR\n");
		return;
	}
	name = ksym_lookup(at, &offset);
	if (name != NULL)
		printf("%016lx %s+%#lx\n", at, name, offset);
	else
		printf("%016lx lies in no symbol\n", at);
}

static void
kdb_log(int n, char **words)
{
	static struct log_record r; /* large for a stack */
	uint64_t lines = LOG_LINES, last = 0;

	if (n > 2 || (n == 2 && parse_u64(words[1], 0, &lines) != 0)) {
		printf("log [LINES]\n");
		return;
	}
	for (uint64_t seq = 0; log_read(seq, &r); seq = r.seq + 1)
		last = r.seq + 1;
	for (uint64_t seq = last > lines ? last - lines : 0; log_read(seq, &r); seq = r.seq + 1) {
		char stamp[24];

		(void)log_stamp(stamp, sizeof(stamp), r.time_ns);
		printf("%s%s\n", stamp, r.text);
		if (!kdb_more(1 + (unsigned)(strlen(r.text) + strlen(stamp)) / 80))
			return;
	}
}

static void
kdb_locks(int n, char **words)
{
	const struct spinlock *l;
	unsigned i;

	if (!LOCK_ORDER) {
		printf("not known: only a kernel built with DEBUG=1 keeps a list of them\n");
		return;
	}
	for (i = 0; (l = lock_order_held(i)) != NULL; i++) {
		struct spinlock copy;

		if (vmm_probe_read(&copy, (vaddr_t)l, sizeof(copy)) != 0)
			continue;
		printf("%-16s taken ", copy.name);
		fault_print_place(copy.owner_rip, false);
		printf("\n");
	}
	if (i == 0)
		printf("no spinlock is held\n");
}

static void
kdb_irq(int n, char **words)
{
	printf("interrupts were %s; %s\n", panic_frame()->rflags & RFLAGS_IF ? "on" : "off",
	       in_irq() ? "in a handler" : "in no handler");
	printf(" IRQ         COUNT  SPURIOUS  HANDLER\n");
	for (unsigned i = 0; i < IRQ_MAX; i++) {
		struct irq_stat s;

		irq_stat(i, &s);
		if (s.name == NULL && s.count == 0 && s.spurious == 0)
			continue;
		printf("%4u  %12lu %9lu  %s\n", i, s.count, s.spurious,
		       s.name != NULL ? s.name : "none");
	}
}

static void
kdb_mca(int n, char **words)
{
	if (mca_report() == 0)
		printf("no bank holds an error\n");
}

static void
kdb_fault(int n, char **words)
{
	crash_bad_opcode();
}

/* --- leaving -------------------------------------------------------------------------------- */

static void
kdb_reboot(int n, char **words)
{
	power_reboot();
}

static void
kdb_poweroff(int n, char **words)
{
	power_off();
}

static void
kdb_halt(int n, char **words)
{
	panic_finish();
}

/* --- the table ------------------------------------------------------------------------------ */

static void kdb_help(int n, char **words);

static const struct {
	const char *name;
	void (*run)(int n, char **words);
	const char *usage, *what;
} commands[] = {
	{"help", kdb_help, "", "these lines"},
	{"bt", kdb_bt, "[ID | all]", "call chain: of the panic, of a thread, of all threads"},
	{"regs", kdb_regs, "", "the panic's message and registers"},
	{"threads", kdb_threads, "", "the threads, * the one that ran, and where each stands"},
	{"mem", kdb_mem, "ADDR [BYTES]", "memory; -- is what cannot be read"},
	{"walk", kdb_walk, "ADDR", "the page walk of an address, in the tables as they were"},
	{"code", kdb_code, "[ADDR]", "the bytes around an instruction"},
	{"sym", kdb_sym, "NAME | ADDR", "address of a symbol, symbol of an address"},
	{"log", kdb_log, "[LINES]", "the end of the kernel's log"},
	{"locks", kdb_locks, "", "the spinlocks that are held"},
	{"irq", kdb_irq, "", "interrupts so far"},
	{"mca", kdb_mca, "", "what the machine-check banks hold"},
	{"fault", kdb_fault, "", "a fault in the debugger: its prompt comes back"},
	{"reboot", kdb_reboot, "", "restart the machine"},
	{"poweroff", kdb_poweroff, "", "turn it off"},
	{"halt", kdb_halt, "", "stop for good"},
};

static void
kdb_help(int n, char **words)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		char left[32];

		snprintf(left, sizeof(left), "%s %s", commands[i].name, commands[i].usage);
		printf("  %-20s %s\n", left, commands[i].what);
	}
	printf("ADDR: a number, a symbol (+ number), or a register's name\n");
}

void
kdb_run(int n, char **words)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, words[0]) == 0) {
			commands[i].run(n, words);
			return;
		}
	}
	printf("there is no command '%s'; help lists them\n", words[0]);
}
