/*
 * sigframe.c - what lies on a program's stack while a handler runs: as Linux x86-64 lays it out.
 *
 *   [rsp before]
 *     128 bytes		red zone, left alone
 *     FPU state		FXSAVE or XSAVE image, aligned to 64; struct sigcontext points to it
 *     siginfo			rsi -> here
 *     ucontext			rdx -> here: registers, mask, alternate stack
 *     return address		rsp -> here: the restorer, which calls rt_sigreturn()
 * Source: sigreturn(2), the layouts of <ucontext.h> and <asm/sigcontext.h>.
 */
#include <kern/usercopy.h>
#include <lib/string.h>
#include <x86/cpu.h>
#include <x86/fpu.h>
#include <x86/task.h>
#include <x86/trap.h>
#include "signal.h"

#define RED_ZONE	     128
#define UC_FP_XSTATE	     1
#define UC_SIGCONTEXT_SS     2
#define UC_STRICT_RESTORE_SS 4
#define SS_ONSTACK	     1
#define SS_DISABLE	     2
#define SS_AUTODISARM	     0x80000000U

/* Flags that a program may set. */
#define USER_FLAGS                                                                           \
	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_TF | RFLAGS_DF | \
	 RFLAGS_OF | RFLAGS_RF | RFLAGS_AC)

struct sigcontext {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip,
		eflags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2, fpstate, reserved[8];
};

struct ucontext {
	uint64_t flags, link;
	struct k_stack stack;
	struct sigcontext mcontext;
	k_sigset_t mask;
};

struct rt_sigframe {
	uint64_t restorer;
	struct ucontext uc;
	uint8_t info[128];
};
_Static_assert(sizeof(struct sigcontext) == 256 && sizeof(struct rt_sigframe) == 440,
	       "as programs know them");

static bool
on_altstack(const struct task *t, uint64_t rsp)
{
	return t->altstack_size != 0 && rsp > t->altstack.addr &&
	       rsp - t->altstack.addr <= t->altstack_size;
}

void
task_get_altstack(const struct task *t, uint64_t rsp, struct k_stack *out)
{
	*out = (struct k_stack){.sp = t->altstack.addr, .size = t->altstack_size};
	out->flags = (int32_t)t->altstack_flags;
	if (t->altstack_size == 0)
		out->flags |= SS_DISABLE;
	else if (on_altstack(t, rsp))
		out->flags |= SS_ONSTACK;
}

int
task_set_altstack(struct task *t, uint64_t rsp, const struct k_stack *s)
{
	const uint32_t mode = (uint32_t)s->flags & ~SS_AUTODISARM;

	if (on_altstack(t, rsp) && (t->altstack_flags & SS_AUTODISARM) == 0)
		return -EPERM;
	if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		t->altstack = (uptr_t){0};
		t->altstack_size = 0;
		t->altstack_flags = 0;
		return 0;
	}
	if (s->size < MINSIGSTKSZ)
		return -ENOMEM;
	t->altstack = (uptr_t){s->sp};
	t->altstack_size = s->size;
	t->altstack_flags = (uint32_t)s->flags & SS_AUTODISARM;
	return 0;
}

static void
save_registers(struct sigcontext *c, const struct trapframe *tf)
{
	*c = (struct sigcontext){
		.r8 = tf->r8,
		.r9 = tf->r9,
		.r10 = tf->r10,
		.r11 = tf->r11,
		.r12 = tf->r12,
		.r13 = tf->r13,
		.r14 = tf->r14,
		.r15 = tf->r15,
		.rdi = tf->rdi,
		.rsi = tf->rsi,
		.rbp = tf->rbp,
		.rbx = tf->rbx,
		.rdx = tf->rdx,
		.rax = tf->rax,
		.rcx = tf->rcx,
		.rsp = tf->rsp,
		.rip = tf->rip,
		.eflags = tf->rflags,
	};
	c->cs = (uint16_t)tf->cs;
	c->ss = (uint16_t)tf->ss;
	if (tf->vector < TRAP_EXCEPTIONS) {
		c->trapno = tf->vector;
		c->err = tf->error;
		c->cr2 = task_self()->fault_addr;
	}
}

