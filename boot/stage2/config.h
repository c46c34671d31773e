/*
 * config.h - MINOS.CFG: a `key value` a line.  Pure; tested on the host.  For users: docs/config.md.
 *
 *	kernel  NAME	8.3 name in the root directory	(MINOS.ELF)
 *	initrd  NAME	or `none`			(INITRD.TAR, if there is one)
 *	cmdline TEXT	for the kernel			(console=both)
 *	verify  on|off	demand the kernel's checksum	(on)
 *
 *	entry   NAME	begins an entry: the four keys below it are the entry's alone; those above
 *			the first entry hold for all of them
 *	default NAME	the entry that boots by itself	(the first)
 *	timeout N|none	seconds to wait for a key	(none)
 *
 * A name with blanks stands in double quotes.  # starts a comment at the beginning of a line.
 * Lines end in LF or CR LF.
 */
#pragma once
#include <boot/boot_info.h>

#define CONFIG_MAX	 4096 /* bytes of MINOS.CFG that are read */
#define CONFIG_WRONG	 4    /* wrong lines that are remembered */
#define CONFIG_ENTRIES	 16   /* with the lines around them they fit a text screen */
#define CONFIG_NAME_SIZE 48   /* bytes of an entry's name with the terminating NUL */

/* One system to boot. */
struct boot_entry {
	char name[CONFIG_NAME_SIZE]; /* empty: the file names no entries */
	char kernel[13];
	char initrd[13];   /* empty: none */
	bool initrd_named; /* the file asks for it: it must be there */
	bool verify;
	char cmdline[BOOT_CMDLINE_MAX];
};

struct boot_config {
	struct boot_entry entries[CONFIG_ENTRIES];
	uint32_t count;	      /* at least 1 after config_parse() */
	uint32_t preset;      /* index of the entry that boots by itself */
	uint32_t timeout;     /* tenths of a second; 0: do not wait */
	uint32_t wrong_count; /* lines not understood: they change nothing */
	struct {
		uint32_t line;
		const char *why;
	} wrong[CONFIG_WRONG];

	/* While the file is read. */
	uint32_t line;
	struct boot_entry common; /* what entries start from */
	struct boot_entry *at;	  /* what the four keys change; NULL: an entry not taken */
	char preset_name[CONFIG_NAME_SIZE]; /* looked up at the end: entries may follow it */
	uint32_t preset_line;		    /* 0: there is none */
};

/* Read @n bytes of @text into @c, which needs no values before.  Without text, one entry results. */
void config_parse(struct boot_config *c, const char *text, size_t n);
