/*
 * config.h - MINOS.CFG: a `key value` a line.  Pure; tested on the host.
 *
 *	kernel  NAME	8.3 name in the root directory	(MINOS.ELF)
 *	initrd  NAME	or `none`			(INITRD.TAR, if there is one)
 *	cmdline TEXT	for the kernel			(console=both)
 *	verify  on|off	demand the kernel's checksum	(on)
 *
 * # starts a comment at the beginning of a line.  Lines end in LF or CR LF.
 */
#pragma once
#include <boot/boot_info.h>

#define CONFIG_MAX   4096 /* bytes of MINOS.CFG that are read */
#define CONFIG_WRONG 4	  /* wrong lines that are remembered */

struct boot_config {
	char kernel[13];
	char initrd[13];   /* empty: none */
	bool initrd_named; /* the file asks for it: it must be there */
	bool verify;
	char cmdline[BOOT_CMDLINE_MAX];
	uint32_t wrong_count; /* lines not understood: they change nothing */
	struct {
		uint32_t line;
		const char *why;
	} wrong[CONFIG_WRONG];
};

void config_defaults(struct boot_config *c);

/* Read @n bytes of @text into @c, which holds the defaults. */
void config_parse(struct boot_config *c, const char *text, size_t n);
