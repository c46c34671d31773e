/*
 * work.h - what an interrupt handler leaves to be done by a thread ("worker"), in order.
 */
#pragma once
#include <kern/base.h>
#include <lib/list.h>

struct work {
	struct list node; /* [queue] */
	void (*fn)(struct work *);
};

#define WORK_INIT(var, func)                                \
	{                                                   \
		.node = LIST_INIT((var).node), .fn = (func) \
	}

int work_init(void); /* starts the worker thread; 0 or -ENOMEM */
/* Queue @w unless it is queued already (then false).  Context: any. */
bool work_queue(struct work *w);
/* Wait until everything queued before this call is done.  Context: thread. */
void work_flush(void);
