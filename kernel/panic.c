/*
 * panic.c - the end of the road: everything that helps to find out why, on screen and serial.
 *
 * The report is a table of steps, and all that they need is static: the machine's state is copied
 * first, then the panic goes to a stack of its own.  A step that fails - an exception or a panic
 * while it prints - comes back here as a nested panic.  The first time, output changes to the plain
 * way that has no state to be wrong (drivers/console_raw.c), and the report begins again; later, the
 * failing step is left out.  So the number of attempts is bounded by the number of steps.
 *
 * The report fits 25 lines of 80 columns.  No lock, heap or scheduler is used.  docs/traps.md.
 */
#include <kern/panic.h>
#include <dev/console.h>
#include <dev/power.h>
#include <kern/clock.h>
#include <kern/cmdline.h>
#include <kern/kdb.h>
#include <kern/log_keep.h>
#include <kern/selftest.h>
#include <kern/thread.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/vmm.h>
#include <x86/cpu.h>
#include <x86/dr.h>
#include <x86/fault.h>
#include <x86/mca.h>
#include <x86/switch.h>
#include <x86/trap.h>

#define BACKTRACE_LINES 6 /* and perhaps "more": what 25 lines leave room for */
#define BACKTRACE_ALL	60
#define DEPTH_MAX	32 /* nested panics: more than there are steps */

/* SGR sequences: bold white on red, and back. */
#define ALARM  "\x1b[1;37;41m"
#define NORMAL "\x1b[0m"

/* What a panic knows of the machine; copied before anything else is touched. */
struct report {
	struct trapframe tf;
	struct fault_cr cr;
	char text[200]; /* empty: fault_describe() has to say it */
};

static volatile unsigned depth;	    /* [a] panics begun; interrupts are off from the first on */
static struct report first, nested; /* the first one, and the one that came while it was reported */
static unsigned next_step;	    /* of the report */
static bool raw;		    /* output goes the plain way */
static bool backtrace_cut;

bool
panic_in_progress(void)
{
	return depth > 0;
}

const struct trapframe *
panic_frame(void)
{
	return &first.tf;
}

const struct fault_cr *
panic_cr(void)
{
	return &first.cr;
}

const char *
panic_message(void)
{
	return first.text;
}

/* --- the end -------------------------------------------------------------------------------- */

static bool
wanted(const char *how)
{
	char value[8] = "";

	return cmdline_get("panic", value, sizeof(value)) > 0 && strcmp(value, how) == 0;
}

void
panic_finish(void)
{
	console_flush();
	if (wanted("reboot"))
		power_reboot();
	if (wanted("exit"))
		power_debug_exit(false);
	printf("System halted.\n");
	console_flush();
	cpu_halt_forever();
}

/* The last step failed: no more words. */
NORETURN static void
give_up(void)
{
	if (wanted("reboot"))
		cpu_triple_fault();
	cpu_halt_forever();
}

static void
finish(void)
{
	log_keep_stop();
	if (wanted("reboot") || wanted("exit") || wanted("halt"))
		panic_finish();
	kdb_wait();
}

/* --- the steps ------------------------------------------------------------------------------ */

static void
take_console(void)
{
	if (!raw)
		console_panic();
}

static void
print_message(void)
{
	if (first.text[0] == '\0')
		fault_describe(&first.tf, &first.cr, first.text, sizeof(first.text));
	printf("%s" ALARM " KERNEL PANIC: %s" NORMAL "\n", raw ? "" : "\n", first.text);
}

