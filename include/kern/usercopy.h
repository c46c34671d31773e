/*
 * usercopy.h - the only ways to a program's memory.
 *
 * Each checks that the range lies in the user half, opens SMAP's window, and copies; a page that is
 * missing is brought in by the fault, and one that cannot be makes the copy end early through the
 * exception table (kernel/x86/usercopy.asm), never in a panic.  Context: thread of a task, no
 * spinlock held, interrupts on; mutexes may be held.
 */
#pragma once
#include <kern/base.h>
#include <lib/uptr.h>

/* One byte past the highest user address.  The last page stays empty, as on Linux. */
#define USER_END 0x00007ffffffff000UL

/* 0, or -EFAULT; part may have been copied then. */
int copy_from_user(void *dst, uptr_t src, size_t n) MUST_CHECK;
int copy_to_user(uptr_t dst, const void *src, size_t n) MUST_CHECK;
/* Zeros.  0 or -EFAULT. */
int clear_user(uptr_t dst, size_t n) MUST_CHECK;
/* Bytes that could not be copied: 0 = all done.  For transfers that may end early. */
size_t copy_from_user_part(void *dst, uptr_t src, size_t n) MUST_CHECK;
size_t copy_to_user_part(uptr_t dst, const void *src, size_t n) MUST_CHECK;
/*
 * A string, with its NUL, of at most @size bytes.  Its length without the NUL; -EFAULT, or
 * -ENAMETOOLONG when there is no NUL within @size.
 */
ssize_t strncpy_from_user(char *dst, uptr_t src, size_t size) MUST_CHECK;

/* Is [p, p+n) in the user half?  Says nothing of what is mapped. */
static inline bool
user_range_ok(uptr_t p, size_t n)
{
	return n <= USER_END && p.addr <= USER_END - n;
}

/* Single values: 0 or -EFAULT. */
#define get_user(var, p) copy_from_user(&(var), (p), sizeof(var))
#define put_user(val, p)                                            \
	({                                                          \
		const __typeof__(val) put_value_ = (val);           \
		copy_to_user((p), &put_value_, sizeof(put_value_)); \
	})
