/*
 * clock_wall.c - date and time: what the clock chip said, or who set it, plus what the clock has counted since.
 */
#include <kern/clock.h>
#include <kern/spinlock.h>
#include <kern/vdso.h>

static struct spinlock lock = SPINLOCK_INIT("wall clock");
static uint64_t offset_ns; /* [lock] wall time at clock_ns() = 0 */
static bool known;	   /* [lock] offset_ns was set */

uint64_t
clock_wall_ns(void)
{
	const uint64_t flags = spin_lock(&lock);
	const uint64_t at_boot = offset_ns;

	spin_unlock(&lock, flags);
	return at_boot + clock_ns();
}

uint64_t
clock_wall(void)
{
	return clock_wall_known() ? clock_wall_ns() / NS_PER_SEC : 0;
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
clock_set_wall_ns(uint64_t unix_ns)
{
	const uint64_t now = clock_ns();
	const uint64_t flags = spin_lock(&lock);

	offset_ns = unix_ns - now;
	vdso_set_wall(offset_ns);
	known = true;
	spin_unlock(&lock, flags);
}

void
clock_set_wall(uint64_t unix_seconds)
{
	clock_set_wall_ns(unix_seconds * NS_PER_SEC);
}
