/*
 * syscall.c - what system calls share: the one that is missing.
 */
#include <kern/syscall.h>
#include <kern/process.h>
#include <lib/string.h>
#include <x86/trap.h>

#define REMEMBERED 64

/* Who asked for what in vain: said once. */
static struct {
	char comm[TASK_COMM_LEN];
	uint64_t nr;
} said[REMEMBERED]; /* [said_lock] the oldest is overwritten */
static unsigned nr_said;
static struct spinlock said_lock = SPINLOCK_INIT("missing calls");

static bool
is_new(const char *comm, uint64_t nr)
{
	const uint64_t flags = spin_lock(&said_lock);
	bool found = false;

	for (unsigned i = 0; i < MIN(nr_said, REMEMBERED) && !found; i++)
		found = said[i].nr == nr && strcmp(said[i].comm, comm) == 0;
	if (!found) {
		said[nr_said % REMEMBERED].nr = nr;
		(void)strlcpy(said[nr_said % REMEMBERED].comm, comm, TASK_COMM_LEN);
		nr_said++;
	}
	spin_unlock(&said_lock, flags);
	return !found;
}

int64_t
sys_missing(void)
{
	struct process *p = process_self();
	const uint64_t nr = syscall_frame()->error;

	if (nr == p->last_missing)
		return -ENOSYS; /* it knows */
	p->last_missing = nr;
	if (is_new(p->comm, nr))
		log_info("%s[%d]: system call %lu is not implemented", p->comm, p->pid, nr);
	return -ENOSYS;
}
