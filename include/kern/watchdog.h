/*
 * watchdog.h - notices when the machine lives but gets nowhere, and says who and where.
 *
 * Implementation: kernel/watchdog.c.  What it sees, what it cannot, and how to read its reports:
 * docs/locking.md.  On the kernel's command line: watchdog=off, or watchdog=SECONDS[,INTERRUPTS].
 */
#pragma once
#include <kern/base.h>
#include <kern/thread.h>

struct trapframe;

/* Read the command line.  0, or -EINVAL: what it says makes no sense, and the defaults hold. */
int watchdog_configure(void);

extern uint64_t watchdog_limit_ns; /* [I] what is too long; UINT64_MAX = off */
extern uint64_t watchdog_tick_ns;  /* [c] the last timer interrupt; 0 = none came yet */
extern uint64_t watchdog_next_ns;  /* [c] the next look */
/* @gap_ns: since the timer interrupt before. */
void watchdog_look(uint64_t now_ns, uint64_t gap_ns);

/*
 * The timer has interrupted, at @now_ns: at least ten times a second, idle or not.  Every 80 ms the watchdog
 * has a look then; at an interrupt that comes late, at once.  Context: timer interrupt.
 */
static inline void
watchdog_tick(uint64_t now_ns)
{
	const uint64_t gap_ns = now_ns - watchdog_tick_ns;

	watchdog_tick_ns = now_ns;
	if (unlikely(gap_ns >= watchdog_limit_ns) || unlikely(now_ns >= watchdog_next_ns))
		watchdog_look(now_ns, gap_ns);
}

/*
 * A non-maskable interrupt that no device or bus explains: an operator's button, a watchdog device, a
 * hypervisor's command.  It is the one thing that gets through while interrupts are off, so the place
 * is looked at; true when it was taken for that.  Context: NMI; takes no lock unless it reports.
 */
bool watchdog_nmi(const struct trapframe *tf);

/* The calling thread goes to sleep for @lock / has it, or gave up. */
void watchdog_block(enum block_kind kind, const void *lock, const char *name);
void watchdog_unblock(void);

/* Debug builds: spinlock @name, taken at @site, was held for @ns.  Reported by the next tick. */
void watchdog_spinlock(const char *name, uint64_t site, uint64_t ns);

/* For the shell. */
struct watchdog_state {
	uint64_t limit_ns;  /* UINT64_MAX = off */
	unsigned irq_limit; /* per second */
	unsigned reports;   /* since boot */
};
struct watchdog_state watchdog_state(void);

/* --- between watchdog.c and watchdog_blocked.c --- */

/* Once a second, from the tick: threads that wait for a lock for too long?  @limit_ns: what is too long. */
void watchdog_look_at_blocked(uint64_t limit_ns);
/* Print and log a line; the first of a report counts it. */
void watchdog_say(const char *fmt, ...) PRINTF(1, 2);
/* The call chain at @tf, the same way. */
void watchdog_chain(const struct trapframe *tf);