static void
load_registers(struct trapframe *tf, const struct sigcontext *c)
{
	tf->r8 = c->r8, tf->r9 = c->r9, tf->r10 = c->r10, tf->r11 = c->r11;
	tf->r12 = c->r12, tf->r13 = c->r13, tf->r14 = c->r14, tf->r15 = c->r15;
	tf->rdi = c->rdi, tf->rsi = c->rsi, tf->rbp = c->rbp, tf->rbx = c->rbx;
	tf->rdx = c->rdx, tf->rax = c->rax, tf->rcx = c->rcx;
	tf->rsp = c->rsp, tf->rip = c->rip;
	tf->rflags = (tf->rflags & ~(uint64_t)USER_FLAGS) | (c->eflags & USER_FLAGS);
	tf->cs = SEL_USER_CODE;
	tf->ss = SEL_USER_DATA;
	tf->vector = 0; /* no system call that could be made again */
}

int
sigframe_push(struct trapframe *tf, const struct k_siginfo *info, const struct k_sigaction *a,
	      k_sigset_t old)
{
	struct task *t = task_self();
	struct rt_sigframe f = {.restorer = a->restorer};
	uint64_t sp = tf->rsp - RED_ZONE, fpu;

	if (a->flags & SA_ONSTACK && t->altstack_size != 0 && !on_altstack(t, tf->rsp))
		sp = t->altstack.addr + t->altstack_size;
	fpu = ALIGN_DOWN(sp - fpu_user_size(), 64);
	sp = ALIGN_DOWN(fpu - sizeof(f), 16) - 8;
	if (on_altstack(t, tf->rsp) && !on_altstack(t, sp))
		return -EFAULT; /* the alternate stack has come to its end */
	if (fpu_to_user(t, (uptr_t){fpu}) != 0)
		return -EFAULT;
	f.uc.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (fpu_has_xsave() ? UC_FP_XSTATE : 0);
	task_get_altstack(t, tf->rsp, &f.uc.stack);
	f.uc.stack.flags &= ~(int32_t)SS_ONSTACK;
	save_registers(&f.uc.mcontext, tf);
	f.uc.mcontext.oldmask = old;
	f.uc.mcontext.fpstate = fpu;
	f.uc.mask = old;
	memcpy(f.info, info, sizeof(f.info));
	if (copy_to_user((uptr_t){sp}, &f, sizeof(f)) != 0)
		return -EFAULT;
	if (t->altstack_flags & SS_AUTODISARM && a->flags & SA_ONSTACK)
		t->altstack_size = 0;
	tf->rdi = (uint64_t)info->signo;
	tf->rsi = sp + offsetof(struct rt_sigframe, info);
	tf->rdx = sp + offsetof(struct rt_sigframe, uc);
	tf->rax = 0;
	tf->rip = a->handler;
	tf->rsp = sp;
	tf->rflags &= ~(uint64_t)(RFLAGS_DF | RFLAGS_TF | RFLAGS_RF);
	tf->cs = SEL_USER_CODE;
	tf->ss = SEL_USER_DATA;
	tf->vector = 0;
	return 0;
}

int
sigframe_pop(struct trapframe *tf)
{
	struct task *t = task_self();
	struct rt_sigframe f;
	const uint64_t sp = tf->rsp - 8; /* the restorer's address was taken by RET */

	if (copy_from_user(&f, (uptr_t){sp}, sizeof(f)) != 0)
		return -EFAULT;
	if (f.uc.mcontext.rip >= USER_END || fpu_from_user(t, (uptr_t){f.uc.mcontext.fpstate}) != 0)
		return -EFAULT;
	signal_set_blocked(f.uc.mask);
	load_registers(tf, &f.uc.mcontext);
	(void)task_set_altstack(t, tf->rsp, &f.uc.stack);
	return 0;
}
