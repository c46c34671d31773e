/*
 * cmd_peek.c - commands that look into memory and ports: peek, poke, dump, in*, out*, sym.
 *
 * Nothing here may fault: virtual addresses go through vmm_probe_*(), physical ones through the
 * direct map if they are RAM, else through a mapping made for the moment.
 */
#include <kern/ksym.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/pmm.h>
#include <mm/sections.h>
#include <mm/vmm.h>
#include <x86/cpu.h>
#include <x86/io.h>
#include "cmds.h"

/* --- access -------------------------------------------------------------------------------------- */

/* Make @len bytes at physical @pa reachable; *@mapping is to be given to release_physical(). */
static vaddr_t
reach_physical(paddr_t pa, size_t len, void **mapping)
{
	*mapping = NULL;
	if (pmm_is_ram(pa) && pmm_is_ram(pa + len - 1))
		return (vaddr_t)phys_to_virt(pa);
	*mapping = vmm_map_as_is(pa, len);
	return (vaddr_t)*mapping;
}

static void
release_physical(void *mapping, size_t len)
{
	if (mapping != NULL)
		vmm_unmap_mmio(mapping, len);
}

/* Copy from or (@write) to an address without faulting.  0, or -errno. */
static int
access(uint64_t addr, bool physical, void *buf, size_t len, bool write)
{
	void *mapping = NULL;
	vaddr_t va = addr;
	int result;

	if (physical) {
		if (addr + len < addr || addr + len > BIT(MIN(cpu_features.phys_bits, 52u)))
			return -EFAULT;
		va = reach_physical(addr, len, &mapping);
		if (va == 0)
			return -ENOMEM;
	}
	result = write ? vmm_probe_write(va, buf, len) : vmm_probe_read(buf, va, len);
	release_physical(mapping, len);
	return result;
}

static int
complain(uint64_t addr, bool physical, int error, bool write)
{
	if (physical && error != -ENOMEM)
		sh_printf("physical address %#lx: %s\n", addr,
			  write ? "read-only, it holds the kernel's code"
				: "beyond this CPU's limit");
	else if (error == -ENOMEM)
		sh_printf("no room to map physical address %#lx\n", addr);
	else if (write)
		sh_printf("%#lx is read-only; see vmmap %#lx\n", addr, addr);
	else
		sh_printf("%#lx is not mapped; see vmmap %#lx\n", addr, addr);
	return error;
}

/* Take -p out of the arguments: does the address mean physical memory? */
static bool
take_physical(int *argc, char **argv)
{
	if (*argc < 2 || strcmp(argv[1], "-p") != 0)
		return false;
	memmove(argv + 1, argv + 2, (size_t)(*argc - 1) * sizeof(*argv));
	--*argc;
	return true;
}

/* b, w, d, q: 1, 2, 4, 8 bytes. */
static bool
parse_width(const char *s, size_t *width)
{
	static const char letters[] = "bwdq";
	const char *p = s[0] != '\0' && s[1] == '\0' ? strchr(letters, s[0]) : NULL;

	if (p == NULL || *p == '\0')
		return false;
	*width = (size_t)1 << (p - letters);
	return true;
}

/* --- peek, poke ---------------------------------------------------------------------------------- */

int
cmd_peek(int argc, char **argv)
{
	const bool physical = take_physical(&argc, argv);
	uint64_t addr, count = 1;
	size_t width = 8;

	if (argc < 2 || argc > 4 || (argc > 2 && !parse_width(argv[2], &width)))
		return -EINVAL;
	if (!arg_address(argv[1], &addr) || (argc == 4 && !arg_number_max(argv[3], 512, &count)))
		return -EINVAL;
	for (uint64_t i = 0; i < count && !sh_interrupted(); i++, addr += width) {
		uint64_t value = 0;
		const int result = access(addr, physical, &value, width, false);

		if (result != 0)
			return complain(addr, physical, result, false);
		sh_printf("%016lx: %0*lx  %lu", addr, (int)width * 2, value, value);
		if (width == 8 && value >= (uint64_t)kernel_text_start &&
		    value < (uint64_t)kernel_text_end)
			sh_printf("  %s", sym_text(value).s);
		sh_printf("\n");
	}
	return 0;
}

