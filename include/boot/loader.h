/*
 * loader.h - what the boot sector and stage 2 agree on, and where stage 2 keeps things in memory.
 *
 * Read by C and, through tools/offsets.c, by NASM.  The image builder (tools/mkimage.py) repeats
 * the numbers that concern the medium and checks them against the binaries.
 */
#pragma once
#include <lib/base.h>

/*
 * Stage 2 on the medium: two copies, LBA counted in units of 512 bytes whatever the medium's
 * sectors are.  A copy occupies 32 KiB; copy A lies at twice, copy B at three times that.
 */
#define STAGE2_LBA_A 128
#define STAGE2_LBA_B 192
#define STAGE2_MAX   0x8000 /* bytes, header included */

/* Stage 2 in memory.  Its first bytes are a struct stage2_header; the code starts right behind. */
#define STAGE2_ADDR  0x8000
#define STAGE2_ENTRY 0x800a
#define STAGE2_MAGIC 0x32534f4d /* the bytes "MOS2" */

/*
 * The sum starts as the magic number; for each dword from @balance on it becomes
 * rol32(sum, 1) + dword, and must be 0 after @dwords of them.  The image builder fills in both.
 */
struct stage2_header {
	uint32_t magic;
	uint16_t dwords;
	uint32_t balance;
} PACKED;

/*
 * What stage 1 leaves: its stack, which ends at 7C00h, and its drive number.  Stage 2 starts with
 * SP at STAGE1_HANDOFF.  boot/stage1.asm draws the stack.
 */
#define STAGE1_STACK   0x7c00
#define STAGE1_DRIVE   0x7c03 /* uint8_t: the drive stage 2 was read from */
#define STAGE1_EDD     0x7c04 /* int8_t: 1 = by EDD packet calls, else by CHS */
#define STAGE1_TRACK   0x7c18 /* uint16_t: sectors per track, in the BPB */
#define STAGE1_HEADS   0x7c1a /* uint16_t: heads, in the BPB */
#define STAGE1_HANDOFF 0x7be0

struct stage1_handoff {
	uint16_t di, si, bp, sp_unused, bx, dx_unused;
	uint16_t copies_left; /* 2: copy A is running; 1: copy B */
	uint16_t lba;	      /* where it was read, in the medium's sectors */
	uint16_t list;
	uint32_t tsc[2];     /* RDTSC at the first instructions; meaningless on a CPU without it */
	uint16_t dx, cs, sp; /* as the BIOS left them */
} PACKED;

/* Memory while loading (DESIGN, "Boot").  From 80000h up nothing is ours: EBDA, then ROMs. */
/*
 * Stage 2's stack has a page of its own, and so have its variables: writing to a page that also
 * holds code costs an emulator microseconds each time.
 */
#define LOADER_LOW_BSS	   0x5f00 /* variables that real mode reaches; ends at 6000h */
#define LOADER_STACK_END   0x6000
#define LOADER_STACK	   0x7000  /* grows down to LOADER_STACK_END */
#define LOADER_TABLES	   0x10000 /* page tables at hand-over, then the 64-bit IDT */
#define LOADER_TABLES_END  0x18000
#define LOADER_BOUNCE	   0x20000 /* disk transfers: 64 KiB, and aligned to them */
#define LOADER_BOUNCE_SIZE 0x10000
#define LOADER_BSS	   0x30000 /* variables that start as 0 (boot/stage2/stage2.ld) */
#define LOADER_CACHE	   0x40000 /* the beginning of the volume, at most 64 KiB */
#define LOADER_END	   0x50000

/* Behind MINOS.ELF and INITRD.TAR on the volume: how long they are and their checksum. */
#define FILE_TRAILER_MAGIC 0x435243534f4e494dULL /* the bytes "MINOSCRC" */

struct file_trailer {
	uint64_t magic;
	uint32_t length; /* bytes before the trailer */
	uint32_t crc;	 /* CRC-32 of them */
};

_Static_assert(sizeof(struct stage2_header) == STAGE2_ENTRY - STAGE2_ADDR, "code follows");
_Static_assert(STAGE1_HANDOFF + sizeof(struct stage1_handoff) == STAGE1_STACK, "as pushed");
_Static_assert(sizeof(struct file_trailer) == 16, "on the medium");
