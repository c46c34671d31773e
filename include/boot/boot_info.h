/*
 * boot_info.h - what the loader leaves for the kernel: the only thing that the kernel knows of it.
 *
 * One definition for three readers: the 32-bit loader, the 64-bit kernel, and NASM (the offsets
 * are generated from this header into offsets.inc).  All types have fixed widths and every 64-bit
 * field stands at a multiple of 8, so that both word sizes lay it out alike.
 *
 * Hand-over: the loader jumps to the ELF entry in long mode with interrupts off, RDI = physical
 * address of struct boot_info, the first 4 GiB mapped 1:1 and the first GiB also at
 * BOOT_KERNEL_VMA.  Nothing else is passed in registers.
 */
#pragma once
#include <lib/base.h>

#define BOOT_INFO_MAGIC	  0x534f6e694d746f42ULL /* the bytes "BotMinOS" */
#define BOOT_INFO_VERSION 2

#define BOOT_KERNEL_VMA 0xffffffff80000000ULL /* KERNEL_VMA of include/mm/layout.h */

/* Where the loader keeps its data in low memory (DESIGN "Boot": memory while loading). */
#define BOOT_INFO_ADDR	  0x0500 /* struct boot_info; ends below 1000h */
#define BOOT_RAW_MAP_ADDR 0x1000 /* E820 entries as the firmware gave them */
#define BOOT_RAW_MAP_MAX  160	 /* entries of 24 bytes: ends below 2000h */
#define BOOT_MAP_ADDR	  0x2000 /* the sanitised map */
#define BOOT_MAP_MAX	  320	 /* entries: ends below 4000h */
/* What the kernel keeps over a reboot: nothing is loaded there if there is room elsewhere. */
#define BOOT_KEEP_ADDR	  0x3f0000
#define BOOT_KEEP_SIZE	  0x10000
#define BOOT_TRACE_ADDR	  0x4000 /* struct boot_trace_entry[] */
#define BOOT_TRACE_MAX	  72	 /* entries of 104 bytes: ends below 6000h */
#define BOOT_CMDLINE_MAX  512	 /* bytes with the terminating NUL */
#define BOOT_LOADER_MAX	  40	 /* the same of another loader's name */

/* Memory map entry, as int 15h E820h defines it.  Spec: ACPI 6.4, "Address Range types". */
struct boot_mem {
	uint64_t start;
	uint64_t size; /* bytes */
	uint32_t type; /* BOOT_MEM_* */
	uint32_t attr; /* ACPI 3.0 extended attributes; bit 0 = entry valid */
};

enum {
	BOOT_MEM_RAM = 1,
	BOOT_MEM_RESERVED = 2,
	BOOT_MEM_ACPI = 3, /* ACPI tables; RAM once they were read */
	BOOT_MEM_NVS = 4,
	BOOT_MEM_BAD = 5,
};

/* Who filled the boot info: our own loaders, or kernel/entry/ for others. */
enum {
	BOOT_SOURCE_BIOS = 1,
	BOOT_SOURCE_UEFI,
	BOOT_SOURCE_MULTIBOOT,
	BOOT_SOURCE_LIMINE,
	BOOT_SOURCE_MULTIBOOT2,
	BOOT_SOURCE_PVH,
};

/* 0: not known, and then neither are drive, sector size, disk id, volume and reads. */
enum { BOOT_MEDIA_DISK = 1, BOOT_MEDIA_FLOPPY, BOOT_MEDIA_CD };

enum { BOOT_DISPLAY_NONE, BOOT_DISPLAY_TEXT, BOOT_DISPLAY_FRAMEBUFFER };

/* boot_info.quirks: what the loader had to do beyond the plain way. */
enum {
	BOOT_QUIRK_RETRY = 1 << 0,	 /* a read succeeded only after a reset and retry */
	BOOT_QUIRK_CHS = 1 << 1,	 /* reads by cylinder/head/sector */
	BOOT_QUIRK_HALVED = 1 << 2,	 /* transfers had to be made smaller */
	BOOT_QUIRK_E801 = 1 << 3,	 /* no E820: map made from int 15h E801h */
	BOOT_QUIRK_88 = 1 << 4,		 /* no E801 either: map made from int 15h 88h */
	BOOT_QUIRK_DRIVE = 1 << 5,	 /* DL was wrong: another drive held the system */
	BOOT_QUIRK_STAGE2_B = 1 << 6,	 /* copy A of stage 2 was damaged, B is running */
	BOOT_QUIRK_MAP_OVERLAP = 1 << 7, /* the firmware's map overlapped or was unsorted */
	BOOT_QUIRK_MAP_CUT = 1 << 8,	 /* more map entries than room: the rest was dropped */
	BOOT_QUIRK_UNVERIFIED = 1 << 9,	 /* the initrd carries no checksum */
	BOOT_QUIRK_CONFIG = 1 << 10,	 /* MINOS.CFG has a wrong line, or is absent */
	BOOT_QUIRK_MAP_SIZES = 1 << 11,	 /* another loader gave two sizes and no memory map */
	BOOT_QUIRK_MODULE = 1 << 12,	 /* another loader's module could not be used */
	BOOT_QUIRK_CMDLINE = 1 << 13,	 /* the command line was cut, or lost */
	BOOT_QUIRK_NO_INITRD = 1 << 14,	 /* too little memory for the initrd */
};

