/*
 * backtrace.c - the call chain, from frame pointers.
 *
 * The compiler keeps RBP (-fno-omit-frame-pointer): [rbp] is the caller's RBP, [rbp + 8] the return
 * address.  Nothing in it is believed: each frame must be mapped, aligned, in a kernel stack, and
 * above the one before - or, where an interrupt changed the stack, come from its trap frame, which
 * is recognised by the return address into trap.asm.
 */
#include <x86/fault.h>
#include <kern/init.h>
#include <kern/ksym.h>
#include <lib/string.h>
#include <mm/kstack.h>
#include <mm/vmm.h>
#include <x86/trap.h>

#define BACKTRACE_MAX	2048 /* frames followed: more than any stack holds in frames of 16 bytes */
#define BACKTRACE_LINES 24

struct chain {
	uint64_t *out; /* NULL: print */
	unsigned lines, max;
	uint64_t last;	  /* address printed last */
	unsigned repeats; /* times it came again since */
};

static void
flush_repeats(struct chain *c)
{
	if (c->repeats > 0 && c->out == NULL && c->lines++ < c->max)
		printf("     ... %u times more\n", c->repeats);
	c->repeats = 0;
}

/* One address of the chain.  @ret: it is a return address, so the call stands before it. */
static void
print_address(struct chain *c, uint64_t addr, bool ret)
{
	uint64_t off = 0;
	const char *name;

	if (c->out != NULL) {
		if (c->lines < c->max)
			c->out[c->lines++] = addr;
		return;
	}
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

/* MOV RBP, RSP, as both compilers encode it. */
static const uint8_t frame_setup[] = {0x48, 0x89, 0xe5};

/*
 * Has the function that holds @rip made its frame by then?  A leaf may have none, and others make it
 * only on the ways that need one: then RBP is still the caller's, and the caller itself is missing
 * from the chain.
 */
static bool
frame_is_made(uint64_t rip)
{
	uint64_t off = 0;
	const uint8_t *code;

	if (!ksym_is_code(rip) || init_is_gone(rip) || ksym_lookup(rip, &off) == NULL)
		return false;
	code = (const uint8_t *)(rip - off);
	for (uint64_t i = 0; i + sizeof(frame_setup) <= off; i++) {
		if (memcmp(code + i, frame_setup, sizeof(frame_setup)) == 0)
			return true;
	}
	return false;
}

/* The interrupted function, and its caller when only the top of the stack knows it. */
static void
print_interrupted(struct chain *c, const struct trapframe *tf)
{
	/* From panic() it is a return address (regs_capture()), and its function called. */
	const bool called = tf->vector == TRAP_VECTORS;
	uint64_t ret;

	print_address(c, tf->rip, called);
	if (called || (tf->cs & 3) == 3 || frame_is_made(tf->rip))
		return;
	if (kstack_contains(tf->rsp) && vmm_probe_read(&ret, tf->rsp, sizeof(ret)) == 0 &&
	    ksym_is_code(ret))
		print_address(c, ret, true);
}

/* Follow the chain from @rbp; prints the return addresses. */
static void
follow(struct chain *c, uint64_t rbp)
{
	uint64_t frame[2];

	for (unsigned n = 0; n < BACKTRACE_MAX && read_pair(rbp, frame); n++) {
		if (trap_returns_to(frame[1])) {
			struct trapframe tf;

			if (vmm_probe_read(&tf, rbp + 16, sizeof(tf)) != 0)
				return;
			flush_repeats(c);
			if (c->out == NULL && c->lines++ < c->max)
				printf("  --- %s %#lx ---\n",
				       tf.vector < TRAP_EXCEPTIONS ? "exception" : "interrupt",
				       tf.vector);
			print_interrupted(c, &tf);
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
	if (c->out == NULL && c->lines > c->max)
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

bool
backtrace_print_frame(const struct trapframe *tf, unsigned max)
{
	struct chain c = {.max = max};

	print_interrupted(&c, tf);
	follow(&c, tf->rbp);
	return c.lines > max;
}

unsigned
backtrace_collect(const struct trapframe *tf, uint64_t *out, unsigned max)
{
	struct chain c = {.out = out, .max = max};

	print_interrupted(&c, tf);
	follow(&c, tf->rbp);
	return c.lines;
}
