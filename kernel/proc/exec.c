/*
 * exec.c - execve(): from a file to a running program.
 *
 * The new memory is made beside the old one; only when everything is in place does the process
 * change over, so that whatever fails before leaves the caller as it was.
 */
#include <kern/exec.h>
#include <fs/pagecache.h>
#include <kern/random.h>
#include <kern/sys.h>
#include <fs/user_path.h>
#include <kern/usercopy.h>
#include <kern/vdso.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <uapi/sched.h>
#include <x86/cpu.h>
#include <x86/syscall.h>
#include <x86/task.h>
#include <x86/trap.h>
#include "elf.h"
#include "internal.h"

#define SCRIPTS_MAX  5		 /* that name each other as interpreters */
#define HEAD_SIZE    256	 /* of a file, that decides what it is */
#define STACK_RANDOM (1UL << 22) /* pages of 16 bytes: up to 64 MiB less */
#define STACK_FIRST  KIB(132)
#define AUX_WORDS    48

struct program {
	struct file *file;
	struct exec_args *args;
	char *name; /* AT_EXECFN: what was asked for */
	struct elf elf, interpreter_elf;
	struct file *interpreter_file; /* or NULL */
	struct elf_mapped main, interpreter;
	bool has_interpreter;
	bool broken; /* its segments cannot be mapped: Linux finds that out when the old program is gone */
	unsigned phnum;
	vaddr_t vdso; /* its ELF header */
};

/* --- which file ----------------------------------------------------------------------------------- */

/* For reading by the kernel, whatever the program may.  "" is @at itself. */
static int
open_unchecked(const struct path *at, const char *path, unsigned flags, struct file **out)
{
	const unsigned how = O_PATH | (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0);
	struct path p;
	int result;

	if (*path != '\0' || at == NULL)
		return vfs_open(at, path, how, 0, out);
	p = *at;
	path_get(&p);
	result = vfs_open_path(&p, how, out);
	if (result != 0)
		path_put(&p);
	return result;
}

static int
open_program(const struct path *at, const char *path, unsigned flags, struct file **out)
{
	int result = open_unchecked(at, path, flags, out);
	struct inode *i;

	if (result != 0)
		return result;
	i = (*out)->inode;
	if ((i->mode & S_IFMT) == S_IFLNK)
		result = -ELOOP;
	else if ((i->mode & S_IFMT) != S_IFREG)
		result = -EACCES;
	else
		result = inode_permission(i, MAY_EXEC);
	if (result == 0) {
		(*out)->flags &=
			~(unsigned)O_PATH; /* the kernel reads it, whatever the program may */
		return 0;
	}
	file_put(*out);
	return result;
}

/* Split "#! interpreter argument" in @line; the argument is NULL if there is none.  0 or -ENOEXEC. */
static int
split_script_line(char *line, size_t n, char **interpreter, char **arg)
{
	char *end = memchr(line, '\n', n), *s = line + 2;

	if (end == NULL) {
		if (n == HEAD_SIZE)
			return -ENOEXEC;
		end = line + n;
	}
	while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	while (*s == ' ' || *s == '\t')
		s++;
	if (*s == '\0')
		return -ENOEXEC;
	*interpreter = s;
	while (*s != '\0' && *s != ' ' && *s != '\t')
		s++;
	*arg = NULL;
	if (*s != '\0') {
		*s++ = '\0';
		while (*s == ' ' || *s == '\t')
			s++;
		*arg = *s != '\0' ? s : NULL;
	}
	return 0;
}

/* @line is the head of a script: its interpreter is the program, and the script its argument. */
static int
follow_script(struct program *pr, char *line, size_t n)
{
	char *interpreter, *arg;
	const char *first[3];
	int result = split_script_line(line, n, &interpreter, &arg);
	unsigned count = 0;

	if (result != 0)
		return result;
	first[count++] = interpreter;
	if (arg != NULL)
		first[count++] = arg;
	first[count++] = pr->name;
	result = exec_args_replace_first(pr->args, first, count);
	if (result != 0)
		return result;
	file_put(pr->file);
	pr->file = NULL;
	kfree(pr->name);
	pr->name = kstrdup(interpreter);
	if (pr->name == NULL)
		return -ENOMEM;
	return open_program(NULL, interpreter, 0, &pr->file);
}

