/*
 * config.c - reading MINOS.CFG.  A line that is wrong is remembered with its number and otherwise
 * ignored, so that a typing error costs one setting and not the boot.
 */
#include "config.h"
#include <lib/string.h>
#include "fat.h"

void
config_defaults(struct boot_config *c)
{
	*c = (struct boot_config){.verify = true};
	strlcpy(c->kernel, "MINOS.ELF", sizeof(c->kernel));
	strlcpy(c->initrd, "INITRD.TAR", sizeof(c->initrd));
	strlcpy(c->cmdline, "console=both", sizeof(c->cmdline));
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The setters return NULL or what is wrong. */
static const char *
set_kernel(struct boot_config *c, const char *value)
{
	if (!fat_name_valid(value))
		return "kernel: not an 8.3 file name";
	strlcpy(c->kernel, value, sizeof(c->kernel));
	return NULL;
}

static const char *
set_initrd(struct boot_config *c, const char *value)
{
	const bool none = strcasecmp(value, "none") == 0;

	if (!none && !fat_name_valid(value))
		return "initrd: not an 8.3 file name";
	strlcpy(c->initrd, none ? "" : value, sizeof(c->initrd));
	c->initrd_named = !none;
	return NULL;
}

static const char *
set_cmdline(struct boot_config *c, const char *value)
{
	if (strlen(value) >= sizeof(c->cmdline))
		return "cmdline: longer than 511 characters";
	strlcpy(c->cmdline, value, sizeof(c->cmdline));
	return NULL;
}

static const char *
set_verify(struct boot_config *c, const char *value)
{
	const bool off = strcasecmp(value, "off") == 0;

	if (!off && strcasecmp(value, "on") != 0)
		return "verify: neither on nor off";
	c->verify = !off;
	return NULL;
}

static const struct {
	char name[8];
	const char *(*set)(struct boot_config *c, const char *value);
} keys[] = {
	{"kernel", set_kernel},
	{"initrd", set_initrd},
	{"cmdline", set_cmdline},
	{"verify", set_verify},
};

/* @line is NUL-terminated, without blanks at either end. */
static const char *
parse_line(struct boot_config *c, char *line)
{
	char *value = line;

	if (*line == '\0' || *line == '#')
		return NULL;
	for (const char *p = line; *p; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			return "control character";
	while (*value && !blank(*value))
		value++;
	if (*value)
		*value++ = '\0';
	while (blank(*value))
		value++;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcasecmp(line, keys[i].name) == 0)
			return keys[i].set(c, value);
	return "unknown key";
}

static void
wrong_line(struct boot_config *c, uint32_t line, const char *why)
{
	if (c->wrong_count < CONFIG_WRONG) {
		c->wrong[c->wrong_count].line = line;
		c->wrong[c->wrong_count].why = why;
	}
	c->wrong_count++;
}

void
config_parse(struct boot_config *c, const char *text, size_t n)
{
	static char line[BOOT_CMDLINE_MAX + 32]; /* the loader's stack is small */
	uint32_t number = 0;

	for (size_t at = 0; at < n;) {
		const char *start = text + at;
		const char *end = memchr(start, '\n', n - at);
		size_t length = end ? (size_t)(end - start) : n - at;
		const char *why;

		at += length + 1;
		number++;
		if (length > 0 && start[length - 1] == '\r')
			length--;
		for (; length > 0 && blank(*start); length--)
			start++;
		while (length > 0 && blank(start[length - 1]))
			length--;
		if (length >= sizeof(line)) {
			if (*start != '#')
				wrong_line(c, number, "line too long");
			continue;
		}
		memcpy(line, start, length);
		line[length] = '\0';
		why = strlen(line) == length ? parse_line(c, line) : "control character";
		if (why)
			wrong_line(c, number, why);
	}
}
