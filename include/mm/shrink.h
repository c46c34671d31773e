/*
 * shrink.h - who can give memory back when it is short.
 *
 * Implementation: mm/shrink.c.  The frame allocator calls mm_shrink() when it has no frame left, and
 * tries once more; the shell's `mem shrink` calls it, too.
 */
#pragma once
#include <kern/base.h>

/*
 * A part that keeps memory which it could do without.  @fn gives back up to about @want frames and
 * returns how many.  It is called with interrupts off, perhaps in an interrupt handler, perhaps with
 * the page tables' lock held: it must not sleep or allocate, and may take only locks that stand
 * behind "shrinkers" in the lock order.
 */
struct shrinker {
	const char *name;	   /* [I] */
	size_t (*fn)(size_t want); /* [I] */
	size_t calls, frames;	   /* [shrinkers] so far */
	struct shrinker *next;	   /* [shrinkers] */
};

/* @s must live until shrinker_unregister().  Context: thread. */
void shrinker_register(struct shrinker *s);
void shrinker_unregister(struct shrinker *s);
/*
 * Ask one after the other until @want frames came back or all were asked; returns the frames.  0
 * when called by a shrinker.  Context: any.
 */
size_t mm_shrink(size_t want);
/* Copy of shrinker number @i; false past the end. */
bool shrinker_info(size_t i, struct shrinker *out);