static int
find_program(struct program *pr)
{
	char head[HEAD_SIZE + 1];

	for (unsigned i = 0; i < SCRIPTS_MAX; i++) {
		const ssize_t n = kernel_read(pr->file, head, HEAD_SIZE, 0);
		int result;

		if (n < 0)
			return (int)n;
		if (n < 2 || head[0] != '#' || head[1] != '!')
			return 0;
		head[n] = '\0';
		result = follow_script(pr, head, (size_t)n);
		if (result != 0)
			return result;
	}
	return -ELOOP;
}

/* --- memory ---------------------------------------------------------------------------------------- */

/* The interpreter that the program names, if it does: opened, its headers read. */
static int
open_interpreter(struct program *pr)
{
	char *path = kmalloc(PATH_MAX);
	ssize_t n = path != NULL ? elf_interpreter(&pr->elf, path, PATH_MAX) : -ENOMEM;
	int result = n < 0 ? (int)n : 0;

	if (n > 0) {
		result = open_program(NULL, path, 0, &pr->interpreter_file);
		if (result == 0)
			result = elf_open(&pr->interpreter_elf, pr->interpreter_file);
		if (result == -ENOEXEC)
			result = -ELIBBAD;
		pr->has_interpreter = result == 0;
	}
	kfree(path);
	return result;
}

/* What can be found wrong with the files while the caller still is what it was.  Undo: close_images(). */
static int
open_images(struct program *pr)
{
	const int result = elf_open(&pr->elf, pr->file);

	return result == 0 ? open_interpreter(pr) : result;
}

static void
close_images(struct program *pr)
{
	elf_close(&pr->elf);
	elf_close(&pr->interpreter_elf);
	file_put(pr->interpreter_file);
}

static int
map_program(struct aspace *as, struct program *pr)
{
	int result = elf_map(as, &pr->elf, false, &pr->main);

	if (result == 0 && pr->has_interpreter)
		result = elf_map(as, &pr->interpreter_elf, true, &pr->interpreter);
	if (result != 0) {
		pr->broken = result != -ENOMEM;
		return result;
	}
	if (pr->main.phdr == 0)
		pr->main.phdr = pr->main.bias + pr->elf.header.phoff;
	pr->phnum = pr->elf.header.phnum;
	as->code_start = pr->main.code_start;
	as->code_end = pr->main.code_end;
	as->brk_start = as->brk = pr->main.end + (random_u64() % 8192) * PAGE_SIZE;
	return 0;
}

static int
map_stack(struct aspace *as, const struct process *p)
{
	const vaddr_t top = USER_END - (random_u64() % STACK_RANDOM) * 16 / PAGE_SIZE * PAGE_SIZE;
	const struct aspace_map m = {.addr = top - STACK_FIRST,
				     .len = STACK_FIRST,
				     .prot = PROT_READ | PROT_WRITE,
				     .max_prot = PROT_READ | PROT_WRITE | PROT_EXEC,
				     .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED |
					      MAP_GROWSDOWN | MAP_STACK};
	const uint64_t limit = MIN(MAX(p->rlimits[RLIMIT_STACK].cur, MIB(8)), GIB(1));
	const int64_t at = aspace_map(as, &m);

	as->stack_top = top;
	as->mmap_top = top - ALIGN_UP(limit, PAGE_SIZE) - MIB(2) -
		       (random_u64() % (1UL << 20)) * PAGE_SIZE;
	return at < 0 ? (int)at : 0;
}

/* --- the stack's contents ---------------------------------------------------------------------------- */

struct aux {
	uint64_t word[AUX_WORDS];
	unsigned n;
};

static void
aux_add(struct aux *a, uint64_t type, uint64_t value)
{
	assert(a->n + 2 <= AUX_WORDS);
	a->word[a->n++] = type;
	a->word[a->n++] = value;
}

/* Where on the new stack what is that the vector points to. */
struct on_stack {
	vaddr_t name, strings, platform, random;
};

