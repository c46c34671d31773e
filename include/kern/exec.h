/*
 * exec.h - making a program of a file: ELF64 executables and #! scripts.
 *
 * Implementation: kernel/proc/exec.c (what execve() does), kernel/proc/elf.c (checking and loading).
 */
#pragma once
#include <kern/base.h>

/*
 * Replace the calling task's program by @path with @argv and @envp (kernel memory, NULL-terminated):
 * new address space, stack with arguments and auxiliary vector, frame at its entry point.  On
 * success the old memory is gone and the caller goes to task_enter_user().  0; or -ENOENT, -EACCES, -ENOEXEC, -E2BIG,
 * -ENOMEM, ... with the old program untouched.
 */
int exec_program(const char *path, char *const *argv, char *const *envp);
