/*
 * fpu.h - the registers of x87, SSE, AVX, which programs use and the kernel does not.
 *
 * They stay in the CPU until another program runs.  Implementation: kernel/x86/fpu.c.
 */
#pragma once
#include <lib/base.h>
#include <lib/uptr.h>
#include <stddef.h>

struct task;

/* After cpu_init(): XSAVE where there is one. */
void fpu_init(void);
bool fpu_has_xsave(void);
/* Memory for @t's, as after power-on.  0 or -ENOMEM. */
int fpu_alloc(struct task *t);
void fpu_free(struct task *t);
/* @t runs no more: nothing of it is in the CPU. */
void fpu_forget(const struct task *t);
/* Are the registers of the CPU those of @t? */
bool fpu_is_owner(const struct task *t);
/* @t runs: the registers are its own.  Interrupts off. */
void fpu_switch_to(struct task *t);
/* As after power-on, for the calling task. */
void fpu_reset(struct task *t);
/* @child gets a copy of those of the calling @parent. */
void fpu_copy(struct task *child, struct task *parent);
/* Bytes of a signal frame's image; write it, read it (checked).  0 or -EFAULT, -EINVAL. */
size_t fpu_user_size(void);
int fpu_to_user(struct task *t, uptr_t to);
int fpu_from_user(struct task *t, uptr_t from);
