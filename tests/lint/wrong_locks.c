/*
 * wrong_locks.c - mistakes that `make lint` must find; tests/boot/test_locks.py looks whether it does.
 *
 * It is compiled by clang's lock analysis alone, never linked.  Each line that must be complained
 * about says so, with a part of the complaint; no other line may be.
 */
#include <kern/rwlock.h>
#include <kern/spinlock.h>
#include <kern/sync.h>

static struct spinlock spin = SPINLOCK_INIT("test spin");
static struct mutex mutex = MUTEX_INIT(mutex, "test");
static struct rwlock rw = RWLOCK_INIT(rw, "test rw");
static unsigned guarded GUARDED_BY(mutex);
static unsigned shared GUARDED_BY(rw);

static void need_mutex(void) REQUIRES(mutex);
static void need_reader(void) REQUIRES_SHARED(rw);
static void need_writer(void) REQUIRES(rw);
static void takes_mutex(void) EXCLUDES(mutex);
void wrong_locks(bool maybe);

static void
need_mutex(void)
{
	guarded++;
}

static void
need_reader(void)
{
	(void)shared;
}

static void
need_writer(void)
{
	shared++;
}

static void
takes_mutex(void)
{
	mutex_lock(&mutex);
	need_mutex();
	mutex_unlock(&mutex);
}

static void
right(void)
{
	const uint64_t flags = spin_lock(&spin);

	spin_unlock(&spin, flags);
	takes_mutex();
	if (mutex_trylock(&mutex)) {
		need_mutex();
		mutex_unlock(&mutex);
	}
	if (mutex_lock_timeout(&mutex, 5) == 0) {
		need_mutex();
		mutex_unlock(&mutex);
	}
	if (mutex_lock_killable(&mutex) != 0)
		return;
	mutex_unlock(&mutex);
	rw_read_lock(&rw);
	need_reader();
	rw_read_unlock(&rw);
	rw_write_lock(&rw);
	need_reader();
	need_writer();
	rw_write_unlock(&rw);
}

static void
forgets_spinlock(void)
{
	(void)spin_lock(&spin);
} /* WRONG: still held at the end of function */

static void
forgets_on_one_way(bool maybe)
{
	mutex_lock(&mutex);
	if (maybe)
		return;
	mutex_unlock(&mutex);
} /* WRONG: not held on every path */

static void
takes_twice(void)
{
	mutex_lock(&mutex);
	mutex_lock(&mutex); /* WRONG: already held */
	mutex_unlock(&mutex);
}

static void
gives_back_what_is_not_held(void)
{
	rw_read_unlock(&rw); /* WRONG: not held */
}

static void
calls_without(void)
{
	need_mutex();  /* WRONG: requires holding mutex */
	need_reader(); /* WRONG: requires holding rwlock */
}

static void
writes_as_reader(void)
{
	rw_read_lock(&rw);
	need_writer(); /* WRONG: requires holding rwlock 'rw' exclusively */
	shared = 1;    /* WRONG: requires holding rwlock 'rw' exclusively */
	rw_read_unlock(&rw);
}

static void
leaves_as_writer(void)
{
	rw_read_lock(&rw);
	rw_write_unlock(&rw); /* WRONG: exclusive access */
}

static void
calls_with(void)
{
	mutex_lock(&mutex);
	takes_mutex(); /* WRONG: cannot call function 'takes_mutex' while mutex 'mutex' is held */
	mutex_unlock(&mutex);
}

static void
ignores_the_result(void)
{
	if (mutex_lock_timeout(&mutex, 5) == 0)
		mutex_unlock(&mutex);
	guarded = 1; /* WRONG: requires holding mutex */
}

void
wrong_locks(bool maybe)
{
	right();
	forgets_spinlock();
	forgets_on_one_way(maybe);
	takes_twice();
	gives_back_what_is_not_held();
	calls_without();
	writes_as_reader();
	leaves_as_writer();
	calls_with();
	ignores_the_result();
}
