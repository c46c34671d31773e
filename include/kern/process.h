/*
 * process.h - programs: a process is what threads of one program share, a task is one such thread.
 *
 * A task is a kernel thread (kern/thread.h) with a user half: registers in the trap frame at the top of
 * its kernel stack, FPU state, TLS base, signal mask.  Today each process has one task; clone() with
 * thread flags will add more, so what POSIX gives to the process stands in struct process and
 * what it gives to the thread in struct task.  Kernel threads have no task.
 *
 * Life: process_spawn() or fork() makes it, execve() gives it a program, exit or a signal ends it
 * (zombie), wait4() of the parent frees it.  Orphans go to PID 1.
 * Implementation: kernel/proc/.  Theory: docs/processes.md.
 */
#pragma once
#include <kern/base.h>
#include <kern/sync.h>
#include <kern/thread.h>
#include <kern/timer.h>
#include <lib/list.h>
#include <lib/uptr.h>
#include <uapi/signal.h>

struct aspace;
struct file;
struct files;
struct tty;
struct trapframe;
struct fpu_state;

#define TASK_COMM_LEN 16
#define NGROUPS_MAX   32
#define PID_MAX	      32768
#define PROCESSES_MAX 4096    /* in all */
#define FILES_LIMIT   1048576 /* RLIMIT_NOFILE goes no further */
#define NR_RLIMITS    16

/* Things to look at before returning to the program; task->work. */
#define WORK_SIGNAL 1 /* a signal may be deliverable */

/* Legend: [I] set once; [self] only the task itself; [parts] proc->parts_lock; [proc] process_lock; [sig] proc->sig.lock; [a] atomic. */
struct task {
	struct thread *thread;	/* [I] */
	struct process *proc;	/* [I] */
	int tid;		/* [I] */
	struct list node;	/* [proc] in proc->tasks */
	volatile uint32_t work; /* [a] WORK_*; the way out of the kernel (syscall.asm) tests it */
	/* The machine's state that the trap frame does not hold (kernel/x86/task.c). */
	uint64_t fs_base, gs_base; /* [self] while it does not run; else in the CPU */
	struct fpu_state *fpu;	   /* [self] NULL until the FPU was first used */
	/* Signals (kernel/proc/signal.c). */
	k_sigset_t blocked; /* [self] written with sig.lock held */
	k_sigset_t
		saved_blocked; /* [self] to be restored once the handler returns (sigsuspend, pselect) */
	k_sigset_t awaited;   /* [sig] those that sigtimedwait() waits for: kept even if ignored */
	bool restore_blocked; /* [self] */
	k_sigset_t pending;   /* [sig] sent to this thread alone */
	uptr_t altstack;      /* [self] */
	uint64_t altstack_size;	 /* [self] 0 = none */
	uint32_t altstack_flags; /* [self] */
	/* The call that is being made: for restarting, the log, strace. */
	uint64_t syscall_nr; /* [self] of the call that is running, or last ran */
	uptr_t clear_tid;    /* [self] set_tid_address() */
	uptr_t set_tid;	     /* [self] CLONE_CHILD_SETTID: written by its first steps */
	uint64_t restart_ns; /* [self] where nanosleep() goes on, for restart_syscall() */
	uint64_t fault_addr; /* [self] CR2 of the last page fault, for its signal's frame */
	uint64_t user_ticks, system_ticks; /* [c] ticks that came while it ran, by side */
	uptr_t robust_list;		   /* [self] */
	/* Last, since it is large and means something for pending signals only: not zeroed. */
	struct k_siginfo info[NSIG]; /* [sig] */
};

struct cred {
	uint32_t uid, euid, suid, fsuid;
	uint32_t gid, egid, sgid, fsgid;
	unsigned nr_groups;
	uint32_t groups[NGROUPS_MAX];
};

struct rlimit64 {
	uint64_t cur, max;
};

/* Where a process stands in the file system.  [self] today; a lock comes with threads that share it. */
struct fs_context;

