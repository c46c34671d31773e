/*
 * log_keep.h - the log of this boot where the next one finds it; the log of the one before.
 *
 * Implementation: kernel/log_keep.c over kernel/keep.c.  The place is LOG_KEEP_PHYS (mm/layout.h).
 */
#pragma once
#include <kern/base.h>
#include <kern/keep.h>

/* Find the last boot's log and begin this one's.  Called once, when the memory map is known. */
void log_keep_init(void);
/* From klog(), its lock held. */
void log_keep_line(enum log_level level, uint64_t time_ns, const char *text, size_t len);
/* Output of a panic, as it goes to the console. */
void log_keep_text(const char *s, size_t n);
/* The report is complete: what is printed from now on is not kept. */
void log_keep_stop(void);

/*
 * Walk through the last boot's log: *@pos is 0 at first.  1 and a record, 0 at the end, -EIO when
 * the rest is damaged, -ENOENT when there is none, -EINVAL when there is one and it is refused.
 */
int log_keep_read(uint64_t *pos, struct keep_record *r, char *text);
/* Number of the boot that wrote it; 0 = there is none. */
uint64_t log_keep_boot(void);
/* Why there can be none: NULL if there can. */
const char *log_keep_problem(void);