/* boot_info.a20_method: what turned A20 on. */
enum { BOOT_A20_ALREADY, BOOT_A20_BIOS, BOOT_A20_PORT92, BOOT_A20_8042, BOOT_A20_PORTEE };

/* boot_trace_entry.valid: which fields were read and not just left 0. */
enum {
	BOOT_TRACE_TSC = 1 << 0,
	BOOT_TRACE_CR4 = 1 << 1,
	BOOT_TRACE_EFER = 1 << 2,
	BOOT_TRACE_A20 = 1 << 3,
	BOOT_TRACE_CR0 = 1 << 4, /* CR0 and CR3 (386 and later) */
	BOOT_TRACE_RESULT = 1 << 5,
};

/* One transition of the boot: the machine's state as it was read there. */
struct boot_trace_entry {
	char name[24];	   /* NUL-terminated */
	uint64_t tsc;	   /* RDTSC */
	uint64_t disk_tsc; /* TSC ticks spent inside int 13h since power-on, running sum */
	uint64_t ip;
	uint64_t sp;
	uint64_t cr3;
	uint64_t efer;
	uint64_t rflags; /* 0 = not read: bit 1 is always set */
	uint32_t cr0;
	uint32_t cr4;
	uint16_t cs;
	uint8_t a20;	/* 1 = on */
	uint8_t bits;	/* mode the code runs in: 16, 32 or 64 */
	uint32_t valid; /* BOOT_TRACE_* */
	int32_t result; /* kernel init rows: 0 or -errno */
	uint32_t pad;
};

struct boot_info {
	uint64_t magic;
	uint32_t version;
	uint32_t size; /* sizeof(struct boot_info) */
	uint32_t crc;  /* CRC-32 of the struct with this field 0 */
	uint32_t source;

	uint32_t drive; /* BIOS drive number that was booted from */
	uint32_t media; /* BOOT_MEDIA_* */
	uint32_t sector_size;
	uint32_t disk_id;	/* MBR offset 1B8h: how the kernel finds the volume again */
	uint64_t volume_offset; /* bytes from the start of the medium to the FAT volume */
	uint32_t quirks;	/* BOOT_QUIRK_* */
	uint32_t a20_method;	/* BOOT_A20_* */
	uint32_t read_calls;	/* int 13h read calls made */
	uint32_t read_sectors;	/* sectors read by them, of sector_size bytes */

	uint64_t raw_map; /* physical address of struct boot_mem[] */
	uint64_t map;
	uint64_t trace; /* physical address of struct boot_trace_entry[] */
	uint32_t raw_map_count;
	uint32_t map_count;
	uint32_t trace_count;
	uint32_t display; /* BOOT_DISPLAY_* */

	uint64_t kernel_start; /* physical range the ELF segments occupy, BSS included */
	uint64_t kernel_end;
	uint64_t initrd_start; /* physical; both 0 when there is none */
	uint64_t initrd_end;
	uint32_t kernel_crc; /* CRC-32 of MINOS.ELF without its trailer, as read and checked */
	uint32_t initrd_crc;
	uint64_t rsdp;	       /* physical address of the ACPI RSDP, 0 if not found */
	uint64_t smbios;       /* physical address of the SMBIOS entry point, 0 if not found */
	uint64_t tables_start; /* physical range of the page tables at hand-over */
	uint64_t tables_end;

	struct {
		uint64_t base;
		uint32_t width, height, pitch, bpp;
	} framebuffer; /* all 0 unless display is FRAMEBUFFER */

	char cmdline[BOOT_CMDLINE_MAX];
	char loader[BOOT_LOADER_MAX]; /* another loader's name, or empty */
};

_Static_assert(sizeof(struct boot_mem) == 24, "E820 entry is 24 bytes");
_Static_assert(sizeof(struct boot_trace_entry) == 104, "same layout for 32-bit and 64-bit code");
_Static_assert(BOOT_INFO_ADDR + sizeof(struct boot_info) <= BOOT_RAW_MAP_ADDR, "boot info fits");
_Static_assert(BOOT_TRACE_ADDR + BOOT_TRACE_MAX * sizeof(struct boot_trace_entry) <= 0x6000,
	       "trace fits");
