/*
 * cmds.h - what the shell's files share: the command functions and the helpers they are written with.
 */
#pragma once
#include <kern/base.h>
#include <kern/shell.h>
#include <kern/thread.h>

/* --- shell.c ------------------------------------------------------------------------------------- */

/* Run one command with its words; complains and suggests when there is no such command. */
int shell_run(int argc, char **argv);
/* The same without a word on the console. */
int sh_run_muted(int argc, char **argv);
/* Line @i of the history, 0 = oldest; NULL past the end. */
const char *shell_history(unsigned i);
/* From now on the output of the running command goes through the pager. */
void sh_page_output(void);
/* Bytes to the console as they are, not paged: for commands that paint the screen. */
void sh_write(const char *s);
/* The sequence that brings back the colour chosen with the command color.  (cmd_basic.c) */
const char *sh_normal(void);
/* A typed byte, waiting at most @timeout_ms: -ETIMEDOUT, or -EINTR after Ctrl-C. */
int sh_read_byte(uint64_t timeout_ms);

/* --- args.c -------------------------------------------------------------------------------------- */

/* A number: decimal, hexadecimal with 0x, or 16 hexadecimal digits.  Complains and returns false when it is none. */
bool arg_number(const char *s, uint64_t *out);
/* The same, at most @max. */
bool arg_number_max(const char *s, uint64_t max, uint64_t *out);
/* An address: a number, 16 hexadecimal digits, or a kernel symbol, which may have +NUMBER behind it. */
bool arg_address(const char *s, uint64_t *out);
/* Bytes as people read them: "640 KiB", "1.9 GiB". */
struct size_text {
	char s[16];
};
struct size_text size_text(uint64_t bytes);
/* An address; ~ stands for the ffff of the kernel's half, so that rows of them fit 80 columns. */
struct pointer_text {
	char s[20];
};
struct pointer_text pointer_text(uint64_t value);
/* "symbol+0x1c", or "" when @addr is in no symbol. */
struct sym_text {
	char s[64];
};
struct sym_text sym_text(uint64_t addr);
/* @value in @unit with thousands apart: "1,234,567". */
struct num_text {
	char s[28];
};
struct num_text num_text(uint64_t value);

/* Nanoseconds to milliseconds, with the type that printf's %lu wants. */
static inline uint64_t
ns_to_ms(uint64_t ns)
{
	return ns / 1000000;
}

/* A bit (or @width bits from @bit on) of a register, for the commands that take one apart. */
struct bit_name {
	uint8_t bit, width;
	const char *name, *meaning;
};
/* One line for each: bit, value, name, meaning. */
void print_bits(const struct bit_name *names, size_t n, uint64_t value);
/* The names of the set single bits, "PE MP NE WP PG", from @column on; what does not fit goes to the next line. */
void print_set_bits(const struct bit_name *names, size_t n, uint64_t value, unsigned column);

/* Candidates for Tab from a constant list. */
const char *list_candidate(const char *const *list, size_t n, unsigned i);
const char *complete_command(unsigned arg, unsigned i);
const char *complete_symbol(unsigned arg, unsigned i);
const char *complete_thread(unsigned arg, unsigned i);

/* --- the commands, by file ----------------------------------------------------------------------- */

int cmd_help(int argc, char **argv); /* cmd_basic.c */
const char *complete_help(unsigned arg, unsigned i);
int cmd_echo(int argc, char **argv);
int cmd_clear(int argc, char **argv);
int cmd_uname(int argc, char **argv);
int cmd_history(int argc, char **argv);
int cmd_more(int argc, char **argv);
int cmd_color(int argc, char **argv);
const char *complete_color(unsigned arg, unsigned i);
int cmd_reboot(int argc, char **argv);
int cmd_poweroff(int argc, char **argv);

int cmd_uptime(int argc, char **argv); /* cmd_time.c */
int cmd_date(int argc, char **argv);
int cmd_time(int argc, char **argv);
int cmd_clock(int argc, char **argv); /* cmd_clock.c */

int cmd_dmesg(int argc, char **argv); /* cmd_boot.c */
const char *complete_dmesg(unsigned arg, unsigned i);
int cmd_boot(int argc, char **argv);
const char *complete_boot(unsigned arg, unsigned i);
int cmd_e820(int argc, char **argv);

