/*
 * bench.h - what the kernel's hot paths cost.
 *
 * Implementation: tests/kernel/bench.c.  Under `-icount shift=0` one TSC cycle is one instruction.
 */
#pragma once

/* Measure and print a line `bench NAME CYCLES` each.  Context: thread. */
void bench_run(void);
