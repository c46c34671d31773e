/*
 * callers.c - return addresses of the running code, from frame pointers.
 *
 * The same chain as backtrace.c follows, but of this very stack, whose bounds are looked up once:
 * a few instructions for each frame.  It ends where an interrupt came in, since what was
 * interrupted did not call.
 */
#include <x86/callers.h>
#include <mm/kstack.h>
#include <x86/trap.h>

#define SKIP_MAX 16 /* frames looked at to find the first caller */

struct frame {
	const struct frame *up;
	uint64_t ret;
};

/* The next frame of the stack that ends at @hi, or NULL. */
static const struct frame *
next_frame(const struct frame *f, vaddr_t hi)
{
	const vaddr_t up = (vaddr_t)f->up;

	return up > (vaddr_t)f && up + sizeof(*f) <= hi && IS_ALIGNED(up, 8) ? f->up : NULL;
}

unsigned
callers_collect(const void *first, uint64_t *out, unsigned max)
{
	const struct frame *f = __builtin_frame_address(0);
	unsigned n = 0, skipped = 0;
	vaddr_t lo, hi;

	if (!kstack_bounds((vaddr_t)f, &lo, &hi))
		f = NULL;
	while (f != NULL && f->ret != (uint64_t)first && skipped++ < SKIP_MAX)
		f = next_frame(f, hi);
	if (f == NULL || skipped > SKIP_MAX) { /* a caller without a frame */
		out[0] = (uint64_t)first;
		return 1;
	}
	for (; f != NULL && n < max && f->ret != 0; f = next_frame(f, hi)) {
		if (trap_returns_to(f->ret))
			break;
		out[n++] = f->ret;
	}
	return n;
}
