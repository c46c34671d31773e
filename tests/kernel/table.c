/*
 * table.c - the list of tests that run inside the kernel: name (group, dot, what) and function.
 *
 * `test sched` at the prompt runs those whose names begin with "sched".
 */
#include "tests.h"

/* clang-format off */
const struct selftest selftests[] = {
	{ "lib.memory",		   test_lib_memory },
	{ "lib.printf",		   test_lib_printf },
	{ "lib.crc32",		   test_lib_crc32 },
	{ "log.record",		   test_log_record },
	{ "log.wrap",		   test_log_wrap },
	{ "spin.recursion",	   test_spin_recursion },
	{ "spin.irq",		   test_spin_irq },
	{ "clock.monotonic",	   test_clock_monotonic },
	{ "clock.ticks",	   test_clock_ticks },
	{ "clock.calibration",	   test_clock_calibration },
	{ "clock.delay",	   test_clock_delay },
	{ "clock.cpu_time",	   test_clock_cpu_time },
	{ "clock.wall",		   test_clock_wall },
	{ "clock.set_wall",	   test_clock_set_wall },
	{ "timer.order",	   test_timer_order },
	{ "timer.cancel",	   test_timer_cancel },
	{ "timer.rearm",	   test_timer_rearm },
	{ "wait.timeout",	   test_wait_timeout },
	{ "wait.no_lost_wake",	   test_wait_no_lost_wake },
	{ "wait.order",		   test_wait_order },
	{ "wait.ping_pong",	   test_wait_ping_pong },
	{ "mutex.contention",	   test_mutex_contention },
	{ "mutex.no_starvation",   test_mutex_no_starvation },
	{ "mutex.misuse",	   test_mutex_misuse },
	{ "sem.producer_consumer", test_sem_producer_consumer },
	{ "sem.timeout",	   test_sem_timeout },
	{ "sem.kill",		   test_sem_kill },
	{ "work.order",		   test_work_order },
	{ "thread.no_leak",	   test_thread_no_leak },
	{ "thread.many",	   test_thread_many },
	{ "thread.detach",	   test_thread_detach },
	{ "thread.join_timeout",   test_thread_join_timeout },
	{ "thread.kill",	   test_thread_kill },
	{ "thread.kill_spinner",   test_thread_kill_spinner },
	{ "thread.snapshot",	   test_thread_snapshot },
	{ "sched.yield",	   test_sched_yield },
	{ "sched.preempt",	   test_sched_preempt },
	{ "sched.preempt_disable", test_sched_preempt_disable },
	{ "sched.fair",		   test_sched_fair },
	{ "sched.idle",		   test_sched_idle },
	{ "sched.sleep_accuracy",  test_sched_sleep_accuracy },
	{ "sched.never_early",	   test_sched_sleep_never_early },
	{ "sched.sleep_under_load", test_sched_sleep_under_load },
};
/* clang-format on */

const size_t nr_selftests = ARRAY_SIZE(selftests);
