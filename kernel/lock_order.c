/*
 * lock_order.c - the one order in which locks are taken, and in debug builds the check of it.
 *
 * Two pieces of code that take two locks in different orders will some day wait for each other.
 * So every lock has a rank, and while one is held only locks of higher rank may be taken.  The
 * reasons for the order: docs/locking.md.  Spinlocks are held with interrupts off, so the list of
 * those that are held is this CPU's own; one that is handed over in a context switch stays on it.
 * Locks that sleep are held by a thread, wherever it runs: kernel/lock_sleep.c.
 */
#include <kern/lock_order.h>
#include <kern/clock.h>
#include <kern/ksym.h>
#include <kern/spinlock.h>
#include <kern/watchdog.h>
#include <lib/string.h>

/*
 * First to last, as docs/locking.md has it; locks that may never be held together share a rank.  Those
 * below RANK_SPIN sleep, the others spin.  Locks whose names begin with "test" or "bench" have no rank, but
 * for the two below, with which the order itself is tested.
 */
#define RANK_SPIN 10
/* clang-format off */
static const struct {
	unsigned rank;
	const char *name;
} order[] = {
	{ 1,  "prompt" },
	{ 2,  "file position" }, { 2, "terminal" }, { 2, "file locks" },
	{ 4,  "rename" },
	{ 5,  "inode" }, { 6, "pipe" }, { 6, "socket" }, { 5, "eventfd" }, { 5, "host name" }, { 5, "load" },
	{ 5, "mounts" }, { 5, "socket names" }, { 6, "dcache" }, { 6, "processes" },
	{ 7,  "aspace" }, /* taken by faults while a program's memory is copied */
	{ 8,  "page cache" },
	{ 8,  "test outer" },
	{ 9,  "test inner" },
	{ 10, "kstack" }, { 10, "kmap" }, { 10, "kmalloc large" },
	{ 11, "process parts" }, { 12, "file table" }, { 12, "random" }, { 12, "missing calls" },
	{ 15, "frame counts" }, { 15, "signals" },
	{ 20, "vmm" },
	{ 25, "shrinkers" }, { 30, "slab registry" }, { 35, "slab cache" },
	{ 40, "pmm" },
	{ 50, "console" },
	{ 55, "serial" }, { 55, "console input" }, { 55, "keyboard" },
	{ 58, "terminal input" },
	{ 60, "wait queue" },
	{ 65, "sched" },
	{ 70, "timer" },
	{ 75, "clock" }, { 75, "wall clock" },
	{ 78, "vdso" },
	{ 80, "irq" },
	{ 90, "pit" }, { 90, "pic" }, { 90, "ioapic" }, { 90, "irq vectors" }, { 90, "cmos" }, { 90, "pci" }, { 90, "log" }, { 90, "work" },
};
/* clang-format on */

struct held_locks lock_spinning; /* [c] */

static bool
has_no_rank(const char *name)
{
	return strncmp(name, "test", 4) == 0 || strncmp(name, "bench", 5) == 0;
}

/* 0 = not in the table. */
static unsigned
rank(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		if (strcmp(order[i].name, name) == 0)
			return order[i].rank;
	}
	if (!has_no_rank(name))
		panic("lock \"%s\" has no place in the lock order", name);
	return 0;
}

void
lock_order_check(const struct held_locks *h, const void *lock, const char *name, uint64_t site)
{
	const unsigned mine = rank(name);

	for (unsigned i = 0; i < h->nr; i++) {
		const struct held_lock *held = &h->held[i];

		if (held->lock == lock)
			panic("\"%s\" is locked twice: at %s and at %s", name,
			      ksym_text(held->site).s, ksym_text(site).s);
		if (mine != 0 && rank(held->name) >= mine)
			panic("lock order: \"%s\" is taken at %s while \"%s\" is held, since %s",
			      name, ksym_text(site).s, held->name, ksym_text(held->site).s);
	}
}

void
lock_order_add(struct held_locks *h, const struct held_lock *l)
{
	if (h->nr == LOCK_HELD_MAX)
		panic("lock order: more than %d locks held, the last \"%s\" at %s", LOCK_HELD_MAX,
		      l->name, ksym_text(l->site).s);
	h->held[h->nr++] = *l;
}

bool
lock_order_remove(struct held_locks *h, const void *lock, struct held_lock *out)
{
	for (unsigned i = h->nr; i-- > 0;) {
		if (h->held[i].lock == lock) {
			*out = h->held[i];
			memmove(&h->held[i], &h->held[i + 1], (h->nr - i - 1) * sizeof(h->held[0]));
			h->nr--;
			return true;
		}
	}
	return false;
}

/* --- spinlocks ------------------------------------------------------------------------------ */

void
lock_order_take(const struct spinlock *l)
{
	const struct held_lock mine = {
		.lock = l, .name = l->name, .site = l->owner_rip, .stamp = rdtsc()};

	if (panic_in_progress())
		return;
	lock_order_check(&lock_spinning, l, l->name, l->owner_rip);
	lock_order_add(&lock_spinning, &mine);
}

void
lock_order_drop(const struct spinlock *l)
{
	struct held_lock was;

	if (lock_order_remove(&lock_spinning, l, &was))
		watchdog_spinlock(was.name, was.site, clock_cycles_to_ns(rdtsc() - was.stamp));
}

const struct spinlock *
lock_order_held(unsigned i)
{
	return i < MIN(lock_spinning.nr, (unsigned)LOCK_HELD_MAX) ? lock_spinning.held[i].lock
								  : NULL;
}
