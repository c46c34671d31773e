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

/* test_trap.c */
void test_trap_exceptions(void);
void test_trap_write_protection(void);
void test_trap_double_fault(void);
void test_trap_stack_overflow(void);
void test_trap_registers_kept(void);
void test_trap_error_code(void);
void test_trap_unexpected_vector(void);
void test_trap_tables(void);
void test_trap_names(void);
void test_trap_decode(void);
void test_trap_describe(void);
void test_trap_pic_state(void);
void test_trap_pic_spurious(void);
void test_trap_spurious_irq(void);

/* test_irq.c */
void test_irq_vectors(void);
void test_irq_register(void);
void test_irq_gsi(void);
void test_irq_lapic_state(void);
void test_irq_self_ipi(void);
void test_irq_unexpected(void);
void test_irq_stray(void);
void test_irq_lapic_spurious(void);
void test_irq_ioapic_entries(void);
void test_irq_edge_kept(void);
void test_irq_move(void);
void test_irq_lapic_timer_rate(void);

/* test_pmm.c */
void test_pmm_single(void);
void test_pmm_zeroed(void);
void test_pmm_ranges(void);
void test_pmm_double_free(void);
void test_pmm_foreign_free(void);
void test_pmm_unaligned_free(void);
void test_pmm_exhaustion(void);
void test_pmm_stats(void);

/* test_frames.c */
void test_pmm_owners(void);
void test_pmm_owners_return(void);
void test_pmm_owner_named(void);
void test_pmm_zones(void);
void test_pmm_fragments(void);
void test_pmm_interrupts(void);
void test_pmm_every_instruction(void);
void test_pmm_zero_pool(void);
void test_pmm_zero_stop(void);

/* test_vmm.c */
void test_vmm_map_unmap(void);
void test_vmm_arguments(void);
void test_vmm_collision(void);
void test_vmm_protect(void);
void test_vmm_w_xor_x(void);
void test_vmm_layout(void);
void test_vmm_direct_map(void);
void test_vmm_regions(void);
void test_vmm_probe(void);
void test_vmm_mmio(void);
void test_vmm_alloc(void);
void test_vmm_alloc_bounded(void);
void test_vmm_ranges(void);

void test_debug_stack_smash(void); /* debug/test_debug.c, with DEBUG=1 */
void test_debug_undefined(void);

void test_init_freed(void); /* test_init.c */

void test_tlb_small(void); /* test_tlb.c */
void test_tlb_small_global(void);
void test_tlb_large(void);
void test_tlb_many(void);
void test_tlb_split(void);
void test_tlb_merge(void);
void test_tlb_types(void);
void test_tlb_type_kept(void);
void test_tlb_random(void);

/* test_kmalloc.c */
void test_kmalloc_sizes(void);
void test_kmalloc_zeroed(void);
void test_kmalloc_krealloc(void);
void test_kmalloc_double_free(void);
void test_kmalloc_foreign_free(void);
void test_kmalloc_overflow(void);
void test_kmalloc_use_after_free(void);
void test_kmalloc_random(void);
void test_kmalloc_interrupts(void);
void test_kmalloc_slab_cache(void);
void test_kmalloc_no_leak(void);

/* test_slab.c */
void test_slab_align(void);
void test_slab_ctor(void);
void test_slab_all_comes_back(void);
void test_slab_shrinker(void);
void test_slab_owners(void);
void test_slab_sites(void);
void test_slab_check(void);

/* test_fail.c */
void test_fail_nth(void);
void test_fail_site(void);
void test_fail_thread(void);
void test_fail_operations(void);
void test_fail_commands(void);

/* test_stack.c */
void test_stack_alloc(void);
void test_stack_wrong_free(void);
void test_stack_many(void);
void test_stack_guards(void);
void test_stack_watermark(void);
void test_stack_symbols(void);
void test_stack_backtrace(void);
void test_stack_backtrace_leaf(void);
void test_stack_backtrace_null(void);

/* tests/user/test_ring3.c */
void test_user_enter_and_return(void);
void test_user_privileged(void);
void test_user_closed_gate(void);
void test_user_umip(void);
void test_user_exceptions(void);
void test_user_memory(void);
void test_user_no_execute(void);
void test_user_flags(void);
void test_user_preempted(void);
void test_user_smap_smep(void);

/* test_sync.c */
void test_spin_recursion(void);
void test_spin_irq(void);
void test_spin_order(void);
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

/* test_locks.c */
void test_mutex_hand_over(void);
void test_mutex_give_up(void);
void test_mutex_waiters_gone(void);
void test_mutex_stress(void);
void test_rw_phases(void);
void test_rw_stress(void);
void test_rw_writer_not_starved(void);
void test_rw_misuse(void);
void test_completion(void);
void test_completion_kill(void);
void test_sem_hand_over(void);

/* test_lock_order.c */
void test_order_sleeping(void);
void test_order_sleep_in_atomic(void);
void test_order_join_in_atomic(void);
void test_order_in_handler(void);
void test_order_owner(void);
void test_order_exit(void);

/* test_thread.c */
void test_thread_many(void);
void test_thread_detach(void);
void test_thread_join_timeout(void);
void test_thread_kill(void);
void test_thread_kill_spinner(void);
void test_thread_snapshot(void);
void test_thread_watermark(void);

/* test_sched.c */
void test_sched_yield(void);
void test_sched_preempt(void);
void test_sched_preempt_disable(void);
void test_sched_idle(void);
void test_sched_sleep_accuracy(void);
void test_sched_sleep_never_early(void);
void test_sched_sleep_under_load(void);

/* test_share.c */
void test_sched_fair(void);
void test_sched_nice(void);
void test_sched_background(void);
void test_sched_set_nice(void);
void test_sched_latency(void);
void test_sched_wake_order(void);
void test_sched_accounting(void);
void test_sched_sleepers_cost_nothing(void);

/* test_many.c */
void test_thread_thousand(void);
void test_thread_no_leak(void);
void test_thread_no_memory(void);
void test_thread_ids(void);

/* Sleeping threads, as many of those wanted as memory allows; started, and ended again. */
struct many_threads {
	struct thread **thread;
	unsigned n;
};
unsigned many_start(struct many_threads *m, unsigned wanted);
void many_end(struct many_threads *m);

/* test_stress.c */
void test_sched_stress(void);

/* test_time.c */
void test_clock_monotonic(void);
void test_clock_ticks(void);
void test_clock_calibration(void);
void test_clock_sources(void);
void test_clock_corrected(void);
void test_clock_idle(void);
void test_clock_delay(void);
void test_clock_cpu_time(void);
void test_clock_wall(void);
void test_clock_set_wall(void);
void test_timer_order(void);
void test_timer_cancel(void);
void test_timer_rearm(void);
void test_timer_periodic(void);
void test_timer_missed_turns(void);
void test_timer_crowd(void);
void test_timer_many(void);
void test_timer_precise(void);

/* test_dev.c */
void test_console_input(void);
void test_console_full(void);
void test_console_interrupt(void);
void test_console_report(void);
void test_console_irqs_off(void);
void test_vga_memory(void);
void test_serial_state(void);
void test_kbd_layouts(void);
void test_pci_list(void);
void test_acpi_checksums(void);

/* bench.asm */
void bench_int(void);
