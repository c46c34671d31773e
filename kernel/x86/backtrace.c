/*
 * backtrace.c - the call chain, from frame pointers.
 *
 * The compiler keeps RBP (-fno-omit-frame-pointer): [rbp] is the caller's RBP, [rbp + 8] the return
 * address.  Nothing in it is believed: each frame must be mapped, aligned, in a kernel stack, and
 * above the one before - or, where an interrupt changed the stack, come from its trap frame, which
 * is recognised by the return address into trap.asm.
 */
#include <x86/fault.h>
#include <kern/ksym.h>
#include <mm/kstack.h>
#include <mm/vmm.h>
#include <x86/trap.h>

#define BACKTRACE_MAX	2048 /* frames followed: more than any stack holds in frames of 16 bytes */
#define BACKTRACE_LINES 24

struct chain {
	unsigned lines, max;
	uint64_t last;	  /* address printed last */
	unsigned repeats; /* times it came again since */
};

static void
flush_repeats(struct chain *c)
{
	if (c->repeats > 0 && c->lines++ < c->max)
		printf("     ... %u times more\n", c->repeats);
	c->repeats = 0;
}

/* Print one address.  @ret: it is a return address, so the call stands before it. */
static void
print_address(struct chain *c, uint64_t addr, bool ret)
{
	uint64_t off = 0;
	const char *name;

	if (addr == c->last) {
		c->repeats++;
		return;
	}
	flush_repeats(c);
	c->last = addr;
	if (c->lines++ >= c->max)
		return;
	/*
	 * A call that never returns may be its function's last instruction: look at the byte
	 * before.
	 */
	name = ksym_is_code(addr) ? ksym_lookup(addr - (ret ? 1 : 0), &off) : NULL;
	if (name != NULL)
		printf("  %016lx %s+%#lx\n", addr, name, off + (ret ? 1 : 0));
	else
		printf("  %016lx (no code)\n", addr);
}

static bool
read_pair(uint64_t at, uint64_t out[2])
{
	return IS_ALIGNED(at, 8) && kstack_contains(at) && kstack_contains(at + 15) &&
	       vmm_probe_read(out, at, 16) == 0;
}

/* Follow the chain from @rbp; prints the return addresses. */
static void
follow(struct chain *c, uint64_t rbp)
{
	uint64_t frame[2];

	for (unsigned n = 0; n < BACKTRACE_MAX && read_pair(rbp, frame); n++) {
		if (frame[1] == (uint64_t)trap_return) {
			struct trapframe tf;

			if (vmm_probe_read(&tf, rbp + 16, sizeof(tf)) != 0)
				return;
			flush_repeats(c);
			if (c->lines++ < c->max)
				printf("  --- %s %#lx ---\n",
				       tf.vector < TRAP_EXCEPTIONS ? "exception" : "interrupt",
				       tf.vector);
			print_address(c, tf.rip, false);
			if ((tf.cs & 3) == 3)
				return; /* ring 3 has frames of its own */
			rbp = tf.rbp;
			continue;
		}
		if (frame[1] == 0)
			break;
		print_address(c, frame[1], true);
		if (frame[0] <= rbp)
			break; /* the end (0), or a chain that does not grow */
		rbp = frame[0];
	}
	flush_repeats(c);
	if (c->lines > c->max)
		printf("  ... and %u more\n", c->lines - c->max);
}

void
backtrace_print(uint64_t rip, uint64_t rbp)
{
	struct chain c = {.max = BACKTRACE_LINES};

	if (rip != 0)
		print_address(&c, rip, false);
	follow(&c, rbp);
}

void
backtrace_print_frame(const struct trapframe *tf, unsigned max)
{
	struct chain c = {.max = max};
	uint64_t ret;

	print_address(&c, tf->rip, tf->vector == TRAP_VECTORS); /* set by regs_capture() */
	/*
	 * A call through a bad pointer: the caller is on top of the stack, no frame was made yet.
	 */
	if (!ksym_is_code(tf->rip) && kstack_contains(tf->rsp) &&
	    vmm_probe_read(&ret, tf->rsp, sizeof(ret)) == 0 && ksym_is_code(ret))
		print_address(&c, ret, true);
	follow(&c, tf->rbp);
}
