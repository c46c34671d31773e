/*
 * sys.h - prototypes of all system calls (kernel/sys_*.c), for the table.
 */
#pragma once
#include <kern/base.h>
#include <lib/uptr.h>

int64_t sys_write(int fd, uptr_t buf, uint64_t count);
int64_t sys_getpid(void);
int64_t sys_exit(int status);
int64_t sys_exit_group(int status);
