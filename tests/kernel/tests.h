/*
 * tests.h - all tests that run inside the kernel.  The table: tests/kernel/table.c.
 */
#pragma once
#include <kern/irq.h>
#include <kern/selftest.h>

/* test_lib.c */
void test_lib_memory(void);
void test_lib_printf(void);
void test_lib_crc32(void);
void test_log_record(void);
void test_log_wrap(void);

/* test_sync.c */
void test_spin_recursion(void);
void test_spin_irq(void);
void test_wait_timeout(void);
void test_wait_no_lost_wake(void);
void test_wait_order(void);
void test_wait_ping_pong(void);
void test_mutex_contention(void);
void test_mutex_no_starvation(void);
void test_mutex_misuse(void);
void test_sem_producer_consumer(void);
void test_sem_timeout(void);
void test_sem_kill(void);
void test_work_order(void);

/* test_thread.c */
void test_thread_no_leak(void);
void test_thread_many(void);
void test_thread_detach(void);
void test_thread_join_timeout(void);
void test_thread_kill(void);
void test_thread_kill_spinner(void);
void test_thread_snapshot(void);

/* test_sched.c */
void test_sched_yield(void);
void test_sched_preempt(void);
void test_sched_preempt_disable(void);
void test_sched_fair(void);
void test_sched_idle(void);
void test_sched_sleep_accuracy(void);
void test_sched_sleep_never_early(void);
void test_sched_sleep_under_load(void);

/* test_time.c */
void test_clock_monotonic(void);
void test_clock_ticks(void);
void test_clock_calibration(void);
void test_clock_delay(void);
void test_clock_cpu_time(void);
void test_clock_wall(void);
void test_clock_set_wall(void);
void test_timer_order(void);
void test_timer_cancel(void);
void test_timer_rearm(void);
