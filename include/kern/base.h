/*
 * base.h - what every kernel file includes: types, page constants, errno, log, assert.
 */
#pragma once
#include <lib/base.h>
#include <lib/errno.h>
#include <lib/annot.h>
#include <mm/layout.h>
#include <kern/log.h>
#include <kern/panic.h>

typedef uint64_t paddr_t;  /* physical address, bytes */
typedef uintptr_t vaddr_t; /* kernel virtual address */

#define PADDR_NONE ((paddr_t)-1)
