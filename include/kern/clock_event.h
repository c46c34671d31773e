/*
 * clock_event.h - a device that interrupts: regularly, or once after a time.
 *
 * Implementation: kernel/clock_event.c.
 */
#pragma once
#include <kern/base.h>

/* All are called with interrupts off. */
struct clock_event {
	const char *name;
	int rating;			    /* higher is better */
	uint64_t min_ns, max_ns;	    /* what arm_oneshot() can do */
	int (*start_periodic)(unsigned hz); /* 0 or -errno */
	void (*arm_oneshot)(uint64_t delta_ns);
	void (*stop)(void);
};

/*
 * Offer a device; the highest rating is used.  0, or what its start_periodic() says: then the one
 * before goes on.  Context: thread.
 */
int clock_event_register(const struct clock_event *ev);
/* The device's interrupt came.  From its handler, interrupts off. */
void clock_event_fired(void);
/* The one in use, or NULL. */
const struct clock_event *clock_event_current(void);
