/*
 * lock_order.c - the one order in which spinlocks are taken, and in debug builds the check of it.
 *
 * Two pieces of code that take two locks in different orders will some day wait for each other.
 * So every lock has a rank, and while one is held only locks of higher rank may be taken.  The
 * reasons for the order: docs/locking.md.  Spinlocks are held with interrupts off, so the list of
 * those that are held is this CPU's own; one that is handed over in a context switch stays on it.
 */
#include <kern/spinlock.h>
#include <lib/string.h>

#define HELD_MAX 8

/* First to last, as docs/locking.md has it; locks that may never be held together share a rank.  Tests' own locks are not in it. */
/* clang-format off */
static const struct {
	unsigned rank;
	const char *name;
} order[] = {
	{ 10, "slab registry" }, { 10, "kstack" }, { 10, "kmap" }, { 10, "kmalloc large" },
	{ 20, "slab cache" },
	{ 30, "vmm" },
	{ 40, "pmm" },
	{ 50, "console" },
	{ 55, "serial" }, { 55, "console input" }, { 55, "keyboard" },
	{ 60, "wait queue" },
	{ 65, "sched" },
	{ 70, "timer" },
	{ 75, "clock" },
	{ 80, "irq" },
	{ 90, "pit" }, { 90, "pic" }, { 90, "cmos" }, { 90, "pci" }, { 90, "log" }, { 90, "work" },
};
/* clang-format on */

static const struct spinlock *held[HELD_MAX]; /* [c] */
static unsigned nr_held;		      /* [c] */

/* 0 = not in the table. */
static unsigned
rank(const struct spinlock *l)
{
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		if (strcmp(order[i].name, l->name) == 0)
			return order[i].rank;
	}
	if (strncmp(l->name, "test", 4) != 0)
		panic("spinlock \"%s\" has no place in the lock order", l->name);
	return 0;
}

void
lock_order_take(const struct spinlock *l)
{
	const unsigned mine = rank(l);

	if (panic_in_progress())
		return;
	for (unsigned i = 0; i < nr_held; i++) {
		if (mine != 0 && rank(held[i]) >= mine)
			panic("lock order: \"%s\" is taken while \"%s\" is held", l->name,
			      held[i]->name);
	}
	if (nr_held == HELD_MAX)
		panic("lock order: more than %d spinlocks held, the last \"%s\"", HELD_MAX,
		      l->name);
	held[nr_held++] = l;
}

void
lock_order_drop(const struct spinlock *l)
{
	for (unsigned i = nr_held; i-- > 0;) {
		if (held[i] == l) {
			memmove(&held[i], &held[i + 1], (nr_held - i - 1) * sizeof(held[0]));
			nr_held--;
			return;
		}
	}
}

void
lock_order_none(const char *what)
{
	if (nr_held != 0 && !panic_in_progress())
		panic("%s while spinlock \"%s\" is held", what, held[nr_held - 1]->name);
}
