/*
 * elf.h - what of an ELF64 executable goes where.  Pure; tested on the host.
 *
 * The file is taken piece by piece, as it comes from the disk: elf_parse() on its beginning,
 * elf_place() for each piece, then whoever calls it clears what the segments leave (BSS).
 */
#pragma once
#include <lib/base.h>

#define ELF_SEGMENTS 16
#define ELF_LOWEST   0x100000ULL /* segments lie at 1 MiB or above ... */
#define ELF_HIGHEST \
	0x40000000ULL /* ... and in the first GiB, which is what is mapped at BOOT_KERNEL_VMA */

struct elf_segment {
	uint64_t offset, file_size; /* in the file */
	uint64_t paddr, mem_size;   /* in memory: the file's bytes, then zeros */
	bool exec;
};

struct elf_image {
	uint64_t entry;	     /* virtual */
	uint64_t start, end; /* physical range of all segments */
	uint32_t count;
	struct elf_segment segments[ELF_SEGMENTS];
	const char *why; /* what is wrong with it */
};

/*
 * Check the headers of an x86-64 executable of @file_size bytes, of which the first @size are at
 * @head.  Segments must lie within the file, at ELF_LOWEST..ELF_HIGHEST, apart from each other,
 * at virtual addresses that the loader maps.  0, or -ENOEXEC and image->why.
 */
int elf_parse(struct elf_image *image, const void *head, size_t size, uint64_t file_size);

typedef void (*elf_place_t)(uint64_t paddr, const void *data, size_t n);

/* The file's bytes [offset, offset + n) are at @data: hand each segment's part to @place. */
void elf_place(const struct elf_image *image, uint64_t offset, const void *data, size_t n,
	       elf_place_t place);