struct process {
	int pid;			 /* [I] */
	unsigned refs;			 /* [proc] its place in the tables, and who looks at it */
	struct process *parent;		 /* [proc] */
	struct list children, sibling;	 /* [proc] */
	struct list all_node, hash_node; /* [proc] */
	struct list tasks;		 /* [proc] */
	int pgid, sid;			 /* [proc] */
	enum { PROC_ALIVE, PROC_ZOMBIE } state; /* [proc] */
	int exit_status;			/* [proc] as wait4() gives it */
	bool stopped, stop_reported;		/* [proc] */
	bool continued;				/* [proc] and not reported yet */
	int exit_signal;		/* [proc] what the parent gets at the end; 0 = nothing */
	int death_signal;		/* [self] what it gets when the parent ends */
	int dumpable;			/* [self] prctl() */
	bool no_new_privs;		/* [self] */
	uint32_t personality;		/* [self] */
	int stop_signal;		/* [proc] */
	bool execed;			/* [proc] setpgid() of the parent comes too late */
	bool kernel_child;		/* [proc] process_wait() will come for it */
	struct wait_queue child_wait;	/* where it waits for its children */
	volatile uint32_t child_events; /* [a] counts what happened to them, for who waits there */
	struct wait_queue
		vfork_wait; /* where the parent of a vfork() waits; woken by exec and exit */
	bool vforked;	    /* [proc] the parent waits there */
	/* What others may look at (kernel/proc/parts.c): written by the process itself with parts_lock held. */
	struct spinlock parts_lock;
	struct aspace *as;		     /* [parts] NULL once it has exited */
	struct files *files;		     /* [parts] the same */
	struct fs_context *fs;		     /* [parts] the same */
	struct cred cred;		     /* [self] written by its own calls only */
	struct rlimit64 rlimits[NR_RLIMITS]; /* [proc] */
	char comm[TASK_COMM_LEN];	     /* [self] */
	struct file *exe;		     /* [parts] for /proc/PID/exe and symbolised faults */
	struct tty *tty;       /* [proc] controlling terminal of its session, or NULL */
	int nice_value;	       /* [proc] */
	int oom_adj;	       /* [proc] */
	uint64_t last_missing; /* [self] number of the last call that there is none of */
	bool oom_killed;       /* [proc] */

	struct {
		struct spinlock lock;
		struct k_sigaction action[NSIG]; /* [sig] */
		k_sigset_t pending;		 /* [sig] sent to the process; siginfo: below */
		struct list queued;		 /* [sig] real-time signals, in order */
		bool exiting;			 /* [sig] a fatal one is on its way */
		unsigned nr_queued;		 /* [sig] */
		volatile bool wake_stopped;	 /* [sig] SIGCONT or SIGKILL came */
		struct wait_queue continued;	 /* where it waits while it is stopped */
	} sig;

	/* Times: nanoseconds of the clock, or TSC cycles (kernel/proc/times.c). */
	uint64_t start_ns;
	uint64_t utime_cycles, stime_cycles;		 /* of its tasks that ended */
	uint64_t child_utime_cycles, child_stime_cycles; /* of children that were waited for */
	uint64_t voluntary;				 /* switches of tasks that ended */
	uint64_t alarm_ns;				 /* when it rings next, 0 = not armed */
	uint64_t minor_faults, major_faults, child_minor_faults, child_major_faults, max_rss;
	struct timer alarm; /* ITIMER_REAL */
	uint64_t alarm_interval_ns;
	/* As that of a task. */
	struct k_siginfo pending_info[NSIG]; /* [sig] */
};

/* The running task; NULL in kernel threads. */
static inline struct task *
task_self(void)
{
	return thread_self()->task;
}

static inline struct process *
process_self(void)
{
	return thread_self()->task->proc;
}

extern struct list process_all; /* [proc] struct process.all_node, in order of age */

/* Guards the tree and tables of processes.  A mutex: walks are long.  Order: docs/locking.md. */
extern struct mutex process_lock;

/* Init row "processes": tables and PID 1's place.  0 or -ENOMEM. */
int process_init(void);

/*
 * Start the program @path with @argv and @envp (NULL-terminated, kernel memory) as a new process whose
 * parent is PID 1, with file descriptors 0-2 on the console.  In the foreground it leads a session there, and what is
 * typed is its until tty_give_console_back(); in the background it reads from /dev/null.
 * Its pid, or -errno of execve().
 * For the shell.  Context: thread.
 */
