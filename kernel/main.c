/*
 * main.c - what starts, in which order, and why: the one list that brings the kernel up.
 *
 * Read init_steps from top to bottom and you have read the kernel's start.  Each row runs with
 * everything above it working and nothing below; each is logged with its result and recorded in
 * the boot trace (shell: `boot`).  A row that MUST succeed and does not ends in a panic that names
 * it; one that MAY fail leaves a line in the log and a machine without that part.
 */
#include <kern/main.h>
#include <dev/apic.h>
#include <dev/console.h>
#include <dev/driver.h>
#include <dev/pit.h>
#include <dev/rtc.h>
#include <fs/vfs.h>
#include <kern/boot_trace.h>
#include <kern/clock.h>
#include <kern/cmdline.h>
#include <kern/debug.h>
#include <kern/init.h>
#include <kern/irq.h>
#include <kern/log_keep.h>
#include <kern/process.h>
#include <kern/shell.h>
#include <kern/syscall.h>
#include <kern/thread.h>
#include <kern/tty.h>
#include <kern/version.h>
#include <kern/wait.h>
#include <kern/watchdog.h>
#include <kern/work.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>
#include <mm/vmm.h>
#include <x86/cpu.h>
#include <x86/fault.h>
#include <x86/pic.h>
#include <x86/trap.h>

enum need { MUST, MAY };

static volatile bool started; /* [a] every row has run */
static struct wait_queue start_queue = WAIT_QUEUE_INIT(start_queue);

struct init_step {
	const char *name;
	int (*init)(void);
	enum need need;
	const char *why; /* why here: what it needs from above, what needs it below */
};

static int start_traps(void) INIT;
static int start_console(void) INIT;
static int start_interrupts(void) INIT;
static int apply_cmdline(void) INIT;
static void run_step(const struct init_step *step) INIT;

/* clang-format off */
static const struct init_step init_steps[] INIT_CONST = {
	/* From here on a fault is a readable panic, and one can see what happens. */
	{ "traps",	start_traps,	MUST, "segments, TSS and gates: before anything that could fault" },
	{ "console",	start_console,	MAY,  "screen and COM1, polled: the first thing anybody wants to see" },
	{ "cmdline",	apply_cmdline,	MAY,  "console=, quiet and loglevel= hold for all that follows" },
	{ "cpu",	cpu_init,	MUST, "CPUID, and the protections it offers: WP, NX, SMEP, UMIP" },
	/* Memory. */
	{ "frames",	pmm_init,	MUST, "page frames from the memory map: page tables are made of them" },
	{ "paging",	vmm_init,	MUST, "our own tables; W^X, guard pages; the identity map goes" },
	{ "heap",	kmalloc_init,	MUST, "objects of any size: threads, drivers" },
	/* Interrupts and time. */
	{ "pic",	pic_init,	MUST, "lines moved to vectors 20h-2Fh, all masked" },
	{ "clock",	clock_init,	MAY,  "TSC measured against the PIT: needs no interrupts" },
	{ "threads",	thread_init,	MUST, "this context becomes thread \"main\"; sleeping is possible" },
	{ "tick",	pit_init,	MUST, "the PIT interrupts when asked to: preemption, timeouts" },
	{ "interrupts",	start_interrupts, MUST, "all that could be interrupted by them is ready" },
	{ "apic",	apic_init,	MAY,  "I/O and local APICs, if ACPI tells of them, take over the lines" },
	{ "worker",	work_init,	MUST, "drivers leave work to it from their handlers" },
	{ "rtc",	rtc_init,	MAY,  "wall time" },
	/* Programs. */
	{ "shares",	frame_init,	MUST, "counts of holders of frames: copy-on-write stands on them" },
	{ "files",	vfs_init,	MUST, "the root: a tmpfs with what the initrd holds" },
	{ "processes",	process_init,	MUST, "the table of processes" },
	{ "terminal",	tty_init,	MUST, "what programs read from and write to" },
	{ "syscall",	syscall_init,	MUST, "SYSCALL leads into the kernel" },
	/* Devices, then somebody to talk to. */
	{ "drivers",	drivers_init,	MAY,  "the driver table, in its order" },
	{ "shell",	shell_init,	MUST, "the prompt" },
};
/* clang-format on */

/* One row for both, since its log line already wants the console. */
static int
start_traps(void)
{
	const int result = gdt_init(); /* the gates name its code segment and IST stacks */

	return result != 0 ? result : idt_init();
}

static int
start_console(void)
{
	const int result = console_init();

	log_notice("%s %s %s", MINOS_NAME, MINOS_VERSION, MINOS_MACHINE);
	log_keep_init();
	return result;
}

static int
start_interrupts(void)
{
	irq_enable();
	return 0;
}

static int
apply_cmdline(void)
{
	char value[16];

	if (cmdline_has("quiet"))
		log_set_console_level(LOG_WARN);
	if (cmdline_get("loglevel", value, sizeof(value)) > 0) {
		if (value[0] < '0' + LOG_ERR || value[0] > '0' + LOG_DEBUG || value[1] != '\0') {
			log_warn("cmdline: loglevel=%s is not a number from %d to %d", value,
				 LOG_ERR, LOG_DEBUG);
			return -EINVAL;
		}
		log_set_console_level((enum log_level)(value[0] - '0'));
	}
	(void)watchdog_configure(); /* it has said what it does not like */
	if (cmdline_get("console", value, sizeof(value)) < 0 || strcmp(value, "both") == 0)
		return 0;
	if (strcmp(value, "tty0") == 0) {
		console_select(true, false);
	} else if (strcmp(value, "ttyS0") == 0) {
		console_select(false, true);
	} else {
		log_warn("cmdline: console=%s: tty0, ttyS0 or both expected; both it is", value);
		return -EINVAL;
	}
	return 0;
}

/* crash=ROW on the command line: what a panic shows before that row has run. */
static void
crash_if_asked(const char *name)
{
	char row[16];

	if (cmdline_get("crash", row, sizeof(row)) > 0 && strcmp(row, name) == 0)
		panic("asked for before \"%s\"", name);
}

static void
run_step(const struct init_step *step)
{
	int result;

	crash_if_asked(step->name);
	result = step->init();
	boot_trace_add(step->name, result);
	if (result == 0) {
		log_info("init: %-10s ok", step->name);
		return;
	}
	log_warn("init: %-10s failed, error %d (%s)", step->name, -result, step->why);
	if (step->need == MUST)
		panic("cannot start without \"%s\": error %d", step->name, -result);
}

void
main_wait_started(void)
{
	(void)wait_event(&start_queue, started);
}

void INIT_CALLER
kernel_main(paddr_t info)
{
	int result;

	stack_guard_init();
	result = boot_info_init(info);

	boot_trace_add("kernel_main", result);
	if (result != 0)
		panic("no valid boot info at physical %#lx: was the kernel started by its own "
		      "loader?",
		      info);
	cmdline_init(boot_info()->cmdline); /* first of all: panic= holds for all that follows */
	for (size_t i = 0; i < ARRAY_SIZE(init_steps); i++)
		run_step(&init_steps[i]);
	init_release();
	panic_tables_save();
	started = true;
	(void)wake_all(&start_queue);
	thread_main_loop();
}
