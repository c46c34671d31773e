/*
 * syscall.h - system calls: the numbers and behaviour of Linux x86-64.
 *
 * The one table is kernel/syscalls.tbl; the functions are in kernel/sys_*.c, named sys_NAME, with
 * the arguments in the order of the man page: int and unsigned where Linux has them (the upper half
 * of the register does not count), uint64_t for long and size_t, uptr_t for pointers.  They
 * return what the program gets: a value, or -errno.  Context: thread of a task, interrupts on.
 */
#pragma once
#include <kern/base.h>
#include <lib/uptr.h>

struct trapframe;

typedef int64_t (*syscall_fn)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

#define SYSCALL_MAX 512
/* By number; sys_missing where there is none. */
extern const syscall_fn syscall_fns[SYSCALL_MAX];

/* ENOSYS, logged once for each program and number. */
int64_t sys_missing(void);
/* The registers of the program that called, at the top of the task's kernel stack. */
struct trapframe *syscall_frame(void);
/* Init row "syscall": the FPU for programs, and where SYSCALL leads.  0. */
int syscall_init(void);
