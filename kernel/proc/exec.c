/*
 * exec.c - execve(): from a file to a running program.
 *
 * Thinnest form: static ELF64 executables, read whole.
 */
#include <kern/exec.h>
#include <fs/pagecache.h>
#include <fs/vfs.h>
#include <kern/process.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <uapi/elf.h>
#include <x86/task.h>

#define STACK_SIZE MIB(8)

static int
load_segment(struct aspace *as, struct file *f, const struct elf64_phdr *ph)
{
	const vaddr_t start = ALIGN_DOWN(ph->vaddr, PAGE_SIZE);
	const struct aspace_map m = {.addr = start,
				     .len = ph->vaddr + ph->memsz - start,
				     .prot = PROT_READ | PROT_WRITE | PROT_EXEC,
				     .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED};
	struct iobuf b = iobuf_user((uptr_t){ph->vaddr}, ph->filesz);
	uint64_t pos = ph->offset;
	ssize_t n;

	if (aspace_map(as, &m) < 0)
		return -ENOMEM;
	n = vfs_read(f, &b, &pos);
	return n < 0 ? (int)n : (uint64_t)n == ph->filesz ? 0 : -EIO;
}

#define PHDRS_MAX 16

static int
load(struct aspace *as, struct file *f, uint64_t *entry)
{
	struct elf64_phdr ph[PHDRS_MAX];
	struct elf64_ehdr eh;
	ssize_t n = kernel_read(f, &eh, sizeof(eh), 0);
	int result = 0;

	if (n != sizeof(eh) || memcmp(eh.ident, "\177ELF", 4) != 0 || eh.phnum > PHDRS_MAX)
		return -ENOEXEC;
	n = kernel_read(f, ph, eh.phnum * sizeof(ph[0]), eh.phoff);
	if (n != (ssize_t)(eh.phnum * sizeof(ph[0])))
		return -ENOEXEC;
	for (unsigned i = 0; i < eh.phnum && result == 0; i++) {
		if (ph[i].type == PT_LOAD)
			result = load_segment(as, f, &ph[i]);
	}
	*entry = eh.entry;
	return result;
}

int
exec_program(const char *path, char *const *argv, char *const *envp)
{
	struct process *p = process_self();
	const struct aspace_map stack = {.addr = USER_END - STACK_SIZE,
					 .len = STACK_SIZE,
					 .prot = PROT_READ | PROT_WRITE,
					 .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED};
	struct aspace *as;
	struct file *f;
	uint64_t entry;
	int result = vfs_open(NULL, path, O_RDONLY, 0, &f);

	(void)argv;
	(void)envp;
	if (result != 0)
		return result;
	as = aspace_create();
	if (as == NULL) {
		file_put(f);
		return -ENOMEM;
	}
	p->as = as;
	aspace_switch(as);
	result = load(as, f, &entry);
	file_put(f);
	if (result == 0 && aspace_map(as, &stack) < 0)
		result = -ENOMEM;
	task_reset_user(task_self(), entry, USER_END - 64);
	return result;
}
