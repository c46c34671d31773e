/*
 * elf.c - ELF64 executables: checked, and mapped into an address space.
 *
 * Static ones (ET_EXEC) go where they say, position-independent ones (ET_DYN) where chance puts them.  One
 * that names an interpreter gets that mapped, too, and begins in it.
 * Spec: System V gABI, "Program Loading".
 */
#include "elf.h"
#include <fs/pagecache.h>
#include <kern/random.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/kmalloc.h>

#define PHDRS_MAX  (65536 / sizeof(struct elf64_phdr))
#define PIE_BASE   0x555555554000UL
#define RANDOM_MAX (1UL << 28) /* pages that a base may be moved by: 40 bits of address */

static int
check_header(const struct elf64_ehdr *eh, ssize_t n)
{
	if (n < (ssize_t)sizeof(*eh) || memcmp(eh->ident, "\177ELF", 4) != 0)
		return -ENOEXEC;
	/* Class and byte order are not looked at: Linux does not, and the machine says it. */
	if (eh->machine != EM_X86_64 || (eh->type != ET_EXEC && eh->type != ET_DYN))
		return -ENOEXEC;
	if (eh->phentsize != sizeof(struct elf64_phdr) || eh->phnum == 0 || eh->phnum > PHDRS_MAX)
		return -ENOEXEC;
	return 0;
}

int
elf_open(struct elf *e, struct file *f)
{
	ssize_t n = kernel_read(f, &e->header, sizeof(e->header), 0);
	int result = n < 0 ? (int)n : check_header(&e->header, n);
	size_t size;

	e->file = f;
	e->phdrs = NULL;
	if (result != 0)
		return result;
	size = e->header.phnum * sizeof(e->phdrs[0]);
	e->phdrs = kmalloc(size);
	if (e->phdrs == NULL)
		return -ENOMEM;
	n = kernel_read(f, e->phdrs, size, e->header.phoff);
	if (n == (ssize_t)size)
		return 0;
	elf_close(e);
	return n < 0 && n != -EINVAL ? (int)n : -ENOEXEC;
}

void
elf_close(struct elf *e)
{
	kfree(e->phdrs);
	e->phdrs = NULL;
}

ssize_t
elf_interpreter(const struct elf *e, char *buf, size_t size)
{
	for (unsigned i = 0; i < e->header.phnum; i++) {
		const struct elf64_phdr *ph = &e->phdrs[i];
		ssize_t n;

		if (ph->type != PT_INTERP)
			continue;
		if (ph->filesz < 2 || ph->filesz > size)
			return -ENOEXEC;
		n = kernel_read(e->file, buf, ph->filesz, ph->offset);
		if (n < 0)
			return n == -EINVAL ? -ENOEXEC : n;
		return (size_t)n == ph->filesz && buf[n - 1] == '\0' ? n - 1 : -ENOEXEC;
	}
	return 0;
}

/* --- mapping ---------------------------------------------------------------------------------- */

static unsigned
prot_of(const struct elf64_phdr *ph)
{
	return (ph->flags & PF_R ? PROT_READ : 0u) | (ph->flags & PF_W ? PROT_WRITE : 0u) |
	       (ph->flags & PF_X ? PROT_EXEC : 0u);
}

/* First and last byte + 1 that it takes, page-aligned.  0 or an error for what cannot be. */
static int
extent(const struct elf *e, vaddr_t *low, vaddr_t *high)
{
	*low = UINT64_MAX;
	*high = 0;
	for (unsigned i = 0; i < e->header.phnum; i++) {
		const struct elf64_phdr *ph = &e->phdrs[i];

		if (ph->type != PT_LOAD)
			continue;
		if (ph->filesz > ph->memsz || ph->memsz > USER_END ||
		    ph->vaddr > USER_END - ph->memsz || (ph->vaddr - ph->offset) % PAGE_SIZE != 0)
			return -EINVAL;
		*low = MIN(*low, ALIGN_DOWN(ph->vaddr, PAGE_SIZE));
		*high = MAX(*high, ALIGN_UP(ph->vaddr + ph->memsz, PAGE_SIZE));
	}
	return *high == 0 ? -ENOEXEC : 0;
}

