/*
 * user.h - runs a few instructions in ring 3 and tells how they ended (tests/user/user.c).
 *
 * There are no processes yet: the pages are mapped into the kernel's own address space, in the
 * lower half, for the time of the call.
 */
#pragma once
#include <kern/base.h>

#define USER_CODE  0x400000UL /* executable, read-only */
#define USER_RO	   0x500000UL /* read-only, no-execute */
#define USER_STACK 0x600000UL /* writable, no-execute; one page */

/* How a probe ended: always by a trap from ring 3. */
struct user_result {
	uint64_t vector; /* 80h: by its own wish */
	uint64_t error;
	uint64_t rax, rip, cs, ss, rsp, rflags;
	uint64_t cr2;
	uint64_t kernel_rflags; /* in the handler */
	bool on_rsp0;		/* the frame was on the stack that the TSS names */
};

/* Run code[0..len) with RDI = @arg, interrupts on.  Fails the test when memory is short. */
void user_run(const uint8_t *code, const uint8_t *end, uint64_t arg, struct user_result *out);

#define USER_PROBE(name)	 extern const uint8_t user_probe_##name[], user_probe_##name##_end[]
#define USER_RUN(name, arg, out) user_run(user_probe_##name, user_probe_##name##_end, arg, out)
