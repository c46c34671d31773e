/*
 * kdb.h - the debugger that a panic ends in: looks at the machine as it stopped.
 *
 * Implementation: kernel/kdb.c (prompt), kdb_cmds.c (its commands), kdb_threads.c.  It polls both
 * consoles, allocates nothing and believes no pointer.  docs/traps.md, "The panic debugger".
 * Context: interrupts off, on the panic stack, after the report.
 */
#pragma once
#include <lib/base.h>

struct trapframe;

/* Say that a key opens it, wait for one, then read and run commands. */
NORETURN void kdb_wait(void);
/* Has kdb_wait() been entered? */
bool kdb_active(void);
/* A command failed with the exception or panic of @tf, described by @text: back to the prompt. */
NORETURN void kdb_again(const struct trapframe *tf, const char *text);
