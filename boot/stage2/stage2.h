/*
 * stage2.h - the loader's parts and how they hang together.
 *
 * One thread, no interrupts in 32-bit code, no heap.  A function either succeeds or calls die(),
 * which says what is wrong and what to do and stops the machine; only the pure files (fat, e820,
 * elf, lz4, config, tar, keys, edit: tested on the host) return errors.
 */
#pragma once
#include <boot/boot_info.h>
#include <boot/loader.h>
#include <lib/base.h>

/* --- out.c: screen and COM1 --- */

void out_init(void);
/* BOOT_DISPLAY_*: whether there is a text screen. */
uint32_t out_display(void);
void say(const char *fmt, ...) PRINTF(1, 2);
/*
 * Say what is wrong and what to do, on screen and COM1, and stop for good.  @advice is a sentence;
 * @fmt says what failed and where.
 */
NORETURN void die(const char *advice, const char *fmt, ...) PRINTF(2, 3);

/* For the menu: move up that many lines and to their start; to column @n of this line. */
void out_up(uint32_t lines);
void out_column(uint32_t n);
/* Blank the line from here to its end. */
void out_clear_line(void);
void out_inverse(bool on);
/* A byte from COM1, or -1: nothing there, or no COM1. */
int serial_read(void);

/* --- input.c: keys from both consoles --- */

#define INPUT_FOREVER UINT32_MAX

/*
 * Whether somebody wants the menu before it was offered: a key of the keyboard waits or Shift is
 * held, or ESC came over COM1 (other bytes may be noise, or another system's login).  Calls no BIOS.
 */
bool input_waiting(void);
/* Forget the keys that wait. */
void input_drop(void);
/* The next key (keys.h), or KEY_NONE after @wait ticks of 55 ms. */
int input_key(uint32_t wait);

/* --- menu.c --- */

/*
 * Which entry to boot: the preset one, unless somebody opens the menu in time.  Leaves the kernel's
 * command line in the boot info.
 */
struct boot_config;
const struct boot_entry *menu_choose(struct boot_config *config);

/* --- trace.c: the boot trace --- */

/* The CPU's state at stage 2's first instructions, left by entry.asm. */
struct entry_state {
	uint32_t tsc[2]; /* 0 on a CPU without RDTSC */
	uint32_t sp, flags, cr0;
};
extern struct entry_state entry_state;

/* What may be read by now: set by cpu_check() and a20_enable(). */
struct trace_known {
	bool tsc, cr4, efer, a20;
};
extern struct trace_known trace_known;

/* The records of stage 1 and of stage 2's entry. */
void trace_init(void);
/* Record the machine's state now under @name. */
void trace(const char *name);
/* RDTSC, or 0 as long as it is not known whether the CPU has it. */
uint64_t trace_clock(void);
/* Ticks spent in int 13h, added up for the records. */
void trace_disk_time(uint64_t ticks);
/* A new record with its name and disk time, for code that fills in the rest itself. */
struct boot_trace_entry *trace_reserve(const char *name);

/* --- the phases, in their order (main.c) --- */

extern struct boot_info *const info; /* at BOOT_INFO_ADDR */

void fault_init(void);
void cpu_check(void);
void a20_enable(void);
/* No emulator keeps the line off: built with -DTEST_A20_STUCK, the test always says it is. */
#ifdef TEST_A20_STUCK
#define TEST_STUCK true
#else
#define TEST_STUCK false
#endif
/* After BIOS calls that may have turned it off. */
void a20_keep(void);
void memory_init(void);
void disk_init(uint8_t drive);
void volume_init(void);
void firmware_tables(void);
NORETURN void enter_kernel(uint64_t entry);

/* --- memory.c --- */

/* Die unless all of [start, start + size) is RAM; @what names what would stand there. */
void memory_require(const char *what, uint64_t start, uint64_t size);
/* Lowest RAM of @size bytes, page-aligned, from @min to 4 GiB; 0 if there is none. */
uint32_t memory_find(uint32_t min, uint32_t size);
/* Highest RAM of @size bytes, page-aligned, from 1 MiB to 4 GiB; 0 if there is none. */
uint32_t memory_find_top(uint32_t size);

/* --- disk.c, volume.c --- */

/*
 * Read bytes [offset, offset + *len) of the boot medium into @buf: 64 KiB, aligned to them, below
 * 1 MiB.  *len is cut to what one transfer holds.  Returns where the first byte lies in @buf.
 * Dies on an error.
 */
const void *disk_read(uint64_t offset, uint32_t *len, uint32_t buf);

struct fat_volume;
extern struct fat_volume volume;
/* Bytes of the volume from 512-byte sector @sector on, until the next call; *len as disk_read(). */
const void *volume_read(uint32_t sector, uint32_t *len);

/* --- load.c --- */

struct boot_entry;
void load_config(struct boot_config *config);
/* Load the kernel by its program headers; returns its entry point. */
uint64_t load_kernel(const struct boot_entry *config);
void load_initrd(const struct boot_entry *config);

/* --- fault.c, fault_stubs.asm --- */

/* Filled in by fault_stubs.asm. */
struct fault_record {
	uint32_t vector, error;
	uint64_t ip, sp, flags, cr2;
	uint32_t cs, bits;
};
extern const struct fault_record fault_record;
/* Entry points, FAULT_STUB_SIZE bytes each: one per vector. */
#define FAULT_STUB_SIZE 5
extern const uint8_t fault_stubs32[], fault_stubs64[];
NORETURN void fault_report(void);
NORETURN void fault_real_mode(uint32_t cs, uint32_t ip);

/* What LIDT takes; entry.asm loads it again after each BIOS call. */
extern struct idt_pointer {
	uint16_t limit;
	uint32_t base;
} PACKED idt32_pointer;

/* Have 64-bit exceptions printed, too: fills 32 gates of 16 bytes. */
void fault_init64(uint32_t idt);

/* --- longmode.asm --- */

/*
 * Into 64-bit mode and to @entry with RDI = BOOT_INFO_ADDR.  Fills in the three consecutive trace
 * records from @records on: paging, long mode, kernel entry.
 */
NORETURN void long_mode(uint32_t cr3, struct boot_trace_entry *records, uint64_t entry);
