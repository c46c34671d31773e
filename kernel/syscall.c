/*
 * syscall.c - what system calls share: the one that is missing.
 */
#include <kern/syscall.h>
#include <kern/process.h>
#include <x86/trap.h>

int64_t
sys_missing(void)
{
	log_warn("%s: syscall %lu is not implemented", process_self()->comm,
		 syscall_frame()->error);
	return -ENOSYS;
}
