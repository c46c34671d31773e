/*
 * main.c - the loader's phases, in order.
 *
 * entry.asm has gone to protected mode already, so that all of this is C; each BIOS call goes back
 * to real mode and returns (bios.h).  Each phase prints its name
 * before it does anything and its result afterwards, so that the last line tells where a machine
 * hangs.  It leaves a record in the boot trace, and stops the machine with a message if the next
 * phase could not work.
 */
#include <lib/string.h>
#include "config.h"
#include "stage2.h"
#include "x86.h"

#define BOOT_INFO ((struct boot_info *)BOOT_INFO_ADDR)

struct boot_info *const info = BOOT_INFO;

NORETURN void stage2_main(void);

static void
info_init(void)
{
	const struct stage1_handoff *h = (const struct stage1_handoff *)STAGE1_HANDOFF;
	const uint8_t drive = *(const uint8_t *)STAGE1_DRIVE;

	fill_dwords(info, 0, sizeof(*info) / 4);
	info->magic = BOOT_INFO_MAGIC;
	info->version = BOOT_INFO_VERSION;
	info->size = sizeof(*info);
	info->source = BOOT_SOURCE_BIOS;
	info->trace = BOOT_TRACE_ADDR;
	if (drive != (uint8_t)h->dx)
		info->quirks |= BOOT_QUIRK_DRIVE;
	if (h->copies_left == 1)
		info->quirks |= BOOT_QUIRK_STAGE2_B;
}

void
stage2_main(void)
{
	const uint8_t drive = *(const uint8_t *)STAGE1_DRIVE;
	static struct boot_config config;
	const struct boot_entry *choice;
	uint64_t entry;

	fault_init();
	info_init();
	trace_init();
	trace("protected mode");
	out_init();
	info->display = out_display();
	say("MinOS stage 2, copy %c, drive %02xh%s\n",
	    info->quirks & BOOT_QUIRK_STAGE2_B ? 'B' : 'A', drive,
	    info->quirks & BOOT_QUIRK_DRIVE ? " (the BIOS named another)" : "");
	cpu_check();
	a20_enable();
	memory_init();
	disk_init(drive);
	volume_init();
	load_config(&config);
	choice = menu_choose(&config);
	entry = load_kernel(choice);
	load_initrd(choice);
	firmware_tables();
	enter_kernel(entry);
}
