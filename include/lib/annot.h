/*
 * annot.h - lock annotations, checked by `clang -Wthread-safety` in `make lint`.
 *
 * On prototypes only (attributes on fields that name a sibling do not compile in C; fields carry
 * the comment legend instead).  Other compilers see nothing.
 */
#pragma once

#if defined(__clang__) && defined(LOCK_ANALYSIS)
#define LOCK_ATTR(x) __attribute__((x))
#else
#define LOCK_ATTR(x)
#endif

#define CAPABILITY(name)     LOCK_ATTR(capability(name))
#define ACQUIRE(...)	     LOCK_ATTR(acquire_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...)     LOCK_ATTR(try_acquire_capability(__VA_ARGS__))
#define RELEASE(...)	     LOCK_ATTR(release_capability(__VA_ARGS__))
#define REQUIRES(...)	     LOCK_ATTR(requires_capability(__VA_ARGS__))
/* The same for the readers of a lock that has such. */
#define ACQUIRE_SHARED(...)  LOCK_ATTR(acquire_shared_capability(__VA_ARGS__))
#define RELEASE_SHARED(...)  LOCK_ATTR(release_shared_capability(__VA_ARGS__))
#define REQUIRES_SHARED(...) LOCK_ATTR(requires_shared_capability(__VA_ARGS__))
/* On a variable of a file: read and written under the lock alone, which must be one of that file, too. */
#define GUARDED_BY(x)	     LOCK_ATTR(guarded_by(x))
#define EXCLUDES(...)	     LOCK_ATTR(locks_excluded(__VA_ARGS__))
#define ASSERT_HELD(...)     LOCK_ATTR(assert_capability(__VA_ARGS__))
#define NO_LOCK_ANALYSIS     LOCK_ATTR(no_thread_safety_analysis)