static int
map_part(struct aspace *as, struct aspace_map *m)
{
	const int64_t at = aspace_map(as, m);

	return at < 0 ? (int)at : 0;
}

/* The pages that the file fills, with zeros behind its last byte where the program may write. */
static int
map_file(struct aspace *as, const struct elf *e, const struct elf64_phdr *ph, vaddr_t at)
{
	const size_t skew = at % PAGE_SIZE;
	struct aspace_map m = {.addr = at - skew,
			       .len = ph->filesz + skew,
			       .prot = prot_of(ph),
			       .max_prot = PROT_READ | PROT_WRITE | PROT_EXEC,
			       .flags = MAP_PRIVATE | MAP_FIXED,
			       .offset = ph->offset - skew};
	int result;

	if (e->file->ops->mmap == NULL)
		return -ENODEV;
	result = e->file->ops->mmap(e->file, &m.object, m.prot, m.flags);
	return result == 0 ? map_part(as, &m) : result;
}

static int
map_zeros(struct aspace *as, const struct elf64_phdr *ph, vaddr_t start, vaddr_t end)
{
	struct aspace_map m = {.addr = start,
			       .len = end - start,
			       .prot = prot_of(ph),
			       .max_prot = PROT_READ | PROT_WRITE | PROT_EXEC,
			       .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED};

	return start < end ? map_part(as, &m) : 0;
}

static int
map_segment(struct aspace *as, const struct elf *e, const struct elf64_phdr *ph, vaddr_t bias)
{
	const vaddr_t at = ph->vaddr + bias, file_end = at + ph->filesz, end = at + ph->memsz;
	const vaddr_t page = ALIGN_UP(file_end, PAGE_SIZE);
	int result = 0;

	if (ph->filesz > 0)
		result = map_file(as, e, ph, at);
	if (result == 0)
		result = map_zeros(as, ph, ph->filesz > 0 ? page : ALIGN_DOWN(at, PAGE_SIZE),
				   ALIGN_UP(end, PAGE_SIZE));
	if (result == 0 && ph->filesz > 0 && ph->memsz > ph->filesz && ph->flags & PF_W)
		result = clear_user((uptr_t){file_end}, MIN(page, end) - file_end);
	return result;
}

static vaddr_t
choose_base(struct aspace *as, const struct elf *e, bool interpreter, size_t size)
{
	if (e->header.type == ET_EXEC)
		return 0;
	if (!interpreter)
		return PIE_BASE + (random_u64() % (RANDOM_MAX / 16)) * PAGE_SIZE;
	return as->mmap_top - ALIGN_UP(size, MIB(2));
}

int
elf_map(struct aspace *as, const struct elf *e, bool interpreter, struct elf_mapped *out)
{
	vaddr_t low, high, bias;
	int result = extent(e, &low, &high);

	if (result != 0)
		return result;
	bias = choose_base(as, e, interpreter, high - low);
	if (bias != 0)
		bias -= low;
	*out = (struct elf_mapped){
		.bias = bias, .entry = e->header.entry + bias, .end = high + bias};
	for (unsigned i = 0; i < e->header.phnum && result == 0; i++) {
		const struct elf64_phdr *ph = &e->phdrs[i];

		if (ph->type != PT_LOAD)
			continue;
		result = map_segment(as, e, ph, bias);
		if (e->header.phoff >= ph->offset && e->header.phoff - ph->offset < ph->filesz)
			out->phdr = e->header.phoff - ph->offset + ph->vaddr + bias;
		if (ph->flags & PF_X) {
			out->code_start = ph->vaddr + bias;
			out->code_end = ph->vaddr + ph->memsz + bias;
		}
	}
	return result;
}
