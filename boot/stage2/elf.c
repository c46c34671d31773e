/*
 * elf.c - checks and places the segments of an ELF64 executable.
 *
 * Spec: System V ABI, "ELF Header", "Program Header"; System V ABI AMD64 Supplement, "Machine
 * Information".
 */
#include "elf.h"
#include <boot/boot_info.h>
#include <lib/checked.h>
#include <lib/errno.h>
#include <lib/string.h>

#define CLASS_64   2
#define DATA_LSB   1
#define TYPE_EXEC  2
#define MACHINE	   62 /* EM_X86_64 */
#define PT_LOAD	   1
#define PT_DYNAMIC 2
#define PT_INTERP  3
#define PF_X	   1

struct elf_header {
	uint8_t magic[4], class, data, version, abi, abi_version, pad[7];
	uint16_t type, machine;
	uint32_t version2;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct program_header {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, file_size, mem_size, align;
};

_Static_assert(sizeof(struct elf_header) == 64, "as in the file");
_Static_assert(sizeof(struct program_header) == 56, "as in the file");

static int
fail(struct elf_image *image, const char *why)
{
	image->why = why;
	return -ENOEXEC;
}

static int
check_header(struct elf_image *image, const struct elf_header *h, size_t size)
{
	if (memcmp(h->magic, "\177ELF", 4) != 0)
		return fail(image, "no ELF file");
	if (h->class != CLASS_64 || h->data != DATA_LSB || h->machine != MACHINE)
		return fail(image, "ELF file not for x86-64");
	if (h->version != 1 || h->version2 != 1 || h->type != TYPE_EXEC)
		return fail(image, "ELF file is no executable");
	if (h->phentsize != sizeof(struct program_header) || h->phnum == 0)
		return fail(image, "ELF file without program headers");
	if (!range_fits(h->phoff, (uint64_t)h->phnum * sizeof(struct program_header), size))
		return fail(image, "ELF program headers outside the beginning of the file");
	return 0;
}

static bool
overlap(const struct elf_segment *a, const struct elf_segment *b)
{
	return a->paddr < b->paddr + b->mem_size && b->paddr < a->paddr + a->mem_size;
}

static int
add_segment(struct elf_image *image, const struct program_header *p, uint64_t file_size)
{
	struct elf_segment *s = &image->segments[image->count];

	if (p->mem_size == 0)
		return 0;
	if (image->count == ELF_SEGMENTS)
		return fail(image, "ELF file with more than 16 segments");
	if (p->file_size > p->mem_size || !range_fits(p->offset, p->file_size, file_size))
		return fail(image, "ELF segment outside the file");
	if (p->paddr < ELF_LOWEST || !range_fits(p->paddr, p->mem_size, ELF_HIGHEST))
		return fail(image, "ELF segment not between 1 MiB and 1 GiB");
	if (p->vaddr != p->paddr && p->vaddr != p->paddr + BOOT_KERNEL_VMA)
		return fail(image, "ELF segment at a virtual address that is not mapped");
	*s = (struct elf_segment){p->offset, p->file_size, p->paddr, p->mem_size, p->flags & PF_X};
	for (uint32_t i = 0; i < image->count; i++)
		if (overlap(&image->segments[i], s))
			return fail(image, "ELF segments overlap");
	if (s->exec && (image->entry - p->vaddr < p->file_size))
		image->why = NULL; /* this one holds the entry point */
	image->start = MIN(image->start, s->paddr);
	image->end = MAX(image->end, s->paddr + s->mem_size);
	image->count++;
	return 0;
}

int
elf_parse(struct elf_image *image, const void *head, size_t size, uint64_t file_size)
{
	struct elf_header h;
	int error;

	*image = (struct elf_image){.start = UINT64_MAX};
	if (size < sizeof(h))
		return fail(image, "too short for an ELF file");
	memcpy(&h, head, sizeof(h));
	error = check_header(image, &h, size);
	if (error)
		return error;
	image->entry = h.entry;
	image->why = "ELF entry point in no executable segment";
	for (uint32_t i = 0; i < h.phnum; i++) {
		struct program_header p;

		memcpy(&p, (const uint8_t *)head + (size_t)h.phoff + i * sizeof(p), sizeof(p));
		if (p.type == PT_INTERP || p.type == PT_DYNAMIC)
			return fail(image, "ELF file is linked dynamically");
		if (p.type == PT_LOAD)
			error = add_segment(image, &p, file_size);
		if (error)
			return error;
	}
	return image->why ? -ENOEXEC : 0;
}

void
elf_place(const struct elf_image *image, uint64_t offset, const void *data, size_t n,
	  elf_place_t place)
{
	for (uint32_t i = 0; i < image->count; i++) {
		const struct elf_segment *s = &image->segments[i];
		const uint64_t from = MAX(offset, s->offset);
		const uint64_t to = MIN(offset + n, s->offset + s->file_size);

		if (from < to)
			place(s->paddr + (from - s->offset),
			      (const uint8_t *)data + (size_t)(from - offset), (size_t)(to - from));
	}
}
