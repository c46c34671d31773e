/*
 * fault_place.c - where in a program an address is, in words: the function that its own symbol table names.
 *
 * From the address to the range that it lies in, to the place in the file, to the address that the file was linked for,
 * to a symbol.  Stripped programs have none: then the file and the place in it are said.
 * Spec: System V ABI, "Symbol Table", "Sections"; the file may hold anything and is believed in nothing.
 */
#include <fs/pagecache.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include "elf.h"
#include "internal.h"

#define SYMBOLS_AT_ONCE 128
#define SYMBOLS_MAX	(1U << 20)
#define NAME_SHOWN	48

/* Section number @i. */
static int
read_section(const struct elf *e, unsigned i, struct elf64_shdr *out)
{
	if (i >= e->header.shnum || e->header.shentsize != sizeof(*out))
		return -ENOENT;
	return kernel_read(e->file, out, sizeof(*out), e->header.shoff + i * sizeof(*out)) ==
			       sizeof(*out)
		       ? 0
		       : -EIO;
}

static int
find_section(const struct elf *e, uint32_t type, struct elf64_shdr *out)
{
	for (unsigned i = 0; i < e->header.shnum; i++) {
		if (read_section(e, i, out) != 0)
			return -ENOENT;
		if (out->type == type)
			return 0;
	}
	return -ENOENT;
}

/* The function of @table that holds @addr. */
static bool
find_symbol(const struct elf *e, const struct elf64_shdr *table, uint64_t addr,
	    struct elf64_sym *out)
{
	const uint64_t count = MIN(table->size / sizeof(*out), (uint64_t)SYMBOLS_MAX);
	struct elf64_sym *some = kmalloc(SYMBOLS_AT_ONCE * sizeof(*some));
	bool found = false;

	for (uint64_t at = 0; some != NULL && at < count && !found; at += SYMBOLS_AT_ONCE) {
		const size_t n = MIN(count - at, (uint64_t)SYMBOLS_AT_ONCE);

		if (kernel_read(e->file, some, n * sizeof(*some),
				table->offset + at * sizeof(*some)) != (ssize_t)(n * sizeof(*some)))
			break;
		for (size_t i = 0; i < n && !found; i++) {
			if ((some[i].info & 15) != STT_FUNC || addr - some[i].value >= some[i].size)
				continue;
			*out = some[i];
			found = true;
		}
	}
	kfree(some);
	return found;
}

/* "name+0x12" of the address @addr, as the file was linked.  False: no symbol. */
static bool
describe_symbol(const struct elf *e, uint64_t addr, char *buf, size_t size)
{
	struct elf64_shdr table, strings;
	struct elf64_sym symbol = {0};
	char name[NAME_SHOWN];
	ssize_t n;

	if (find_section(e, SHT_SYMTAB, &table) != 0 || !find_symbol(e, &table, addr, &symbol) ||
	    read_section(e, table.link, &strings) != 0 || symbol.name >= strings.size)
		return false;
	n = kernel_read(e->file, name, MIN(sizeof(name) - 1, strings.size - symbol.name),
			strings.offset + symbol.name);
	if (n <= 0)
		return false;
	name[n] = '\0';
	for (char *c = name; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	(void)snprintf(buf, size, "%s+%#lx", name, addr - symbol.value);
	return true;
}

/* The address that byte @offset of the file was linked for. */
static uint64_t
linked_address(const struct elf *e, uint64_t offset)
{
	for (unsigned i = 0; i < e->header.phnum; i++) {
		const struct elf64_phdr *ph = &e->phdrs[i];

		if (ph->type == PT_LOAD && offset - ph->offset < ph->filesz)
			return ph->vaddr + (offset - ph->offset);
	}
	return offset;
}

static void
describe_in_file(struct file *f, uint64_t offset, char *buf, size_t size)
{
	struct elf e;
	bool found = false;

	if (elf_open(&e, f) == 0) {
		found = describe_symbol(&e, linked_address(&e, offset), buf, size);
		elf_close(&e);
	}
	if (!found)
		(void)snprintf(buf, size, "byte %#lx of its file", offset);
}

void
fault_place(struct process *p, uint64_t addr, char *buf, size_t size)
{
	struct aspace *as = process_aspace(p);
	struct file *f = process_exe(p);
	struct vma v = {.object = NULL};

	(void)strlcpy(buf, "nothing is mapped there", size);
	if (as != NULL && aspace_range_at(as, addr, &v) && v.start <= addr) {
		if (f != NULL && v.object != NULL && v.object == pagecache_object(f->inode))
			describe_in_file(f, v.offset + (addr - v.start), buf, size);
		else
			(void)strlcpy(buf, v.object != NULL ? "another file" : "memory of its own",
				      size);
	}
	if (v.object != NULL)
		v.object->ops->put(v.object);
	if (f != NULL)
		file_put(f);
	if (as != NULL)
		aspace_put(as);
}
