/*
 * eventfd.h - event counters as files: eventfd(2) (fs/eventfd.c).
 */
#pragma once
#include <fs/vfs.h>

#define EFD_SEMAPHORE 1

/* NULL = no memory. */
struct file *eventfd_make(uint64_t value, bool semaphore, unsigned flags);
