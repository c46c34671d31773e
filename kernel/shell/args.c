/*
 * args.c - what many commands need: numbers and addresses from text, sizes and bits to text.
 */
#include <kern/ksym.h>
#include <kern/thread.h>
#include <lib/printf.h>
#include <lib/string.h>
#include "cmds.h"

#define LINE_WIDTH 80

bool
arg_number_max(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t value;
	const int result = parse_u64(s, 0, &value);

	if (result == -EINVAL)
		sh_printf("'%s' is not a number (decimal, or hexadecimal as 0x1f)\n", s);
	else if (result != 0 || value > max)
		sh_printf("%s is too large, the limit is %lu (%#lx)\n", s, max, max);
	if (result != 0 || value > max)
		return false;
	*out = value;
	return true;
}

/* As addresses and page table entries are printed: all 64 bits, no 0x. */
static bool
hex16(const char *s, uint64_t *out)
{
	return strlen(s) == 16 && parse_u64(s, 16, out) == 0;
}

bool
arg_number(const char *s, uint64_t *out)
{
	if (hex16(s, out))
		return true;
	return arg_number_max(s, UINT64_MAX, out);
}

bool
arg_address(const char *s, uint64_t *out)
{
	char name[64];
	uint64_t offset = 0;
	const char *plus = strchr(s, '+');

	if (hex16(s, out) || parse_u64(s, 0, out) == 0)
		return true;
	if (plus != NULL && parse_u64(plus + 1, 0, &offset) != 0)
		plus = NULL;
	(void)strlcpy(name, s,
		      plus != NULL ? MIN((size_t)(plus - s) + 1, sizeof(name)) : sizeof(name));
	*out = ksym_find(name);
	if (*out == 0) {
		sh_printf("'%s' is no address: a number (0x...) or a kernel symbol is expected\n",
			  s);
		return false;
	}
	*out += offset;
	return true;
}

struct size_text
size_text(uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	struct size_text t;
	unsigned u = 0;
	uint64_t tenths;

	if (bytes < 1024) {
		snprintf(t.s, sizeof(t.s), "%lu B", bytes);
		return t;
	}
	while (u < sizeof(units) - 2 && bytes >= 1024 * 1024) {
		bytes >>= 10;
		u++;
	}
	tenths = bytes * 10 / 1024;
	if (tenths % 10 == 0 || tenths >= 10000)
		snprintf(t.s, sizeof(t.s), "%lu %ciB", tenths / 10, units[u]);
	else
		snprintf(t.s, sizeof(t.s), "%lu.%lu %ciB", tenths / 10, tenths % 10, units[u]);
	return t;
}

struct pointer_text
pointer_text(uint64_t value)
{
	struct pointer_text t;

	if (value >> 48 == 0xffff)
		snprintf(t.s, sizeof(t.s), "~%012lx", value & 0xffffffffffff);
	else
		snprintf(t.s, sizeof(t.s), "%lx", value);
	return t;
}

struct sym_text
sym_text(uint64_t addr)
{
	struct sym_text t = {""};
	uint64_t offset;
	const char *name = ksym_lookup(addr, &offset);

	if (name != NULL && offset != 0)
		snprintf(t.s, sizeof(t.s), "%s+%#lx", name, offset);
	else if (name != NULL)
		(void)strlcpy(t.s, name, sizeof(t.s)); /* cut is fine */
	return t;
}

struct num_text
num_text(uint64_t value)
{
	struct num_text t;
	char digits[24];
	const size_t n = (size_t)snprintf(digits, sizeof(digits), "%lu", value);
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			t.s[out++] = ',';
		t.s[out++] = digits[i];
	}
	t.s[out] = '\0';
	return t;
}

void
print_bits(const struct bit_name *names, size_t n, uint64_t value)
{
	for (size_t i = 0; i < n; i++) {
		const struct bit_name *b = &names[i];
		const uint64_t field =
			(value >> b->bit) & (b->width < 64 ? BIT(b->width) - 1 : UINT64_MAX);
		char bits[8];

		if (b->width == 1)
			snprintf(bits, sizeof(bits), "%u", (unsigned)b->bit);
		else
			snprintf(bits, sizeof(bits), "%u-%u", b->bit + b->width - 1U,
				 (unsigned)b->bit);
		sh_printf(field > 9 ? "  %5s  %#-4lx %-8s %s\n" : "  %5s  %-4lu %-8s %s\n", bits,
			  field, b->name, b->meaning);
	}
}

void
print_set_bits(const struct bit_name *names, size_t n, uint64_t value, unsigned column)
{
	const char *gap = "";
	size_t at = column;

	for (size_t i = 0; i < n; i++) {
		if (names[i].width != 1 || (value >> names[i].bit & 1) == 0)
			continue;
		at += strlen(gap) + strlen(names[i].name);
		if (at >= LINE_WIDTH) {
			sh_printf("\n%*s", (int)column, "");
			at = column + strlen(names[i].name);
			gap = "";
		}
		sh_printf("%s%s", gap, names[i].name);
		gap = " ";
	}
	sh_printf("\n");
}

const char *
list_candidate(const char *const *list, size_t n, unsigned i)
{
	return i < n ? list[i] : NULL;
}

/* In alphabetical order, which is not the table's. */
const char *
complete_command(unsigned arg, unsigned i)
{
	static const char *names[64];
	const size_t n = MIN(nr_shell_commands, ARRAY_SIZE(names));

	for (size_t k = names[0] == NULL ? 0 : n; k < n; k++) {
		size_t at = k;

		for (; at > 0 && strcmp(names[at - 1], shell_commands[k].name) > 0; at--)
			names[at] = names[at - 1];
		names[at] = shell_commands[k].name;
	}
	return arg == 1 && i < n ? names[i] : NULL;
}

const char *
complete_symbol(unsigned arg, unsigned i)
{
	uint64_t addr;

	return arg == 1 ? ksym_at(i, &addr) : NULL;
}

const char *
complete_thread(unsigned arg, unsigned i)
{
	static struct thread_info info[64];
	static char number[12];
	static size_t n;

	if (i == 0)
		n = MIN(thread_snapshot(info, ARRAY_SIZE(info)), ARRAY_SIZE(info));
	if (arg != 1 || i >= n)
		return NULL;
	snprintf(number, sizeof(number), "%u", info[i].id);
	return number;
}
