/*
 * exec.c - execve(): from a file to a running program.
 *
 * Thinnest form: static ELF64 executables out of the initrd, read whole.
 */
#include <kern/exec.h>
#include <boot/boot_info.h>
#include <kern/boot_trace.h>
#include <kern/process.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/pmm.h>
#include <uapi/elf.h>
#include <x86/task.h>

#define STACK_SIZE MIB(8)

static uint64_t
octal(const char *s, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n && s[i] >= '0' && s[i] <= '7'; i++)
		v = v * 8 + (uint64_t)(s[i] - '0');
	return v;
}

/* The initrd's file of this name, or NULL. */
static const uint8_t *
find_in_initrd(const char *name, size_t *size)
{
	const char *tar = phys_to_virt(boot_info()->initrd_start);
	const char *end = phys_to_virt(boot_info()->initrd_end);

	for (; tar + 512 <= end && *tar != '\0'; tar += 512 + ALIGN_UP(*size, 512)) {
		*size = octal(tar + 124, 12);
		if (strcmp(tar, name) == 0)
			return (const uint8_t *)tar + 512;
	}
	return NULL;
}

static int
load_segment(struct aspace *as, const uint8_t *file, const struct elf64_phdr *ph)
{
	const vaddr_t start = ALIGN_DOWN(ph->vaddr, PAGE_SIZE);
	const struct aspace_map m = {.addr = start,
				     .len = ph->vaddr + ph->memsz - start,
				     .prot = PROT_READ | PROT_WRITE | PROT_EXEC,
				     .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED};

	if (aspace_map(as, &m) < 0)
		return -ENOMEM;
	return copy_to_user((uptr_t){ph->vaddr}, file + ph->offset, ph->filesz);
}

int
exec_program(const char *path, char *const *argv, char *const *envp)
{
	struct process *p = process_self();
	struct aspace *as = aspace_create();
	const struct elf64_ehdr *eh;
	const struct elf64_phdr *ph;
	const struct aspace_map stack = {.addr = USER_END - STACK_SIZE,
					 .len = STACK_SIZE,
					 .prot = PROT_READ | PROT_WRITE,
					 .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED};
	size_t size = 0;
	const uint8_t *file = find_in_initrd(path, &size);
	int result = 0;

	(void)argv;
	(void)envp;
	if (as == NULL)
		return -ENOMEM;
	if (file == NULL) {
		aspace_put(as);
		return -ENOENT;
	}
	eh = (const struct elf64_ehdr *)file;
	ph = (const struct elf64_phdr *)(file + eh->phoff);
	p->as = as;
	aspace_switch(as);
	for (unsigned i = 0; i < eh->phnum && result == 0; i++) {
		if (ph[i].type == PT_LOAD)
			result = load_segment(as, file, &ph[i]);
	}
	if (result == 0 && aspace_map(as, &stack) < 0)
		result = -ENOMEM;
	task_reset_user(task_self(), eh->entry, USER_END - 64);
	return result;
}
