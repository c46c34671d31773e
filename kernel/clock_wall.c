/*
 * clock_wall.c - date and time: what the clock chip said, plus what the clock has counted since.
 */
#include <kern/clock.h>
#include <kern/spinlock.h>

static struct spinlock lock = SPINLOCK_INIT("wall clock");
static uint64_t offset; /* [lock] wall time at clock_ns() = 0, seconds */
static bool known;	/* [lock] offset was set */

uint64_t
clock_wall(void)
{
	const uint64_t flags = spin_lock(&lock);
	const uint64_t at_boot = offset;
	const bool set = known;

	spin_unlock(&lock, flags);
	return set ? at_boot + clock_ns() / NS_PER_SEC : 0;
}

bool
clock_wall_known(void)
{
	const uint64_t flags = spin_lock(&lock);
	const bool set = known;

	spin_unlock(&lock, flags);
	return set;
}

void
clock_set_wall(uint64_t unix_seconds)
{
	const uint64_t now = clock_ns() / NS_PER_SEC;
	const uint64_t flags = spin_lock(&lock);

	offset = unix_seconds - now;
	known = true;
	spin_unlock(&lock, flags);
}