static void
fill_aux(struct aux *a, const struct program *pr, const struct process *p,
	 const struct on_stack *at)
{
	const struct cred *c = &p->cred;

	if (pr->vdso != 0)
		aux_add(a, AT_SYSINFO_EHDR, pr->vdso);
	aux_add(a, AT_HWCAP, cpuid(1, 0).edx);
	aux_add(a, AT_PAGESZ, PAGE_SIZE);
	aux_add(a, AT_CLKTCK, 100);
	aux_add(a, AT_PHDR, pr->main.phdr);
	aux_add(a, AT_PHENT, sizeof(struct elf64_phdr));
	aux_add(a, AT_PHNUM, pr->phnum);
	aux_add(a, AT_BASE, pr->has_interpreter ? pr->interpreter.bias : 0);
	aux_add(a, AT_FLAGS, 0);
	aux_add(a, AT_ENTRY, pr->main.entry);
	aux_add(a, AT_UID, c->uid);
	aux_add(a, AT_EUID, c->euid);
	aux_add(a, AT_GID, c->gid);
	aux_add(a, AT_EGID, c->egid);
	aux_add(a, AT_SECURE, c->uid != c->euid || c->gid != c->egid);
	aux_add(a, AT_RANDOM, at->random);
	aux_add(a, AT_HWCAP2, cpu_features.fsgsbase ? 2 : 0);
	aux_add(a, AT_EXECFN, at->name);
	aux_add(a, AT_PLATFORM, at->platform);
	aux_add(a, AT_NULL, 0);
}

/* Put @n bytes below *@sp. */
static int
push(vaddr_t *sp, const void *data, size_t n)
{
	*sp -= n;
	return copy_to_user((uptr_t){*sp}, data, n);
}

/* Pointers to @count strings that follow each other from @at on, and a NULL. */
static int
put_pointers(uptr_t *to, const char *strings, size_t *done, vaddr_t base, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const uint64_t at = base + *done;

		if (put_user(at, *to) != 0)
			return -EFAULT;
		*to = uptr_add(*to, 8);
		*done += strlen(strings + *done) + 1;
	}
	if (put_user((uint64_t)0, *to) != 0)
		return -EFAULT;
	*to = uptr_add(*to, 8);
	return 0;
}

/* From the top: name, strings, platform, random bytes; aligned: auxv, envp, argv, argc <- rsp. */
static int
build_stack(struct aspace *as, const struct program *pr, const struct process *p, vaddr_t *rsp)
{
	const struct exec_args *args = pr->args;
	const uint64_t end = 0, argc = args->argc;
	vaddr_t sp = as->stack_top;
	struct on_stack at;
	struct aux aux = {.n = 0};
	uint8_t bytes[16];
	size_t done = 0;
	uptr_t to;

	random_bytes(bytes, sizeof(bytes));
	if (push(&sp, &end, 8) != 0 || push(&sp, pr->name, strlen(pr->name) + 1) != 0)
		return -E2BIG;
	at.name = sp;
	if (push(&sp, args->strings, args->used) != 0)
		return -E2BIG;
	at.strings = sp;
	if (push(&sp, "x86_64", 7) != 0)
		return -E2BIG;
	at.platform = sp;
	sp = ALIGN_DOWN(sp, 16);
	if (push(&sp, bytes, sizeof(bytes)) != 0)
		return -E2BIG;
	at.random = sp;
	fill_aux(&aux, pr, p, &at);
	sp -= (random_u64() % 256) * 16;
	sp = ALIGN_DOWN(sp - (1 + args->argc + 1 + args->envc + 1 + aux.n) * 8, 16);
	*rsp = sp;
	to = (uptr_t){sp + 8};
	if (put_user(argc, (uptr_t){sp}) != 0 ||
	    put_pointers(&to, args->strings, &done, at.strings, args->argc) != 0)
		return -E2BIG;
	as->args_start = at.strings;
	as->args_end = as->env_start = at.strings + done;
	if (put_pointers(&to, args->strings, &done, at.strings, args->envc) != 0 ||
	    copy_to_user(to, aux.word, aux.n * 8) != 0)
		return -E2BIG;
	as->env_end = at.strings + done;
	return 0;
}

/* --- changing over --------------------------------------------------------------------------------- */

/* set-user-ID and set-group-ID of the file, unless the mount or the program itself forbids it. */
static void
take_file_ids(struct process *p, const struct inode *i)
{
	struct cred *c = &p->cred;

	if (!p->no_new_privs) {
		if (i->mode & S_ISUID)
			c->euid = i->uid;
		if ((i->mode & (S_ISGID | 0010)) == (S_ISGID | 0010))
			c->egid = i->gid;
	}
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
}

