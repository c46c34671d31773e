/*
 * extable.c - where the kernel may fault on a program's memory, and where it then goes on.
 */
#include <x86/extable.h>
#include <mm/sections.h>

struct entry {
	uint64_t at, then;
};

uint64_t
extable_find(uint64_t rip)
{
	const struct entry *e = (const struct entry *)(uintptr_t)kernel_extable_start;
	const struct entry *end = (const struct entry *)(uintptr_t)kernel_extable_end;

	for (; e < end; e++) {
		if (e->at == rip)
			return e->then;
	}
	return 0;
}
