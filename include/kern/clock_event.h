/*
 * clock_event.h - devices that interrupt when asked to, and what they are asked for.
 *
 * Implementation: kernel/clock_event.c.  Devices: drivers/pit.c, drivers/hpet.c, the local APIC.  One of
 * them is used: it is set to the first of all that is to come (a timer, the tick while a thread runs, a
 * look at the clock), and set anew when it has fired.  While nothing is to come there is no interrupt.
 * Theory: docs/time.md.
 */
#pragma once
#include <kern/base.h>

/*
 * The longest time between two interrupts, however little is to come.  QEMU 7.2, while it records, hands bytes that
 * were typed over to the guest when a timer of the guest fires (docs/time-travel.md): without this they would wait
 * for seconds.
 */
#define CLOCK_EVENT_MAX_NS 100000000UL

struct clock_event {
	const char *name;
	int rating;		 /* the higher, the better: PIT 100, HPET 150 */
	uint64_t min_ns, max_ns; /* what arm_oneshot() can do; it is not asked for anything else */
	int (*start_periodic)(unsigned hz); /* for a device without arm_oneshot.  0 or -errno */
	void (*arm_oneshot)(
		uint64_t delta_ns); /* instead of what was armed; NULL = cannot.  Interrupts off */
	void (*stop)(void);	    /* no more interrupts.  Interrupts off */
};

/*
 * @ev (which must live for ever) can be used; it is, from now on, if its rating is the highest so far,
 * and the one before it is stopped.  0, or -EINVAL, or what start_periodic() said.  Context: boot, thread.
 */
int clock_event_register(const struct clock_event *ev);
/* The device has fired.  Called by its interrupt handler, interrupts off. */
void clock_event_fired(void);

/* A timer is armed for @deadline_ns, earlier than clock_event_next_ns.  Context: any. */
void clock_event_need(uint64_t deadline_ns);
/* clock_ns() at which the device will fire; 0 while that is of no interest (none yet, or it is being set anyway). */
extern volatile uint64_t clock_event_next_ns; /* [c] */

/* The idle thread is about to be left: ticks are wanted again.  Interrupts off. */
void clock_idle_exit(void);

struct clock_event_info {
	const struct clock_event *device; /* NULL = none yet */
	uint64_t fired;			  /* interrupts of all devices since boot */
	uint64_t ticks;			  /* of those, ones that were a tick */
	uint64_t armed;			  /* times a device was set */
	uint64_t worst_late_ns;		  /* longest time an interrupt came late since boot */
};
void clock_event_info(struct clock_event_info *out);
/* Timer interrupts so far. */
uint64_t clock_event_count(void);
