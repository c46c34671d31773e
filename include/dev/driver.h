/*
 * driver.h - the driver table: every device driver is one row of it (drivers/table.c).
 */
#pragma once
#include <kern/base.h>

struct driver {
	const char *name;
	const char *what; /* for people: "PS/2 keyboard controller" */
	/* Look for the device and start it: 0, -ENODEV when it is not there, or another -errno. */
	int (*init)(void);
};

extern const struct driver drivers[];
extern const size_t nr_drivers;

/* Start all in table order, log each result.  Returns 0: no driver is a MUST. */
int drivers_init(void);