int cmd_mem(int argc, char **argv);	 /* cmd_mem.c */
int cmd_mem_heap(int argc, char **argv); /* cmd_heap.c; mem with an argument */
const char *complete_mem(unsigned arg, unsigned i);
void mem_print_frames(void);		/* mem_frames.c */
int cmd_memtest(int argc, char **argv); /* cmd_mem.c */
int cmd_kmap(int argc, char **argv);
int cmd_vmmap(int argc, char **argv);
int cmd_pte(int argc, char **argv);

int cmd_peek(int argc, char **argv); /* cmd_peek.c */
int cmd_poke(int argc, char **argv);
int cmd_dump(int argc, char **argv);
int cmd_in(int argc, char **argv);
int cmd_out(int argc, char **argv);
int cmd_sym(int argc, char **argv);

int cmd_regs(int argc, char **argv); /* cmd_regs.c */
const char *complete_regs(unsigned arg, unsigned i);

int cmd_cpu(int argc, char **argv); /* cmd_cpu.c */

int cmd_gdt(int argc, char **argv); /* cmd_desc.c */
int cmd_idt(int argc, char **argv);

int cmd_pic(int argc, char **argv); /* cmd_irq.c */
int cmd_irq(int argc, char **argv);

int cmd_cpus(int argc, char **argv); /* cmd_apic.c */
int cmd_lapic(int argc, char **argv);
int cmd_ioapic(int argc, char **argv);

int cmd_lspci(int argc, char **argv); /* cmd_dev.c */
int cmd_kbd(int argc, char **argv);
const char *complete_kbd(unsigned arg, unsigned i);
int cmd_serial(int argc, char **argv);

int cmd_ps(int argc, char **argv); /* cmd_thread.c */
int cmd_spawn(int argc, char **argv);
const char *complete_spawn(unsigned arg, unsigned i);
void trouble_hog(void *unused); /* spawn_trouble.c: threads for spawn */
void trouble_deaf(void *unused);
void trouble_holder(void *unused);
void trouble_storm(void *unused);
void trouble_deadlock(void *unused);
void trouble_waiter(void *unused);
int cmd_watchdog(int argc, char **argv); /* cmd_watchdog.c */
int cmd_kill(int argc, char **argv);
int cmd_sleep(int argc, char **argv);
int cmd_stack(int argc, char **argv);
const char *thread_state_text(enum thread_state state);
/* "-5", "bg".  The text is overwritten by the next call. */
const char *nice_text(int nice);
/*
 * All threads into *@info, an array from kmalloc (or NULL) of *@room, made larger when it must be.
 * Returns how many; less than there are only when memory is short.  The caller frees *@info.
 */
size_t snapshot_grow(struct thread_info **info, size_t *room);

int cmd_irqsoff(int argc, char **argv); /* cmd_irqsoff.c */

int cmd_top(int argc, char **argv); /* cmd_top.c */

int cmd_nice(int argc, char **argv); /* cmd_nice.c */
int cmd_renice(int argc, char **argv);
/* A nice value, or "bg" for NICE_BACKGROUND; says so and returns false when @s is none. */
bool arg_nice(const char *s, int *out);

int cmd_test(int argc, char **argv); /* cmd_test.c */
const char *complete_test(unsigned arg, unsigned i);
int cmd_bench(int argc, char **argv);
int cmd_fail(int argc, char **argv); /* cmd_fail.c */
const char *complete_fail(unsigned arg, unsigned i);
int cmd_crash(int argc, char **argv);
const char *complete_crash(unsigned arg, unsigned i);
int cmd_stress(int argc, char **argv); /* cmd_stress.c */
const char *complete_stress(unsigned arg, unsigned i);
int cmd_run(int argc, char **argv); /* cmd_run.c */
/* What was typed behind the line that is being run, for the program that it starts.  Context: the shell. */
size_t sh_take_typed(char *buf, size_t max);
/* Start the program @argv[0] (with NAME=VALUE words in front) and wait for it, unless the last word is &. */
int program_run(int argc, char **argv);
/* Run @path as PID 1 with the console until it ends.  0, or -errno: it did not start, and why has been said. */
int program_init(const char *path);
/* Is there a program of this name, or path?  Its path. */
bool program_find(const char *name, char *buf, size_t size);
void crash_corrupt(void); /* crash_corrupt.c */
void crash_irq(void);	  /* crash_hard.c */
void crash_alloc(void);
void crash_output(void);
NORETURN void crash_printer(void);
void crash_handler(void);
NORETURN void crash_rsp(void);
NORETURN void crash_rsp_code(void);
void crash_rsp_user(void);
void crash_thread(void);
void crash_pml4(void);
void crash_reserved(void);
void crash_cr3(void);
NORETURN void crash_hang(void);
