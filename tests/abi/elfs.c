/*
 * elfs.c - programs that are broken in one place each: how execve() fails, or how they end.
 *
 * SYSCALLS: execve
 */
#include "abi.h"
#include <elf.h>
#include <sys/stat.h>

#define HUGE 0x7fffffffffff0000UL

static char *original, *image;
static size_t size;

static Elf64_Ehdr *
header(void)
{
	return (Elf64_Ehdr *)image;
}

/* The first program header of that type. */
static Elf64_Phdr *
segment(unsigned type)
{
	Elf64_Phdr *ph = (Elf64_Phdr *)(image + header()->e_phoff);

	while (ph->p_type != type)
		ph++;
	return ph;
}

static void
run(const char *what, size_t length)
{
	char *argv[] = {"broken", "quiet", NULL}, *envp[] = {NULL};
	const int fd = open("broken", O_WRONLY | O_CREAT | O_TRUNC, 0755);

	write(fd, image, length);
	close(fd);
	printf("%s: ", what);
	fflush(stdout);
	CHILD(execve("./broken", argv, envp); printf("%s: ", strerror(errno)); fflush(stdout);
	      _exit(77));
	memcpy(image, original, size);
}

/* @change is done to a copy, which is run. */
#define BROKEN(change)              \
	do {                        \
		change;             \
		run(#change, size); \
	} while (0)

static void
headers(void)
{
	BROKEN(header()->e_ident[EI_MAG0] = 'x');
	BROKEN(header()->e_ident[EI_CLASS] = ELFCLASSNONE);
	BROKEN(header()->e_ident[EI_DATA] = ELFDATA2MSB);
	BROKEN(header()->e_ident[EI_VERSION] = 9);
	BROKEN(header()->e_type = ET_REL);
	BROKEN(header()->e_type = ET_CORE);
	BROKEN(header()->e_machine = EM_AARCH64);
	BROKEN(header()->e_version = 7);
	BROKEN(header()->e_flags = 0xffff);
	BROKEN(header()->e_ehsize = 1);
	BROKEN(header()->e_phentsize = 32);
	BROKEN(header()->e_phentsize = 0);
	BROKEN(header()->e_phnum = 0);
	BROKEN(header()->e_phnum = 0xffff);
	BROKEN(header()->e_phoff = size + 4096);
	BROKEN(header()->e_phoff = size - 8);
	BROKEN(header()->e_phoff = HUGE);
	BROKEN(header()->e_shoff = HUGE);
	BROKEN(header()->e_entry = 0);
	BROKEN(header()->e_entry = HUGE);
}

static void
segments(void)
{
	BROKEN(segment(PT_LOAD)->p_filesz = segment(PT_LOAD)->p_memsz + 1);
	BROKEN(segment(PT_LOAD)->p_vaddr = 0xffffffff80000000UL);
	BROKEN(segment(PT_LOAD)->p_vaddr += 8);
	BROKEN(segment(PT_LOAD)->p_memsz = 0x800000000000UL);
	BROKEN(segment(PT_LOAD)->p_memsz = ~0UL);
	BROKEN(segment(PT_LOAD)->p_offset = HUGE);
	BROKEN(segment(PT_LOAD)->p_offset += 8);
	BROKEN(segment(PT_LOAD)->p_type = PT_NULL);
	BROKEN(segment(PT_LOAD)->p_type = PT_INTERP);
	BROKEN(segment(PT_GNU_STACK)->p_type = PT_INTERP);
	BROKEN(segment(PT_GNU_STACK)->p_type = 0x60001234);
	BROKEN(segment(PT_GNU_STACK)->p_flags = PF_R | PF_W | PF_X);
}

static void
lengths(void)
{
	static const size_t some[] = {0, 1, 3, 4, 16, 52, 63, 64, 100, 120, 300, 1000};

	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		char what[32];

		sprintf(what, "%zu bytes", some[i]);
		run(what, some[i]);
	}
}

int
main(int argc, char **argv)
{
	struct stat st;
	int fd;

	if (argc > 1)
		return 42;
	fd = open("/proc/self/exe", O_RDONLY);
	fstat(fd, &st);
	size = st.st_size;
	original = malloc(size);
	image = malloc(size);
	if (read(fd, original, size) != (ssize_t)size)
		return 1;
	memcpy(image, original, size);
	run("as it is", size);
	headers();
	segments();
	lengths();
	unlink("broken");
	return 0;
}
