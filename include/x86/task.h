/*
 * task.h - the machine's side of a task: tables, stacks, TLS and FPU at a switch; its first steps.
 *
 * Implementation: kernel/x86/task.c.
 */
#pragma once
#include <lib/base.h>

struct task;
struct trapframe;

/* The CPU goes from @prev's kernel stack to @next's; either may be NULL.  sched_lock is held. */
void task_switch(struct task *prev, struct task *next);
/* The program's registers at the top of @t's kernel stack. */
struct trapframe *task_frame(const struct task *t);
/* Start running the program of the calling task: its frame is complete. */
NORETURN void task_enter_user(void);
/* A fresh program: registers zero, @rip and @rsp; FPU and TLS as after power-on. */
void task_reset_user(struct task *t, uint64_t rip, uint64_t rsp);
/* @child gets a copy of @parent's registers, FPU and TLS; the parent is the caller. */
int task_copy_user(struct task *child, struct task *parent);
/* Give back what the machine's side holds (FPU state). */
void task_free_user(struct task *t);
/* Does the processor still hold something of @t?  Then it would be saved into it. */
bool task_is_loaded(const struct task *t);
uint64_t task_fs_base(const struct task *t);
uint64_t task_gs_base(const struct task *t);
/* Segment bases, by arch_prctl(): of the calling task. */
void task_set_fs_base(struct task *t, uint64_t base);
void task_set_gs_base(struct task *t, uint64_t base);
