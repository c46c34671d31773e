/*
 * commands.c - the one table of the shell's commands.
 *
 * Rows stand in the order in which `help` shows them; a group's rows stand together.
 */
#include <lib/base.h>
#include "cmds.h"

/* clang-format off */
const struct shell_cmd shell_commands[] = {
	/* --- the shell ----------------------------------------------------------------------- */
	{ "help", "shell", "help [NAME | GROUP | all]", "what the commands do",
	  "help          the names of all commands, by group\n"
	  "help NAME     usage and explanation of one command\n"
	  "help GROUP    one line about each command of a group, for example: help memory\n"
	  "help all      one line about every command",
	  cmd_help, complete_help },
	{ "echo", "shell", "echo [-n] [WORD...]", "print the words",
	  "Prints its arguments with a space between them; -n leaves out the end of the line. "
	  "Quotes keep spaces: echo 'a   b'.  Inside \"...\" a backslash protects \" and \\.",
	  cmd_echo, NULL },
	{ "clear", "shell", "clear", "clear the screen (also: Ctrl-L)", "", cmd_clear, NULL },
	{ "history", "shell", "history", "the lines typed so far",
	  "Up and Down walk through them, Ctrl-R searches: type a part, Ctrl-R again for an older "
	  "match, Enter runs it, Ctrl-G gives up.  A line typed twice is kept once.",
	  cmd_history, NULL },
	{ "more", "shell", "more COMMAND [ARGS]   or   COMMAND | more", "show output in pages",
	  "space or f   next page        Enter or j   next line        q or Ctrl-C   stop\n"
	  "Page Down and the down arrow work too.  Example: cpu | more",
	  cmd_more, NULL },
	{ "color", "shell", "color [NAME [BACKGROUND]]", "set the colours of the text",
	  "Names: black red green yellow blue magenta cyan white, each also as bright-NAME, and "
	  "default.  Without arguments it shows them.",
	  cmd_color, complete_color },
	{ "time", "shell", "time COMMAND [ARGS]", "how long a command takes",
	  "Prints the time between start and end of the command, and how far the CPU's time stamp "
	  "counter went.  Under QEMU with -icount shift=0 a nanosecond is an instruction.\n"
	  "Example: time test pmm",
	  cmd_time, NULL },
	/* --- the system ---------------------------------------------------------------------- */
	{ "uname", "system", "uname [-a]", "name and version of the system",
	  "-a adds version, machine and the kernel's command line.", cmd_uname, NULL },
	{ "uptime", "system", "uptime", "time since boot, and how busy the CPU was", "", cmd_uptime, NULL },
	{ "date", "system", "date [-s YYYY-MM-DD [HH:MM[:SS]]]", "show or set date and time (UTC)",
	  "The time comes from the clock chip at boot and is carried on by the kernel's own clock. "
	  "-s sets the kernel's time, not the chip.  Example: date -s 2026-11-21 09:05",
	  cmd_date, NULL },
	{ "clock", "system", "clock [check [SECONDS]]", "what tells the time, and what interrupts",
	  "The machine's counters, the one that is the clock, how the TSC was corrected, and the "
	  "device whose interrupts end sleeps and make ticks.\n"
	  "clock check [SECONDS]   let all counters run side by side for so long (2 s), and compare: "
	  "1 ppm is 86 ms a day.\n"
	  "The kernel's option clock=tsc, hpet, pm or pit chooses the clock.",
	  cmd_clock, NULL },
	{ "dmesg", "system", "dmesg [LEVEL] | dmesg -n LEVEL | dmesg -p", "the kernel's log",
	  "Levels: err warn notice info debug.  With LEVEL only lines of that weight and above are "
	  "shown.  -n LEVEL: from now on show new lines up to that level on the console. "
	  "-p: the log of the boot before this one, with its panic if it ended in one; after a restart "
	  "memory still holds it, after power off it does not. "
	  "The numbers in brackets are seconds since boot.",
	  cmd_dmesg, complete_dmesg },
	{ "reboot", "system", "reboot", "restart the machine",
	  "By ACPI's reset register, else port CF9h, else the keyboard controller, else a triple fault.",
	  cmd_reboot, NULL },
	{ "poweroff", "system", "poweroff", "turn the machine off",
	  "By ACPI (state S5), else by the ports that hypervisors offer.", cmd_poweroff, NULL },
	/* --- how it booted ------------------------------------------------------------------- */
	{ "boot", "startup", "boot [info | times | state | -m]", "how the machine booted, step by step",
	  "info    what the loader found: drive, files, A20, oddities of the firmware\n"
	  "times   when each step was reached, and how much of it was waiting for the disk\n"
	  "state   the CPU's registers at each step: real mode, protected mode, long mode\n"
	  "-m      all of it as one line each with tabs, for programs to read\n"
	  "Without an argument the first three.  What could not be read at a step is shown as -. "
	  "The first steps are the boot sector and stage 2 - or, if another loader was used, the "
	  "kernel's 32-bit entry -; then come the rows of kernel/main.c.",
	  cmd_boot, complete_boot },
	{ "e820", "startup", "e820", "the memory map of the firmware, and what we made of it",
	  "The first table is what BIOS call int 15h, E820h said, or another loader; the second is "
	  "that map sorted, with overlaps resolved (reserved wins over RAM) and RAM cut to whole pages.",
	  cmd_e820, NULL },
	/* --- memory -------------------------------------------------------------------------- */
	{ "mem", "memory", "mem [leaks [since] | mark | check | shrink]", "frames, kernel heap, kernel map",
	  "Physical memory in frames of 4 KiB: who holds them, which are below the limits of "
	  "devices; the kernel heap by its caches; where the parts of the kernel's address space lie.\n"
	  "leaks    what the heap is in use for, by who asked for it, most bytes first\n"
	  "mark     remember this moment; mem leaks since then shows what was allocated after it\n"
	  "check    look at the bytes around each object, and into the free ones (DEBUG=1)\n"
	  "shrink   give back what is only kept in stock",
	  cmd_mem, complete_mem },
	{ "memtest", "memory", "memtest", "write to every free frame, and read it back",
	  "Takes all frames that are free, fills each with a pattern made of its address, reads them "
	  "all back and gives them back.  Until it is done, nobody else gets memory.  Some seconds "
	  "per GiB in an emulator; Ctrl-C ends it early.",
	  cmd_memtest, NULL },
	{ "vmmap", "memory", "vmmap [ADDR]", "what is mapped where; the page walk of an address",
	  "Without an argument: every mapped region with size, page size, rights and cache type.\n"
	  "With an address or a symbol: the entry at each level of the page tables, as the CPU "
	  "walks them.  Example: vmmap shell_execute",
	  cmd_vmmap, complete_symbol },
	{ "kmap", "memory", "kmap", "ranges of kernel addresses given out, and to whom",
	  "Device memory and firmware tables with their cache type and physical address, and large "
	  "blocks of memory, each with the function that asked for it.",
	  cmd_kmap, NULL },
	{ "pte", "memory", "pte VALUE", "a page table entry, bit by bit",
	  "VALUE is an entry as vmmap ADDR shows it, in hexadecimal: pte 0x8000000000105063",
	  cmd_pte, NULL },
	{ "peek", "memory", "peek [-p] ADDR [b|w|d|q [COUNT]]", "read memory",
	  "b, w, d, q: 1, 2, 4 or 8 bytes (8 if not said).  -p: ADDR is a physical address.\n"
	  "ADDR is a number, a symbol, or symbol+number.  What is not mapped is refused.",
	  cmd_peek, complete_symbol },
	{ "poke", "memory", "poke [-p] ADDR VALUE [b|w|d|q]", "write memory",
	  "As peek.  What is not mapped or read-only is refused; anything else is yours to break:\n"
	  "poke -p 0xb8000 0x4f21 w   puts a white ! on red into the screen's first cell.",
	  cmd_poke, complete_symbol },
	{ "dump", "memory", "dump [-p] ADDR [BYTES]", "memory in hexadecimal and as text",
	  "128 bytes if not said.  -p: ADDR is a physical address.  Example: dump -p 0x7c00 512",
	  cmd_dump, complete_symbol },
	{ "sym", "memory", "sym [NAME | PREFIX | ADDR]", "kernel symbols: name to address and back",
	  "sym NAME gives its address, sym ADDR the symbol it lies in, sym PREFIX all that begin so.",
	  cmd_sym, complete_symbol },
	/* --- CPU ----------------------------------------------------------------------------- */
	{ "regs", "processor", "regs [NAME | all]", "control registers, flags, segments, MSRs",
	  "Without an argument all of them with the names of the bits that are set; with a name that "
	  "register bit by bit.  Example: regs cr4.  regs all | more shows every one so.",
	  cmd_regs, complete_regs },
	{ "cpu", "processor", "cpu", "what CPU this is and what it can do", "Decoded from CPUID.", cmd_cpu, NULL },
	{ "gdt", "processor", "gdt", "the segment table and the task state segment", "", cmd_gdt, NULL },
	{ "idt", "processor", "idt [VECTOR]", "the interrupt table",
	  "Vectors whose gates are alike are one line.  With a vector (0-255): that gate and where it "
	  "leads.",
	  cmd_idt, NULL },
	{ "pic", "processor", "pic", "the interrupt controllers' registers",
	  "IRR, ISR and IMR of the two 8259A: which lines ask for service, are being served, are masked.  "
	  "Where I/O APICs deliver the interrupts, all are masked.",
	  cmd_pic, NULL },
	{ "irq", "processor", "irq", "interrupts so far, by line",
	  "BY: the controller that delivers the line, and where it comes in there.  IRQ 0-15 are the ISA "
	  "lines whichever controller that is; 16 and up are pins of I/O APICs; the last ones are the "
	  "local APIC's own.",
	  cmd_irq, NULL },
	{ "lapic", "processor", "lapic", "the local APIC's registers",
	  "Decoded: local vector table, timer, vectors requested and in service, errors.", cmd_lapic, NULL },
	{ "ioapic", "processor", "ioapic", "the I/O APICs' redirection tables",
	  "For each pin in use: vector, trigger mode, polarity, and the APIC id of the CPU that gets it.",
	  cmd_ioapic, NULL },
	{ "cpus", "processor", "cpus", "the processors that the firmware tells of", "", cmd_cpus, NULL },
	/* --- threads ------------------------------------------------------------------------- */
	{ "ps", "threads", "ps", "the threads",
	  "NICE: -20 gets most of the CPU, 19 least, bg only what nobody wants.  CPU ms: time it ran. "
	  "SWITCHES: how often it was given the CPU.  STACK: deepest use so far "
	  "of its stack (16 KiB each).  SLEEPS IN: the function that it waits in.",
	  cmd_ps, NULL },
	{ "top", "threads", "top", "the threads, live; q ends it",
	  "Refreshed every second, and by the space bar.  Load: how many threads ran or wanted to, on average.\n"
	  "c  sort by the CPU used since the last refresh\n"
	  "t  by the CPU used in total\n"
	  "i  by ID\n"
	  "q  end",
	  cmd_top, NULL },
	{ "spawn", "threads", "spawn [-n NICE] [KIND] [N]", "start N demo threads",
	  "spin    uses all the CPU it gets, until killed (watch it with top)\n"
	  "sleep   sleeps for ever\n"
	  "print   prints a line each second, five times, while you go on typing\n"
	  "and for the watchdog to see (help watchdog):\n"
	  "hog     keeps the CPU with preemption off: type something, and nobody answers for a while\n"
	  "deaf    keeps interrupts off\n"
	  "holder  keeps a spinlock\n"
	  "storm   5 seconds of 8,192 interrupts a second\n"
	  "deadlock  two threads, each with the mutex that the other wants\n"
	  "waiter  takes a mutex and keeps it; a second one waits for ever\n"
	  "-n NICE gives them that nice value.  kill ID ends one.",
	  cmd_spawn, complete_spawn },
	{ "nice", "threads", "nice NICE COMMAND [ARGS]", "run a command with another share of the CPU",
	  "NICE is from -20 (most) to 19 (least); a step changes the share by a fifth.  Threads that the "
	  "command starts keep it.  Example: nice 10 test sched",
	  cmd_nice, NULL },
	{ "renice", "threads", "renice ID NICE", "give a thread another share of the CPU",
	  "NICE is from -20 (most of the CPU) to 19 (least), or bg: only what nobody else wants.",
	  cmd_renice, complete_thread },
	{ "watchdog", "threads", "watchdog", "what the watchdog allows, and how often it spoke",
	  "It reports a thread that keeps the CPU, interrupts that stay off, an interrupt storm, and "
	  "threads that wait for a lock for ever.  watchdog=off or watchdog=SECONDS[,INTERRUPTS] on the "
	  "kernel's command line sets it.",
	  cmd_watchdog, NULL },
	{ "kill", "threads", "kill ID...", "end threads",
	  "Demo threads end at once.  The threads that the system lives on cannot be killed.",
	  cmd_kill, complete_thread },
	{ "sleep", "threads", "sleep SECONDS", "wait (Ctrl-C ends it)", "Fractions are fine: sleep 0.25",
	  cmd_sleep, NULL },
	{ "stack", "threads", "stack [ID]", "the call chain of a thread",
	  "Where thread ID is, and who called whom to get there; without ID the shell's own.",
	  cmd_stack, complete_thread },
	/* --- devices ------------------------------------------------------------------------- */
	{ "lspci", "devices", "lspci [-v]", "what is on the PCI bus",
	  "-v adds class, interrupt and base addresses.", cmd_lspci, NULL },
	{ "kbd", "devices", "kbd [LAYOUT]", "keyboard: state, or another layout",
	  "Layouts: us de fr.  Example: kbd de", cmd_kbd, complete_kbd },
	{ "serial", "devices", "serial", "the serial line's state and counts", "", cmd_serial, NULL },
	{ "inb", "devices", "inb PORT", "read a byte from an I/O port",
	  "Reading some ports changes the device's state.  Example: inb 0x64 (keyboard status)",
	  cmd_in, NULL },
	{ "inw", "devices", "inw PORT", "read 16 bits from an I/O port", "See inb.", cmd_in, NULL },
	{ "inl", "devices", "inl PORT", "read 32 bits from an I/O port", "See inb.", cmd_in, NULL },
	{ "outb", "devices", "outb PORT VALUE", "write a byte to an I/O port",
	  "Careful: devices do what they are told.  Example: outb 0x80 0x55", cmd_out, NULL },
	{ "outw", "devices", "outw PORT VALUE", "write 16 bits to an I/O port", "See outb.", cmd_out, NULL },
	{ "outl", "devices", "outl PORT VALUE", "write 32 bits to an I/O port", "See outb.", cmd_out, NULL },
	/* --- trying it out ------------------------------------------------------------------- */
	{ "test", "try", "test [PREFIX | -l]", "run the kernel's self-tests",
	  "All, or those whose name begins with PREFIX: test pmm.  -l lists their names.",
	  cmd_test, complete_test },
	{ "run", "try", "run [NAME=VALUE...] PROGRAM [ARGS] [&]", "start a program and wait for it",
	  "PROGRAM is a path, or a name that is looked for in /bin, /sbin, /usr/bin and /usr/sbin.  Until it "
	  "ends the console is its terminal, and Ctrl-C its.  NAME=VALUE adds to its environment.  With & at the "
	  "end it runs in the background.  A name that is no command of this shell needs no run.\n"
	  "Example: run TERM=vt100 /bin/sh",
	  cmd_run, NULL },
	{ "stress", "try", "stress [N [SEED [KIND]]]", "everything at once, at random, from a seed",
	  "Eight threads take and give back frames, blocks, objects and mappings, create threads, arm "
	  "timers, fight for locks, wake each other and write to consoles and log: N operations, "
	  "100,000 if not said.  What is wrong - bytes of one seen by another, time that goes "
	  "back, a lost wake, anything not given back - is said; KIND limits it to one kind.\n"
	  "It fills screen and log.  Example: stress 1000000 42",
	  cmd_stress, complete_stress },
	{ "bench", "try", "bench [frames [PERCENT]]", "what the kernel's hot paths cost",
	  "Cycles of the time stamp counter for a context switch, an interrupt, a frame, a block of "
	  "memory.  Under QEMU with -icount shift=0 a cycle is an instruction.\n"
	  "frames: what a page frame costs with PERCENT of memory used and the rest scattered (50); "
	  "meanwhile others find memory short.",
	  cmd_bench, NULL },
	{ "irqsoff", "try", "irqsoff [reset]", "for how long interrupts were off at most",
	  "Also preemption; with the code where that began and ended.  reset: shows it and starts "
	  "anew.  Only a kernel built by make IRQSOFF=1 measures it.",
	  cmd_irqsoff, NULL },
	{ "fail", "try", "fail [off | WHAT... | sweep COMMAND]", "let allocations fail on purpose",
	  "WHAT, for the commands typed after it; without nth and every, all fail:\n"
	  "nth N           the Nth allocation fails\n"
	  "every N         each Nth fails\n"
	  "site FUNCTION   only those made below that function count\n"
	  "kmalloc slab frame pages stack table   only these allocators count\n"
	  "Without an argument: what is armed, what failed.  sweep runs the command,\n"
	  "unseen, with its first allocation failing, then its second and so on, and tells\n"
	  "what was left behind.\n"
	  "Example: fail nth 1 site thread_create; spawn sleep; fail; fail off",
	  cmd_fail, complete_fail },
	{ "crash", "try", "crash KIND", "bring the kernel down, to see a panic",
	  "divide       divide by zero\n"
	  "pagefault    read an address that is not mapped\n"
	  "stack        call without end until the stack's guard page\n"
	  "doublefault  fault with a stack pointer that leads nowhere\n"
	  "assert       an assertion that does not hold\n"
	  "nx           jump into data, which may not be executed\n"
	  "opcode       an instruction that does not exist\n"
	  "readonly     write into the kernel's code\n"
	  "protection   an address that no page table could map\n"
	  "init         call start-up code, whose memory was given back\n"
	  "panic        call panic()\n"
	  "corrupt      write through a stale pointer; the panic comes later, elsewhere\n"
	  "irq          panic in an interrupt handler\n"
	  "alloc        panic in the allocator, its lock held\n"
	  "output       panic in the middle of console output\n"
	  "printer      panic whose report fails\n"
	  "handler      fault in the double fault's handler\n"
	  "rsp          stack pointer is garbage\n"
	  "rspcode      stack pointer in read-only memory\n"
	  "rspuser      stack pointer in a user page\n"
	  "frames       return through frames that were written over\n"
	  "thread       pointer to the running thread is garbage\n"
	  "pml4         the direct map's page table entry is 0\n"
	  "reserved     the same entry has a reserved bit set\n"
	  "hang         hang with interrupts off, until an NMI comes\n"
	  "cr3          page tables with the kernel's image alone\n"
	  "The machine stops with a report, and a key opens a debugger (panic= on the command line can "
	  "say otherwise).",
	  cmd_crash, complete_crash },
};
/* clang-format on */

const size_t nr_shell_commands = ARRAY_SIZE(shell_commands);
