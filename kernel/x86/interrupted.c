/*
 * interrupted.c - the trap frame under a handler: the chain of frame pointers leads to it.
 *
 * trap.asm calls trap_dispatch() with RSP at the trap frame; so the frame whose return address is
 * trap_return has the trap frame right above that address.
 */
#include <x86/interrupted.h>
#include <mm/kstack.h>
#include <mm/vmm.h>
#include <x86/trap.h>

#define DEPTH_MAX 32 /* calls from trap_dispatch() to whoever asks */

bool
interrupted_frame(struct trapframe *out)
{
	uint64_t rbp = (uint64_t)__builtin_frame_address(0);

	for (unsigned i = 0; i < DEPTH_MAX; i++) {
		uint64_t frame[2];

		if (!IS_ALIGNED(rbp, 8) || !kstack_contains(rbp) ||
		    vmm_probe_read(frame, rbp, sizeof(frame)) != 0)
			return false;
		if (trap_returns_to(frame[1]))
			return vmm_probe_read(out, rbp + sizeof(frame), sizeof(*out)) == 0;
		if (frame[0] <= rbp)
			return false;
		rbp = frame[0];
	}
	return false;
}