int process_spawn(const char *path, char *const *argv, char *const *envp, bool foreground);
/* The same for PID 1, before any other: what the kernel's own was. */
int process_spawn_init(const char *path, char *const *argv, char *const *envp);
/* Nobody will wait for such a process. */
void process_disown(int pid);
/* Wait for such a process; its status as wait4() gives it, or -EINTR, -ECHILD. */
int process_wait(int pid, int *status);

/* How many there have been since the start, and the number that the last one got.  process_lock is held. */
extern uint64_t process_nr_started;
extern int process_last_pid;

/* Find by number and take a reference; NULL.  Give it back. */
struct process *process_get(int pid);
void process_put(struct process *p);

/*
 * What another process, or this one, has (kernel/proc/parts.c).  Each with a reference for the caller; NULL, -1 or
 * -ESRCH when it has none, as when it has ended.
 */
struct path;
struct aspace *process_aspace(struct process *p);
struct file *process_exe(struct process *p);
struct file *process_file(struct process *p, int fd);
int process_next_fd(struct process *p, int fd); /* the lowest descriptor in use from @fd on */
int process_place(struct process *p, bool root, struct path *out);

/* End the calling process: @status as wait4() gives it.  Does not return. */
NORETURN void process_exit(int status);

/* Memory is short: end the process that holds most.  True: try again (kernel/proc/oom.c). */
bool oom_kill(void);
/* How much that would be @p, as /proc/PID/oom_score has it. */
int oom_score(struct process *p);
/* Is there a group of this number in the session; @sid 0 = in any? */
bool process_group_in_session(int pgid, int sid);

/* --- signals (kernel/proc/signal.c) ------------------------------------------------------------- */

/* Send @info->signo.  0, -ESRCH (it is a zombie), -EAGAIN (queue full).  Context: any. */
int signal_send(struct process *p, const struct k_siginfo *info);
int signal_send_task(struct task *t, const struct k_siginfo *info);
/* To all of a process group: 0 or -ESRCH. */
int signal_send_group(int pgid, const struct k_siginfo *info);
int signal_send_group_locked(int pgid, const struct k_siginfo *info) REQUIRES(process_lock);
/* All that waits goes; handlers go, what was ignored stays so. */
void signal_flush(struct process *p);
void signal_reset_for_exec(struct process *p);
/* A fault of the running task: cannot be ignored or blocked.  Context: the task itself. */
void signal_fault(struct trapframe *tf, int signo, int code, uint64_t addr);
/* May a sleep of the calling task be ended by a signal now? */
bool signal_pending(void);
/*
 * From syscall.asm and trap.asm, interrupts on, before returning to ring 3 when task->work is not 0:
 * delivers signals, stops, or ends the process.
 */
void task_work(struct trapframe *tf);

/*
 * What an interrupted system call returns inside the kernel; task_work() turns it into -EINTR or
 * runs the call again.  Never seen by programs.  Values: as Linux has them internally.
 */
#define ERESTARTSYS	      512 /* again if the handler has SA_RESTART, or there is none */
#define ERESTARTNOINTR	      513 /* always again */
#define ERESTARTNOHAND	      514 /* again only when no handler ran */
#define ERESTART_RESTARTBLOCK 516 /* the same, by restart_syscall() */

/* The machine's name as uname() gives it, and a new one: 0 or -EINVAL (too long).  kernel/sys_info.c. */
void host_name_get(char *buf); /* UTSNAME_LEN bytes */
int host_name_set(const char *name);

/* --- CPU time (kernel/proc/times.c) --------------------------------------------------------------- */

struct k_rusage;
/* In units of 10 ms. */
uint64_t process_ticks(const struct process *p, bool user);
/* @who as getrusage() has it, or RUSAGE_BOTH. */
void process_usage(const struct process *p, int who, struct k_rusage *out);
/* A tick: it counts for the program or the kernel, whichever it interrupted.  Interrupts off. */
void process_tick(void);
/* The ticks that interrupted programs, and the kernel while it worked for one, since the start. */
struct cpu_ticks {
	uint64_t user, system;
};
struct cpu_ticks process_all_ticks(void);
/* Load averages of 1, 5 and 15 minutes (@which 0, 1, 2), in 1/65536. */
uint64_t load_average(unsigned which);
/* @t ends: what it used is its process's. */
void process_note_times(struct task *t);
