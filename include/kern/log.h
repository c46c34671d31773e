/*
 * log.h - the kernel log (dmesg) and plain console output.
 *
 * Implementation: kernel/log.c.  A ring of records with level and time; each record also goes to
 * the console when its level is at or below the console level.  Context: any, interrupt handlers
 * and panic included; never sleeps.
 */
#pragma once
#include <stdarg.h>
#include <lib/base.h>

enum log_level { LOG_ERR, LOG_WARN, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/* Append a line to the log (no trailing newline needed).  Longer than LOG_LINE_MAX bytes: cut. */
#define LOG_LINE_MAX 240
void klog(enum log_level level, const char *fmt, ...) PRINTF(2, 3);

#define log_err(...)	klog(LOG_ERR, __VA_ARGS__)
#define log_warn(...)	klog(LOG_WARN, __VA_ARGS__)
#define log_notice(...) klog(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)	klog(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	klog(LOG_DEBUG, __VA_ARGS__)

/* Records up to this level are shown on the console as they come.  Default LOG_INFO; `quiet` makes it LOG_WARN. */
void log_set_console_level(enum log_level level);
enum log_level log_console_level(void);

/* A copy of one record. */
struct log_record {
	uint64_t seq;	  /* number since boot, from 0 */
	uint64_t time_ns; /* clock_ns() when it was logged, 0 before the clock runs */
	enum log_level level;
	char text[LOG_LINE_MAX];
};

/*
 * Copy the oldest record with number >= @seq that is still in the ring.  Returns false when there
 * is none.  The walk: for (seq = 0; log_read(seq, &r); seq = r.seq + 1).
 */
bool log_read(uint64_t seq, struct log_record *out);

/* "[    1.234567] ", as dmesg and the console show a record's time.  As snprintf(). */
int log_stamp(char *buf, size_t size, uint64_t time_ns);

/* Formatted output to the console (kern: not recorded in the log).  Return: bytes. */
int printf(const char *fmt, ...) PRINTF(1, 2);
int vprintf(const char *fmt, va_list ap) PRINTF(1, 0);
