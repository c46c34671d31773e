/*
 * config.c - reading MINOS.CFG.  A line that is wrong is remembered with its number and otherwise
 * ignored, so that a typing error costs one setting and not the boot.  After a wrong `entry` line
 * the settings up to the next one are ignored, too: they are not the entry's above it.
 */
#include "config.h"
#include <lib/string.h>
#include "fat.h"

static void
defaults(struct boot_entry *e)
{
	e->verify = true;
	strlcpy(e->kernel, "MINOS.ELF", sizeof(e->kernel));
	strlcpy(e->initrd, "INITRD.TAR", sizeof(e->initrd));
	strlcpy(e->cmdline, "console=both", sizeof(e->cmdline));
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* --- settings of an entry: the setters return NULL or what is wrong --- */

static const char *
set_kernel(struct boot_entry *e, const char *value)
{
	if (!fat_name_valid(value))
		return "kernel: not an 8.3 file name";
	strlcpy(e->kernel, value, sizeof(e->kernel));
	return NULL;
}

static const char *
set_initrd(struct boot_entry *e, const char *value)
{
	const bool none = strcasecmp(value, "none") == 0;

	if (!none && !fat_name_valid(value))
		return "initrd: not an 8.3 file name";
	strlcpy(e->initrd, none ? "" : value, sizeof(e->initrd));
	e->initrd_named = !none;
	return NULL;
}

static const char *
set_cmdline(struct boot_entry *e, const char *value)
{
	if (strlen(value) >= sizeof(e->cmdline))
		return "cmdline: longer than 511 characters";
	strlcpy(e->cmdline, value, sizeof(e->cmdline));
	return NULL;
}

static const char *
set_verify(struct boot_entry *e, const char *value)
{
	const bool off = strcasecmp(value, "off") == 0;

	if (!off && strcasecmp(value, "on") != 0)
		return "verify: neither on nor off";
	e->verify = !off;
	return NULL;
}

/* --- settings of the file --- */

/* Take the quotes off a name and check it; it stays where it is.  Returns NULL or what is wrong. */
static const char *
read_name(char **value)
{
	char *p = *value;

	if (*p == '"') {
		char *end = strchr(++p, '"');

		if (!end || end[1] != '\0')
			return "name: one quote before it and one behind, nothing after";
		*end = '\0';
		*value = p;
	} else {
		for (; *p; p++)
			if (blank(*p))
				return "name: with blanks it needs quotes";
	}
	if (**value == '\0')
		return "name: missing";
	for (p = *value; *p; p++)
		if (*p < ' ' || *p > '~' || *p == '"')
			return "name: a character that is not allowed";
	return strlen(*value) >= CONFIG_NAME_SIZE ? "name: longer than 47 characters" : NULL;
}

static struct boot_entry *
find_entry(struct boot_config *c, const char *name)
{
	for (uint32_t i = 0; i < c->count; i++)
		if (strcasecmp(c->entries[i].name, name) == 0)
			return &c->entries[i];
	return NULL;
}

static const char *
set_entry(struct boot_config *c, char *value)
{
	const char *why = read_name(&value);

	c->at = NULL;
	if (why)
		return why;
	if (find_entry(c, value))
		return "entry: there is one of this name already";
	if (c->count == CONFIG_ENTRIES)
		return "entry: more than 16";
	c->at = &c->entries[c->count++];
	*c->at = c->common;
	strlcpy(c->at->name, value, sizeof(c->at->name));
	return NULL;
}

static const char *
set_default(struct boot_config *c, char *value)
{
	const char *why = read_name(&value);

	if (why)
		return why;
	strlcpy(c->preset_name, value, sizeof(c->preset_name));
	c->preset_line = c->line;
	return NULL;
}

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *
set_timeout(struct boot_config *c, char *value)
{
	uint32_t seconds = 0, tenths = 0, digits = 0;

	if (strcasecmp(value, "none") == 0) {
		c->timeout = 0;
		return NULL;
	}
	for (; digit(*value) && digits < 2; digits++)
		seconds = seconds * 10 + (uint32_t)(*value++ - '0');
	if (value[0] == '.' && digit(value[1])) {
		tenths = (uint32_t)(value[1] - '0');
		value += 2;
	}
	if (digits == 0 || *value)
		return "timeout: neither none nor 0 to 99 seconds, with one decimal at most";
	c->timeout = seconds * 10 + tenths;
	return NULL;
}

/* --- lines --- */

static const struct {
	char name[8];
	const char *(*set)(struct boot_entry *e, const char *value);
} entry_keys[] = {
	{"kernel", set_kernel},
	{"initrd", set_initrd},
	{"cmdline", set_cmdline},
	{"verify", set_verify},
};

static const struct {
	char name[8];
	const char *(*set)(struct boot_config *c, char *value);
} file_keys[] = {
	{"entry", set_entry},
	{"default", set_default},
	{"timeout", set_timeout},
};

static const char *
set(struct boot_config *c, const char *key, char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(file_keys); i++)
		if (strcasecmp(key, file_keys[i].name) == 0)
			return file_keys[i].set(c, value);
	for (size_t i = 0; i < ARRAY_SIZE(entry_keys); i++)
		if (strcasecmp(key, entry_keys[i].name) == 0)
			return c->at ? entry_keys[i].set(c->at, value) : NULL;
	return "unknown key";
}

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
	return set(c, line, value);
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

/* @length bytes without the end of the line.  Returns NULL or what is wrong. */
static const char *
read_line(struct boot_config *c, const char *start, size_t length)
{
	static char line[BOOT_CMDLINE_MAX + 32]; /* the loader's stack is small */

	if (length > 0 && start[length - 1] == '\r')
		length--;
	for (; length > 0 && blank(*start); length--)
		start++;
	while (length > 0 && blank(start[length - 1]))
		length--;
	if (length >= sizeof(line))
		return *start == '#' ? NULL : "line too long";
	memcpy(line, start, length);
	line[length] = '\0';
	return strlen(line) == length ? parse_line(c, line) : "control character";
}

/* After the last line: is there an entry, and the one that `default` names? */
static void
finish(struct boot_config *c)
{
	const struct boot_entry *preset;

	if (c->count == 0)
		c->entries[c->count++] = c->common;
	if (c->preset_line == 0)
		return;
	preset = find_entry(c, c->preset_name);
	if (preset)
		c->preset = (uint32_t)(preset - c->entries);
	else
		wrong_line(c, c->preset_line, "default: no entry of this name");
}

void
config_parse(struct boot_config *c, const char *text, size_t n)
{
	memset(c, 0, sizeof(*c));
	defaults(&c->common);
	c->at = &c->common;
	for (size_t at = 0; at < n;) {
		const char *start = text + at;
		const char *end = memchr(start, '\n', n - at);
		const size_t length = end ? (size_t)(end - start) : n - at;
		const char *why;

		at += length + 1;
		c->line++;
		why = read_line(c, start, length);
		if (why)
			wrong_line(c, c->line, why);
	}
	finish(c);
}
