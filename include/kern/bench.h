/*
 * bench.h - what the kernel's hot paths cost.
 *
 * Implementation: tests/kernel/bench.c, bench_frames.c.  Under `-icount shift=0` one TSC cycle is one instruction.
 */
#pragma once

/* Measure and print a line `bench NAME CYCLES` each.  Context: thread. */
void bench_run(void);
/*
 * The same for page frames with @percent of memory used, what is free being scattered; all of it
 * is given back.  Context: thread; others find memory short meanwhile.
 */
void bench_frames(unsigned percent);
