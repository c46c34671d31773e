/*
 * task.c - the machine's side of a task.
 *
 * At a switch to another program: its page tables (CR3, unless they are loaded already), the stack that
 * ring 3 enters the kernel on, its TLS base.  A kernel thread in between changes none of them, so
 * going to one and back costs nothing.
 */
#include <x86/task.h>
#include <kern/process.h>
#include <kern/syscall.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <x86/cpu.h>
#include <x86/fpu.h>
#include <x86/percpu.h>
#include <x86/trap.h>

static struct task *loaded; /* [c] whose bases the CPU has */

static inline uint64_t
stack_top(const struct task *t)
{
	return (uint64_t)t->thread->stack + KSTACK_SIZE;
}

struct trapframe *
task_frame(const struct task *t)
{
	return (struct trapframe *)stack_top(t) - 1;
}

struct trapframe *
syscall_frame(void)
{
	return task_frame(task_self());
}

/* Programs may change them without us (FSGSBASE). */
static void
save_bases(struct task *t)
{
	t->fs_base = rdmsr(MSR_FS_BASE);
	t->gs_base = rdmsr(MSR_KERNEL_GS_BASE);
}

uint64_t
task_fs_base(const struct task *t)
{
	return t == loaded ? rdmsr(MSR_FS_BASE) : t->fs_base;
}

uint64_t
task_gs_base(const struct task *t)
{
	return t == loaded ? rdmsr(MSR_KERNEL_GS_BASE) : t->gs_base;
}

void
task_switch(struct task *prev, struct task *next)
{
	(void)prev;
	cpu_boot.task = next;
	if (next == NULL)
		return;
	cpu_boot.kernel_rsp = stack_top(next);
	tss_set_rsp0(stack_top(next));
	aspace_switch(next->proc->as);
	fpu_switch_to(next);
	if (next == loaded)
		return;
	if (loaded != NULL)
		save_bases(loaded);
	loaded = next;
	wrmsr(MSR_FS_BASE, next->fs_base);
	wrmsr(MSR_KERNEL_GS_BASE, next->gs_base);
}

void
task_set_fs_base(struct task *t, uint64_t base)
{
	t->fs_base = base;
	wrmsr(MSR_FS_BASE, base);
}

void
task_set_gs_base(struct task *t, uint64_t base)
{
	t->gs_base = base;
	wrmsr(MSR_KERNEL_GS_BASE, base);
}

void
task_reset_user(struct task *t, uint64_t rip, uint64_t rsp)
{
	*task_frame(t) = (struct trapframe){
		.rip = rip,
		.cs = SEL_USER_CODE,
		.rflags = RFLAGS_IF | BIT(1), /* bit 1 is always set */
		.rsp = rsp,
		.ss = SEL_USER_DATA,
	};
	t->fs_base = t->gs_base = 0;
	fpu_reset(t);
	if (t == task_self()) {
		task_set_fs_base(t, 0);
		task_set_gs_base(t, 0);
	}
}

int
task_copy_user(struct task *child, struct task *parent)
{
	*task_frame(child) = *task_frame(parent);
	child->fs_base = task_fs_base(parent);
	child->gs_base = task_gs_base(parent);
	fpu_copy(child, parent);
	return 0;
}

void
task_free_user(struct task *t)
{
	const uint64_t flags = irq_save();

	if (loaded == t)
		loaded = NULL;
	irq_restore(flags);
	fpu_forget(t);
}

bool
task_is_loaded(const struct task *t)
{
	return loaded == t || fpu_is_owner(t);
}

void
task_enter_user(void)
{
	trap_return_to(task_frame(task_self()));
}
