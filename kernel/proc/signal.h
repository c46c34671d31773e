/*
 * signal.h - inside kernel/proc and for kernel/sys_signal.c: sets of signals, frames.
 */
#pragma once
#include <kern/process.h>

static inline k_sigset_t
sig_bit(int signo)
{
	return 1ULL << (signo - 1);
}

/* The calling task blocks these from now on (never SIGKILL and SIGSTOP). */
void signal_set_blocked(k_sigset_t blocked);
/* The same until the call that is being made has ended, and its signal's handler has run: sigsuspend, ppoll ... */
void signal_block_for_wait(k_sigset_t blocked);
/* Take one of @wanted that waits for the caller.  Its number, 0 = none. */
int signal_take(k_sigset_t wanted, struct k_siginfo *info);
/* 0 or -EINVAL; @new NULL = only look. */
int signal_set_action(int signo, const struct k_sigaction *new, struct k_sigaction *old);

/*
 * sigframe.c: put registers, mask @old and @info on the program's stack and let it go on in @a's handler.  0 or -EFAULT.
 */
int sigframe_push(struct trapframe *tf, const struct k_siginfo *info, const struct k_sigaction *a,
		  k_sigset_t old);
/* What rt_sigreturn() does.  0; -EFAULT: there is no frame that could be right. */
int sigframe_pop(struct trapframe *tf);

/* sigaltstack(): @rsp is the program's.  0, -EPERM, -EINVAL, -ENOMEM. */
void task_get_altstack(const struct task *t, uint64_t rsp, struct k_stack *out);
int task_set_altstack(struct task *t, uint64_t rsp, const struct k_stack *s);

#define SYS_RESTART_SYSCALL 219