static void
set_name(struct process *p, const char *name)
{
	const char *slash = strrchr(name, '/');

	(void)strlcpy(p->comm, slash != NULL ? slash + 1 : name, sizeof(p->comm));
	thread_set_name(thread_self(), p->comm);
}

static void
change_over(struct process *p, struct program *pr, const char *asked)
{
	struct task *t = task_self();

	signal_reset_for_exec(p);
	files_close_on_exec(p->files);
	process_set_exe(p, pr->file);
	p->execed = true;
	p->dumpable = 1;
	set_name(p, asked);
	t->clear_tid = (uptr_t){0};
	t->robust_list = (uptr_t){0};
	t->altstack_size = 0;
	process_let_vfork_parent_go(p);
}

/* Make the new memory, with @p in it; on failure @p has the old one back. */
static int
make_memory(struct process *p, struct program *pr, vaddr_t *rsp)
{
	struct aspace *old = p->as, *as = aspace_create();
	const struct cred cred = p->cred;
	int result;

	if (as == NULL)
		return -ENOMEM;
	as->stack_limit = p->rlimits[RLIMIT_STACK].cur;
	as->data_limit = p->rlimits[RLIMIT_DATA].cur;
	as->as_limit = p->rlimits[RLIMIT_AS].cur;
	(void)process_swap_aspace(p, as);
	aspace_switch(as);
	result = map_stack(as, p);
	if (result == 0)
		result = map_program(as, pr);
	if (result == 0)
		result = vdso_map(as, &pr->vdso);
	if (result == 0) {
		take_file_ids(p, pr->file->inode);
		result = build_stack(as, pr, p, rsp);
	}
	if (result == 0) {
		if (old != NULL)
			aspace_put(old);
		return 0;
	}
	p->cred = cred;
	(void)process_swap_aspace(p, old);
	aspace_switch(old);
	aspace_put(as);
	return result;
}

static int
exec_opened(struct program *pr, const char *asked)
{
	struct process *p = process_self();
	vaddr_t rsp = 0;
	int result = find_program(pr);

	if (result == 0)
		result = inode_run_begin(pr->file->inode);
	if (result != 0)
		return result;
	if (pr->args->argc == 0) {
		const char *const empty[] = {""};

		result = exec_args_replace_first(pr->args, empty, 1);
	}
	if (result == 0)
		result = open_images(pr);
	if (result == 0)
		result = make_memory(p, pr, &rsp);
	if (result == 0)
		change_over(p, pr, asked);
	inode_run_end(pr->file->inode);
	close_images(pr);
	if (result != 0)
		return result;
	task_reset_user(task_self(), pr->has_interpreter ? pr->interpreter.entry : pr->main.entry,
			rsp);
	return 0;
}

int
exec_file(const struct path *at, const char *path, unsigned flags, struct exec_args *args,
	  bool *broken)
{
	struct program pr = {.args = args};
	int result = open_program(at, path, flags, &pr.file);

	*broken = false;
	if (result != 0)
		return result;
	pr.name = kstrdup(path);
	result = pr.name != NULL ? exec_opened(&pr, path) : -ENOMEM;
	*broken = pr.broken;
	file_put(pr.file);
	kfree(pr.name);
	return result;
}

/* --- the calls --------------------------------------------------------------------------------------- */

static int64_t
do_exec(int dirfd, uptr_t path, uptr_t argv, uptr_t envp, unsigned flags)
{
	struct exec_args args;
	struct user_path at;
	bool broken = false;
	int result = user_path_get(dirfd, path, flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0, &at);

	if (result != 0)
		return result;
	result = exec_args_user(&args, argv, envp);
	if (result == 0) {
		result = exec_file(at.at, at.name, flags, &args, &broken);
		exec_args_free(&args);
	}
	user_path_put(&at);
	if (broken)
		process_exit(SIGSEGV);
	return result;
}

int64_t
sys_execve(uptr_t path, uptr_t argv, uptr_t envp)
{
	return do_exec(AT_FDCWD, path, argv, envp, 0);
}

int64_t
sys_execveat(int dirfd, uptr_t path, uptr_t argv, uptr_t envp, int flags)
{
	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	return do_exec(dirfd, path, argv, envp, (unsigned)flags);
}