static void
print_where(void)
{
	const struct thread *t = thread_self();
	const uint64_t ms = clock_ns() / NS_PER_MS;
	struct thread copy;

	/* From panic() it is a return address. */
	fault_print_place(first.tf.rip, first.tf.vector == TRAP_VECTORS);
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
print_exception(void)
{
	char text[100] = "";

	if (first.tf.vector < TRAP_EXCEPTIONS)
		printf("exception %lu %s%s%s\n", first.tf.vector,
		       trap_mnemonic((unsigned)first.tf.vector),
		       fault_decode_error(&first.tf, text, sizeof(text)) ? ", " : "", text);
}

static void
print_regs(void)
{
	fault_print_regs(&first.tf, &first.cr);
}

static void
print_walk(void)
{
	if (first.tf.vector == TRAP_PF || first.tf.vector == TRAP_DF)
		fault_print_walk(first.cr.cr3, first.cr.cr2);
}

static void
print_machine_check(void)
{
	if (first.tf.vector == TRAP_MC)
		(void)mca_report();
}

static void
print_code(void)
{
	fault_print_code(first.tf.rip);
}

static void
print_backtrace(void)
{
	printf("backtrace:\n");
	backtrace_cut = backtrace_print_frame(&first.tf, BACKTRACE_LINES);
}

/* The serial line has no last line: there the chain goes on to its end. */
static void
print_whole_backtrace(void)
{
	const bool screen = console_uses_screen();

	if (!backtrace_cut || !console_uses_serial())
		return;
	console_select(false, true);
	printf("all of it:\n");
	(void)backtrace_print_frame(&first.tf, BACKTRACE_ALL);
	console_select(screen, true);
}

static const struct step {
	const char *name;
	void (*run)(void);
} steps[] = {
	{"taking the console", take_console},
	{"loading the page tables", panic_tables_use},
	{"the message", print_message},
	{"the place", print_where},
	{"the error code", print_exception},
	{"the registers", print_regs},
	{"the page walk", print_walk},
	{"the machine check", print_machine_check},
	{"the code", print_code},
	{"the backtrace", print_backtrace},
	{"the whole backtrace", print_whole_backtrace},
	{"the end", finish},
};

NORETURN static void
run_steps(void)
{
	while (next_step < ARRAY_SIZE(steps))
		steps[next_step++].run();
	give_up();
}

/* --- begin, and begin again ----------------------------------------------------------------- */

/* On the panic stack. */
static void
report_first(void)
{
	run_steps();
}

static void
print_nested(const char *during)
{
	if (nested.text[0] == '\0')
		fault_describe(&nested.tf, &nested.cr, nested.text, sizeof(nested.text));
	printf(ALARM " PANIC WHILE REPORTING (%s): %s" NORMAL "\n", during, nested.text);
	fault_print_place(nested.tf.rip, nested.tf.vector == TRAP_VECTORS);
	printf("\n");
}

/* On the panic stack again, from its top: something went wrong while the report was made. */
static void
report_again(void)
{
	const char *during = next_step > 0 ? steps[next_step - 1].name : "the beginning";

	if (depth > DEPTH_MAX || next_step == ARRAY_SIZE(steps)) {
		if (!kdb_active())
			give_up();
		depth = 2; /* the debugger may fault as often as it likes */
		if (nested.text[0] == '\0')
			fault_describe(&nested.tf, &nested.cr, nested.text, sizeof(nested.text));
		kdb_again(&nested.tf, nested.text);
	}
	if (!raw) {
		raw = true;
		next_step = 0;
		console_raw();
	}
	print_nested(during);
	run_steps();
}

/* Keep the machine's state and the message.  @fmt NULL: the exception describes itself, later. */
static void
record(const struct trapframe *tf, const char *fmt, va_list *ap)
{
	struct report *const r = depth == 0 ? &first : &nested;

	irq_disable();
	if (tf->vector == TRAP_DB || depth > 0)
		write_dr7(0); /* a breakpoint in what prints this would strike again */
	fault_cr_read(&r->cr);
	r->tf = *tf;
	r->text[0] = '\0';
	if (fmt != NULL)
		vsnprintf(r->text, sizeof(r->text), fmt, *ap);
}

NORETURN static void
begin(void)
{
	if (depth == 0 && first.text[0] != '\0')
		selftest_panic_hook(first.text); /* does not return when a test waits for this */
	depth++;
	panic_stack_enter(depth == 1 ? report_first : report_again);
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
	struct trapframe tf;
	va_list ap;

	caller_regs(&tf, __builtin_frame_address(0));
	va_start(ap, fmt);
	record(&tf, fmt, &ap);
	va_end(ap);
	begin();
}

void
panic_at(const struct trapframe *tf, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record(tf, fmt, &ap);
	va_end(ap);
	begin();
}

void
panic_trap(const struct trapframe *tf)
{
	record(tf, NULL, NULL);
	begin();
}

void
assert_failed(const char *expr, const char *file, int line, const char *func)
{
	/* Not on the stack: there may be little of it left. */
	static char text[sizeof(first.text)];
	struct trapframe tf;

	caller_regs(&tf, __builtin_frame_address(0));
	irq_disable();
	snprintf(text, sizeof(text), "assertion failed: %s, %s:%d, %s()", expr, file, line, func);
	panic_at(&tf, "%s", text);
}