int
cmd_poke(int argc, char **argv)
{
	const bool physical = take_physical(&argc, argv);
	uint64_t addr, value, before = 0;
	size_t width = 8;
	int result;

	if (argc < 3 || argc > 4 || (argc == 4 && !parse_width(argv[3], &width)))
		return -EINVAL;
	if (!arg_address(argv[1], &addr) ||
	    !arg_number_max(argv[2], width == 8 ? UINT64_MAX : BIT(width * 8) - 1, &value))
		return -EINVAL;
	result = access(addr, physical, &before, width, false);
	if (result != 0)
		return complain(addr, physical, result, false);
	result = access(addr, physical, &value, width, true);
	if (result != 0)
		return complain(addr, physical, result, true);
	sh_printf("%016lx: %0*lx -> %0*lx\n", addr, (int)width * 2, before, (int)width * 2, value);
	return 0;
}

/* --- dump ---------------------------------------------------------------------------------------- */

static void
dump_row(uint64_t addr, const uint8_t *bytes, size_t n)
{
	sh_printf("%13s", pointer_text(addr).s);
	for (size_t i = 0; i < 16; i++) {
		const char *gap = i == 8 ? "  " : " ";

		if (i < n)
			sh_printf("%s%02x", gap, bytes[i]);
		else
			sh_printf("%s  ", gap);
	}
	sh_printf(" ");
	for (size_t i = 0; i < n; i++)
		sh_printf("%c", bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '.');
	sh_printf("\n");
}

int
cmd_dump(int argc, char **argv)
{
	const bool physical = take_physical(&argc, argv);
	uint64_t addr, len = 128;

	if (argc < 2 || argc > 3)
		return -EINVAL;
	if (!arg_address(argv[1], &addr) || (argc == 3 && !arg_number_max(argv[2], MIB(1), &len)))
		return -EINVAL;
	for (uint64_t done = 0; done < len && !sh_interrupted(); done += 16) {
		const size_t n = MIN(len - done, (uint64_t)16);
		uint8_t bytes[16];
		const int result = access(addr + done, physical, bytes, n, false);

		if (result != 0)
			return complain(addr + done, physical, result, false);
		dump_row(addr + done, bytes, n);
	}
	return 0;
}

/* --- ports --------------------------------------------------------------------------------------- */

/* The last letter of the command's name is the width: inb, inw, inl. */
int
cmd_in(int argc, char **argv)
{
	const char letter = argv[0][strlen(argv[0]) - 1];
	uint64_t port;

	if (argc != 2)
		return -EINVAL;
	if (!arg_number_max(argv[1], 0xffff, &port))
		return -EINVAL;
	switch (letter) {
	case 'b': sh_printf("port %04lx: %02x\n", port, inb((uint16_t)port)); break;
	case 'w': sh_printf("port %04lx: %04x\n", port, inw((uint16_t)port)); break;
	default: sh_printf("port %04lx: %08x\n", port, inl((uint16_t)port)); break;
	}
	return 0;
}

int
cmd_out(int argc, char **argv)
{
	const char letter = argv[0][strlen(argv[0]) - 1];
	uint64_t port, value;

	if (argc != 3)
		return -EINVAL;
	if (!arg_number_max(argv[1], 0xffff, &port) || !arg_number_max(argv[2],
								       letter == 'b'   ? 0xff
								       : letter == 'w' ? 0xffff
										       : 0xffffffff,
								       &value))
		return -EINVAL;
	switch (letter) {
	case 'b': outb((uint16_t)port, (uint8_t)value); break;
	case 'w': outw((uint16_t)port, (uint16_t)value); break;
	default: outl((uint16_t)port, (uint32_t)value); break;
	}
	return 0;
}

/* --- sym ----------------------------------------------------------------------------------------- */

static bool
list_symbols(const char *prefix)
{
	const char *name;
	uint64_t addr;
	bool any = false;

	for (size_t i = 0; (name = ksym_at(i, &addr)) != NULL && !sh_interrupted(); i++) {
		if (strncmp(name, prefix, strlen(prefix)) != 0)
			continue;
		sh_printf("%016lx  %s\n", addr, name);
		any = true;
	}
	return any;
}

int
cmd_sym(int argc, char **argv)
{
	uint64_t addr;

	if (argc > 2)
		return -EINVAL;
	if (argc == 1) {
		sh_printf("%zu symbols; sym PREFIX lists those that begin so\n", ksym_count());
		return 0;
	}
	addr = ksym_find(argv[1]);
	if (addr != 0) {
		sh_printf("%016lx  %s\n", addr, argv[1]);
		return 0;
	}
	if (parse_u64(argv[1], 0, &addr) != 0 && list_symbols(argv[1]))
		return 0;
	if (!arg_address(argv[1], &addr))
		return -ENOENT;
	sh_printf("%016lx  %s\n", addr, sym_text(addr).s[0] ? sym_text(addr).s : "in no symbol");
	return 0;
}
