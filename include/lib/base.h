/*
 * base.h - types and small macros that every part of MinOS shares: kernel, loader and host tests.
 *
 * Pure C, no state.  Ranges are [start, end); sizes are bytes unless the name says otherwise.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef __PTRDIFF_TYPE__ ssize_t; /* as POSIX: a size or a negative errno */

#define ARRAY_SIZE(a)		 (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)		 ((a) < (b) ? (a) : (b))
#define MAX(a, b)		 ((a) > (b) ? (a) : (b))
#define ALIGN_DOWN(x, a)	 ((x) & ~((__typeof__(x))(a)-1))
#define ALIGN_UP(x, a)		 ALIGN_DOWN((x) + ((__typeof__(x))(a)-1), a)
#define IS_ALIGNED(x, a)	 (((x) & ((__typeof__(x))(a)-1)) == 0)
#define BIT(n)			 (1ULL << (n))
#define KIB(n)			 ((uint64_t)(n) << 10)
#define MIB(n)			 ((uint64_t)(n) << 20)
#define GIB(n)			 ((uint64_t)(n) << 30)
#define container_of(p, type, m) ((type *)((char *)(p)-offsetof(type, m)))

#define PACKED	      __attribute__((packed))
#define NORETURN      __attribute__((noreturn))
#define UNUSED	      __attribute__((unused))
/* Also where size counts more than speed: for functions that note the address of their caller. */
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define PRINTF(f, a)  __attribute__((format(__printf__, f, a)))
#define MUST_CHECK    __attribute__((warn_unused_result))
/* For the kernel's start alone: given back once it is up (kern/init.h). */
#define INIT	      __attribute__((section(".init.text")))
#define INIT_DATA     __attribute__((section(".init.data")))
#define INIT_CONST    __attribute__((section(".init.rodata"))) /* for const data */
/* Stays, and calls INIT code all the same, because it runs only while that is there. */
#define INIT_CALLER   __attribute__((section(".text.init_caller")))
#define likely(x)     __builtin_expect(!!(x), 1)
#define unlikely(x)   __builtin_expect(!!(x), 0)

/* From here to the end of the file GCC makes no calls out of loops (clang does not with -ffreestanding). */
#if defined(__GNUC__) && !defined(__clang__)
#define NO_LOOP_CALLS _Pragma("GCC optimize(\"no-tree-loop-distribute-patterns\")")
#else
#define NO_LOOP_CALLS
#endif
