/*
 * panic.c - the end of the road: everything that helps to find out why, on screen and serial.
 *
 * The report fits 25 lines of 80 columns, because a text screen cannot be scrolled back any more.
 * A panic while reporting one prints its message alone and goes on to the ending; a third one
 * just stops.
 */
#include <kern/panic.h>
#include <dev/console.h>
#include <dev/power.h>
#include <kern/clock.h>
#include <kern/cmdline.h>
#include <kern/ksym.h>
#include <kern/selftest.h>
#include <kern/thread.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/vmm.h>
#include <x86/cpu.h>
#include <x86/fault.h>
#include <x86/switch.h>
#include <x86/trap.h>

#define BACKTRACE_LINES 6 /* and perhaps "more": what 25 lines leave room for */

#define BACKTRACE_ALL 60

/* SGR sequences: bold white on red, and back. */
#define ALARM  "\x1b[1;37;41m"
#define NORMAL "\x1b[0m"

static volatile unsigned depth; /* [a] panics begun; interrupts are off from the first on */
static char message[200];	/* of the first panic */

bool
panic_in_progress(void)
{
	return depth > 0;
}

/* panic=reboot|exit|halt; halt when it says nothing. */
NORETURN static void
finish(void)
{
	char how[8] = "";

	console_flush();
	if (depth <= 2 && cmdline_get("panic", how, sizeof(how)) > 0) {
		if (strcmp(how, "reboot") == 0)
			power_reboot();
		if (strcmp(how, "exit") == 0)
			power_debug_exit(false);
	}
	printf("System halted.\n");
	console_flush();
	cpu_halt_forever();
}

static void
print_where(const struct trapframe *tf)
{
	/* From panic() it is a return address, perhaps already behind its function's last byte. */
	const uint64_t behind = tf->vector == TRAP_VECTORS ? 1 : 0;
	uint64_t off = 0;
	const char *name = ksym_is_code(tf->rip) ? ksym_lookup(tf->rip - behind, &off) : NULL;
	const struct thread *t = thread_self();
	struct thread copy;
	const uint64_t ms = clock_ns() / NS_PER_MS;

	if (name != NULL)
		printf("at %s+%#lx", name, off + behind);
	else
		printf("at %#lx, which is no code", tf->rip);
	if (t == NULL || vmm_probe_read(&copy, (vaddr_t)t, sizeof(copy)) != 0)
		printf(", thread pointer %p is bad", (const void *)t);
	else if (copy.name[0] == '\0')
		printf(", before threads");
	else
		printf(", thread %u \"%.*s\"", copy.id, (int)strnlen(copy.name, sizeof(copy.name)),
		       copy.name);
	printf(", cpu 0, up %lu.%03lu s\n", ms / 1000, ms % 1000);
}

static void
print_report(const struct trapframe *tf)
{
	char text[100] = "";

	printf("\n" ALARM " KERNEL PANIC: %s" NORMAL "\n", message);
	print_where(tf);
	if (tf->vector < TRAP_EXCEPTIONS)
		printf("exception %lu %s%s%s\n", tf->vector, trap_mnemonic((unsigned)tf->vector),
		       fault_decode_error(tf, text, sizeof(text)) ? ", " : "", text);
	fault_print_regs(tf);
	if (tf->vector == TRAP_PF || tf->vector == TRAP_DF)
		fault_print_walk(read_cr2());
	if (tf->vector == TRAP_MC)
		cpu_print_machine_check();
	fault_print_code(tf->rip);
	printf("backtrace:\n");
	if (backtrace_print_frame(tf, BACKTRACE_LINES) && console_uses_serial()) {
		const bool screen = console_uses_screen();

		/* The serial line has no last line: there the chain goes on to its end. */
		console_select(false, true);
		printf("all of it:\n");
		(void)backtrace_print_frame(tf, BACKTRACE_ALL);
		console_select(screen, true);
	}
}

/* @text is formatted already; interrupts may still be on. */
NORETURN static void
report(const struct trapframe *tf, const char *text)
{
	irq_disable();
	if (depth == 0)
		selftest_panic_hook(text); /* does not return when a test waits for this */
	depth++;
	if (depth > 3)
		cpu_halt_forever();
	console_panic();
	if (depth > 1) {
		printf("\n" ALARM " PANIC WHILE REPORTING: %s " NORMAL "\n", text);
		printf("at %#lx, cr2 %#lx; first: %s\n", tf->rip, read_cr2(), message);
		finish();
	}
	strlcpy(message, text, sizeof(message));
	print_report(tf);
	finish();
}

/*
 * The registers of whoever called the function with frame pointer @frame, as far as that function
 * has not changed them.  [frame] is the caller's frame pointer, [frame + 8] where it goes on.
 */
static void
caller_regs(struct trapframe *tf, const uint64_t *frame)
{
	regs_capture(tf);
	tf->rip = frame[1];
	tf->rsp = (uint64_t)(frame + 2);
	tf->rbp = frame[0];
}

void
panic(const char *fmt, ...)
{
	char text[sizeof(message)];
	struct trapframe tf;
	va_list ap;

	caller_regs(&tf, __builtin_frame_address(0));
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report(&tf, text);
}

void
panic_trap(const struct trapframe *tf, const char *fmt, ...)
{
	char text[sizeof(message)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report(tf, text);
}

void
assert_failed(const char *expr, const char *file, int line, const char *func)
{
	char text[sizeof(message)];
	struct trapframe tf;

	caller_regs(&tf, __builtin_frame_address(0));
	snprintf(text, sizeof(text), "assertion failed: %s, %s:%d, %s()", expr, file, line, func);
	report(&tf, text);
}
