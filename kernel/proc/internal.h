/*
 * internal.h - what the files of kernel/proc share and nobody else needs.
 */
#pragma once
#include <kern/process.h>

/* Kernel memory; strings end with NUL, the lists with NULL. */
struct exec_args {
	char *strings; /* all of them, one after the other: argv, then envp */
	size_t used, size;
	unsigned argc, envc;
};

/* A process with one task and no thread yet, in no table; NULL = no memory. */
struct process *process_alloc(void);
/* Undo process_alloc(): nothing of the rest is given back. */
void process_free(struct process *p);
/* A number of its own for @p (or @pid, if not 0), and its place in the tables below @parent. */
void process_enter_locked(struct process *p, struct process *parent, int pid)
	REQUIRES(process_lock);
/* Out of all tables; the last reference frees it. */
void process_leave_locked(struct process *p) REQUIRES(process_lock);
struct process *process_find_locked(int pid) REQUIRES(process_lock);
/* The process that orphans go to; it has no program unless init= gave it one. */
struct process *process_reaper(void);
/* Is it the kernel's own, which waits for nobody? */
static inline bool
process_is_kernel(const struct process *p)
{
	return list_empty(&p->tasks);
}

/* Let @p's parent know that something happened to it; wakes and, if it wants it, signals SIGCHLD. */
void process_tell_parent_locked(struct process *p, int code, int status) REQUIRES(process_lock);
/* Was @p forgotten by its parent from the start (SIGCHLD ignored, SA_NOCLDWAIT)? */
bool process_unwanted_locked(const struct process *p) REQUIRES(process_lock);

/* @p, to which orphans went, is gone: the kernel takes its place. */
void process_reaper_gone_locked(struct process *p) REQUIRES(process_lock);
void process_let_vfork_parent_go(struct process *p);
/* Defaults of a program that the kernel starts: limits, credentials of root, umask, cwd. */
int process_set_defaults(struct process *p, bool foreground);
/* Can nobody of its session continue the group @pgid?  Without looking at @without. */
bool process_group_orphaned_locked(int pgid, const struct process *without) REQUIRES(process_lock);

/* Put another in its place; the old one, whose reference is the caller's now. */
struct aspace *process_swap_aspace(struct process *p, struct aspace *as);
struct file *process_swap_exe(struct process *p, struct file *f);
/* It has no files and places any more. */
void process_put_files(struct process *p);
/* What it runs: nobody may write to that meanwhile.  NULL = nothing. */
void process_set_exe(struct process *p, struct file *f);

/* fault_place.c: what is at @addr of @p's memory, in words: "main+0x12".  May read its file. */
void fault_place(struct process *p, uint64_t addr, char *buf, size_t size);

/* args.c */
int exec_args_user(struct exec_args *a, uptr_t argv, uptr_t envp);
int exec_args_kernel(struct exec_args *a, char *const *argv, char *const *envp);
/* Put @n strings in front of argv[0], or in its place. */
int exec_args_replace_first(struct exec_args *a, const char *const *strings, unsigned n);
void exec_args_free(struct exec_args *a);
/* exec.c */
struct path;
/*
 * 0, the caller runs another program; or -errno, and it is what it was.  *@broken: the error is in what the file says of memory;
 * Linux ends the caller by SIGSEGV then.
 */
int exec_file(const struct path *at, const char *path, unsigned flags, struct exec_args *args,
	      bool *broken);
