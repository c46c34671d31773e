/*
 * show.h - between the files of kernel/proc that say what stands in /proc.
 */
#pragma once
#include <fs/procfs.h>
#include <kern/process.h>

struct text;

extern const struct proc_file proc_system_files[], proc_process_files[];
/* R, S, T or Z, as in /proc/PID/stat. */
char process_state(const struct process *p);
void show_mounts(struct text *t, struct process *p);
