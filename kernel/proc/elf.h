/*
 * elf.h - inside kernel/proc: a program's file, opened and mapped.
 */
#pragma once
#include <fs/vfs.h>
#include <mm/aspace.h>
#include <uapi/elf.h>

struct elf {
	struct file *file; /* not held */
	struct elf64_ehdr header;
	struct elf64_phdr *phdrs;
};

struct elf_mapped {
	vaddr_t bias; /* added to the addresses in the file */
	vaddr_t entry, phdr, end;
	vaddr_t code_start, code_end;
};

/* Read and check the headers.  0; -ENOEXEC for what Linux calls so; -EIO, -ENOMEM.  Undo: elf_close(). */
int elf_open(struct elf *e, struct file *f);
void elf_close(struct elf *e);
/* The interpreter's path, its length; 0 = the file names none; -ENOEXEC ... */
ssize_t elf_interpreter(const struct elf *e, char *buf, size_t size);
/* Map all segments into @as, which is loaded. */
int elf_map(struct aspace *as, const struct elf *e, bool interpreter, struct elf_mapped *out);
