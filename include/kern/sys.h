/*
 * sys.h - prototypes of all system calls (kernel/sys_*.c), for the table.
 */
#pragma once
#include <kern/base.h>
#include <lib/uptr.h>

/* kernel/proc/exec.c */
int64_t sys_execve(uptr_t path, uptr_t argv, uptr_t envp);
int64_t sys_execveat(int dirfd, uptr_t path, uptr_t argv, uptr_t envp, int flags);

/* kernel/proc/fork.c */
int64_t sys_fork(void);
int64_t sys_vfork(void);
int64_t sys_clone(uint64_t flags, uint64_t stack, uptr_t parent_tid, uptr_t child_tid,
		  uint64_t tls);

/* kernel/proc/wait.c */
int64_t sys_wait4(int pid, uptr_t status, int options, uptr_t usage);
int64_t sys_waitid(int type, int id, uptr_t out, int options, uptr_t usage);

/* kernel/sys_cred.c */
int64_t sys_getuid(void);
int64_t sys_geteuid(void);
int64_t sys_getgid(void);
int64_t sys_getegid(void);
int64_t sys_setuid(unsigned uid);
int64_t sys_setgid(unsigned gid);
int64_t sys_setreuid(unsigned real, unsigned effective);
int64_t sys_setregid(unsigned real, unsigned effective);
int64_t sys_setresuid(unsigned real, unsigned effective, unsigned saved);
int64_t sys_setresgid(unsigned real, unsigned effective, unsigned saved);
int64_t sys_getresuid(uptr_t real, uptr_t effective, uptr_t saved);
int64_t sys_getresgid(uptr_t real, uptr_t effective, uptr_t saved);
int64_t sys_setfsuid(unsigned uid);
int64_t sys_setfsgid(unsigned gid);
int64_t sys_getgroups(int n, uptr_t list);
int64_t sys_setgroups(int n, uptr_t list);

/* kernel/sys_file.c */
int64_t sys_read(int fd, uptr_t buf, uint64_t count);
int64_t sys_write(int fd, uptr_t buf, uint64_t count);
int64_t sys_pread64(int fd, uptr_t buf, uint64_t count, int64_t offset);
int64_t sys_pwrite64(int fd, uptr_t buf, uint64_t count, int64_t offset);
int64_t sys_readv(int fd, uptr_t list, uint64_t n);
int64_t sys_writev(int fd, uptr_t list, uint64_t n);
int64_t sys_preadv(int fd, uptr_t list, uint64_t n, int64_t offset);
int64_t sys_pwritev(int fd, uptr_t list, uint64_t n, int64_t offset);
int64_t sys_lseek(int fd, int64_t offset, unsigned whence);
int64_t sys_close(int fd);
int64_t sys_close_range(unsigned first, unsigned last, unsigned flags);
int64_t sys_dup(int fd);
int64_t sys_dup2(int fd, int to);
int64_t sys_dup3(int fd, int to, int flags);
int64_t sys_fcntl(int fd, int cmd, uint64_t arg);
int64_t sys_flock(int fd, int operation);
int64_t sys_ioctl(int fd, unsigned cmd, uint64_t arg);
int64_t sys_fsync(int fd);
int64_t sys_fdatasync(int fd);
int64_t sys_sync(void);
int64_t sys_syncfs(int fd);
int64_t sys_ftruncate(int fd, int64_t size);
int64_t sys_fallocate(int fd, int mode, int64_t offset, int64_t len);
int64_t sys_fadvise64(int fd, int64_t offset, uint64_t len, int advice);
int64_t sys_getdents64(int fd, uptr_t buf, unsigned count);

/* kernel/sys_info.c */
int64_t sys_uname(uptr_t out);
int64_t sys_reboot(unsigned magic1, unsigned magic2, unsigned cmd, uptr_t arg);
int64_t sys_sethostname(uptr_t name, int len);
int64_t sys_setdomainname(uptr_t name, int len);
int64_t sys_sysinfo(uptr_t out);
int64_t sys_getrandom(uptr_t buf, uint64_t n, unsigned flags);
int64_t sys_prlimit64(int pid, unsigned which, uptr_t new, uptr_t old);
int64_t sys_getrlimit(unsigned which, uptr_t out);
int64_t sys_setrlimit(unsigned which, uptr_t in);
int64_t sys_getrusage(int who, uptr_t out);
int64_t sys_times(uptr_t out);

/* kernel/sys_mm.c */
int64_t sys_mmap(uint64_t addr, uint64_t len, uint64_t prot, uint64_t flags, int fd,
		 uint64_t offset);
int64_t sys_munmap(uint64_t addr, uint64_t len);
int64_t sys_mprotect(uint64_t addr, uint64_t len, uint64_t prot);
int64_t sys_mremap(uint64_t old, uint64_t old_len, uint64_t new_len, uint64_t flags,
		   uint64_t new_addr);
int64_t sys_brk(uint64_t end);
int64_t sys_madvise(uint64_t addr, uint64_t len, int advice);
int64_t sys_msync(uint64_t addr, uint64_t len, int flags);
int64_t sys_mincore(uint64_t addr, uint64_t len, uptr_t out);
int64_t sys_mlock(uint64_t addr, uint64_t len);
int64_t sys_munlock(uint64_t addr, uint64_t len);
int64_t sys_mlockall(int flags);
int64_t sys_munlockall(void);

/* kernel/sys_path.c */
int64_t sys_open(uptr_t path, int flags, unsigned mode);
int64_t sys_openat(int dirfd, uptr_t path, int flags, unsigned mode);
int64_t sys_creat(uptr_t path, unsigned mode);
int64_t sys_mkdir(uptr_t path, unsigned mode);
int64_t sys_mkdirat(int dirfd, uptr_t path, unsigned mode);
int64_t sys_mknod(uptr_t path, unsigned mode, uint64_t dev);
int64_t sys_mknodat(int dirfd, uptr_t path, unsigned mode, unsigned dev);
int64_t sys_rmdir(uptr_t path);
int64_t sys_unlink(uptr_t path);
int64_t sys_unlinkat(int dirfd, uptr_t path, int flags);
int64_t sys_renameat2(int from_fd, uptr_t from, int to_fd, uptr_t to, unsigned flags);
int64_t sys_renameat(int from_fd, uptr_t from, int to_fd, uptr_t to);
int64_t sys_rename(uptr_t from, uptr_t to);
int64_t sys_linkat(int from_fd, uptr_t from, int to_fd, uptr_t to, int flags);
int64_t sys_link(uptr_t from, uptr_t to);
int64_t sys_symlinkat(uptr_t target, int dirfd, uptr_t path);
int64_t sys_symlink(uptr_t target, uptr_t path);
int64_t sys_readlinkat(int dirfd, uptr_t path, uptr_t buf, int size);
int64_t sys_readlink(uptr_t path, uptr_t buf, int size);
int64_t sys_getcwd(uptr_t buf, uint64_t size);
int64_t sys_chdir(uptr_t path);
int64_t sys_fchdir(int fd);
int64_t sys_chroot(uptr_t path);
int64_t sys_umask(unsigned mask);

/* kernel/sys_pipe.c */
int64_t sys_pipe2(uptr_t out, int flags);
int64_t sys_pipe(uptr_t out);
int64_t sys_eventfd2(unsigned value, int flags);
int64_t sys_eventfd(unsigned value);
int64_t sys_sendfile(int out_fd, int in_fd, uptr_t offset, uint64_t count);

/* kernel/sys_poll.c */
int64_t sys_poll(uptr_t fds, unsigned n, int timeout_ms);
int64_t sys_ppoll(uptr_t fds, unsigned n, uptr_t timeout, uptr_t mask, uint64_t size);
int64_t sys_select(int n, uptr_t in, uptr_t out, uptr_t except, uptr_t timeout);
int64_t sys_pselect6(int n, uptr_t in, uptr_t out, uptr_t except, uptr_t timeout, uptr_t mask);

/* kernel/sys_proc.c */
int64_t sys_getpid(void);
int64_t sys_gettid(void);
int64_t sys_getppid(void);
int64_t sys_exit(int status);
int64_t sys_exit_group(int status);
int64_t sys_setpgid(int pid, int pgid);
int64_t sys_getpgid(int pid);
int64_t sys_getpgrp(void);
int64_t sys_getsid(int pid);
int64_t sys_setsid(void);
int64_t sys_rseq(void);
int64_t sys_set_tid_address(uptr_t at);
int64_t sys_set_robust_list(uptr_t head, uint64_t len);
int64_t sys_get_robust_list(int pid, uptr_t head, uptr_t len);
int64_t sys_arch_prctl(int code, uint64_t addr);
int64_t sys_prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
int64_t sys_personality(uint64_t persona);
int64_t sys_sched_yield(void);
int64_t sys_getcpu(uptr_t cpu, uptr_t node);
int64_t sys_sched_getaffinity(int pid, unsigned len, uptr_t mask);
int64_t sys_sched_setaffinity(int pid, unsigned len, uptr_t mask);
int64_t sys_sched_getscheduler(int pid);
int64_t sys_sched_getparam(int pid, uptr_t param);
int64_t sys_sched_get_priority_max(int policy);
int64_t sys_sched_get_priority_min(int policy);
int64_t sys_getpriority(int which, int who);
int64_t sys_setpriority(int which, int who, int nice);

/* kernel/sys_signal.c */
int64_t sys_rt_sigaction(int signo, uptr_t new, uptr_t old, uint64_t size);
int64_t sys_rt_sigprocmask(int how, uptr_t new, uptr_t old, uint64_t size);
int64_t sys_rt_sigpending(uptr_t out, uint64_t size);
int64_t sys_pause(void);
int64_t sys_rt_sigsuspend(uptr_t mask, uint64_t size);
int64_t sys_rt_sigtimedwait(uptr_t wanted, uptr_t info, uptr_t timeout, uint64_t size);
int64_t sys_rt_sigreturn(void);
int64_t sys_sigaltstack(uptr_t new, uptr_t old);
int64_t sys_kill(int pid, int signo);
int64_t sys_tkill(int tid, int signo);
int64_t sys_tgkill(int tgid, int tid, int signo);
int64_t sys_rt_sigqueueinfo(int pid, int signo, uptr_t in);

/* kernel/sys_stat.c */
int64_t sys_stat(uptr_t path, uptr_t out);
int64_t sys_lstat(uptr_t path, uptr_t out);
int64_t sys_fstat(int fd, uptr_t out);
int64_t sys_newfstatat(int dirfd, uptr_t path, uptr_t out, int flags);
int64_t sys_statx(int dirfd, uptr_t path, int flags, unsigned mask, uptr_t out);
int64_t sys_access(uptr_t path, int mode);
int64_t sys_faccessat(int dirfd, uptr_t path, int mode);
int64_t sys_faccessat2(int dirfd, uptr_t path, int mode, int flags);
int64_t sys_chmod(uptr_t path, unsigned mode);
int64_t sys_fchmod(int fd, unsigned mode);
int64_t sys_fchmodat(int dirfd, uptr_t path, unsigned mode);
int64_t sys_fchownat(int dirfd, uptr_t path, unsigned uid, unsigned gid, int flags);
int64_t sys_chown(uptr_t path, unsigned uid, unsigned gid);
int64_t sys_lchown(uptr_t path, unsigned uid, unsigned gid);
int64_t sys_fchown(int fd, unsigned uid, unsigned gid);
int64_t sys_utimensat(int dirfd, uptr_t path, uptr_t times, int flags);
int64_t sys_utimes(uptr_t path, uptr_t times);
int64_t sys_futimesat(int dirfd, uptr_t path, uptr_t times);
int64_t sys_utime(uptr_t path, uptr_t times);
int64_t sys_truncate(uptr_t path, int64_t size);
int64_t sys_statfs(uptr_t path, uptr_t out);
int64_t sys_fstatfs(int fd, uptr_t out);

/* kernel/sys_time.c */
int64_t sys_clock_gettime(int id, uptr_t out);
int64_t sys_clock_getres(int id, uptr_t out);
int64_t sys_clock_settime(int id, uptr_t in);
int64_t sys_gettimeofday(uptr_t tv, uptr_t tz);
int64_t sys_settimeofday(uptr_t tv, uptr_t tz);
int64_t sys_time(uptr_t out);
int64_t sys_clock_nanosleep(int id, int flags, uptr_t request, uptr_t left);
int64_t sys_nanosleep(uptr_t request, uptr_t left);
int64_t sys_restart_syscall(void);
int64_t sys_alarm(unsigned seconds);
/* sys_socket.c */
int64_t sys_socket(int family, int type, int protocol);
int64_t sys_socketpair(int family, int type, int protocol, uptr_t out);
int64_t sys_bind(int fd, uptr_t addr, int len);
int64_t sys_listen(int fd, int backlog);
int64_t sys_connect(int fd, uptr_t addr, int len);
int64_t sys_accept(int fd, uptr_t addr, uptr_t len);
int64_t sys_accept4(int fd, uptr_t addr, uptr_t len, int flags);
int64_t sys_getsockname(int fd, uptr_t addr, uptr_t len);
int64_t sys_getpeername(int fd, uptr_t addr, uptr_t len);
int64_t sys_shutdown(int fd, int how);
int64_t sys_sendto(int fd, uptr_t buf, uint64_t n, unsigned flags, uptr_t addr, int len);
int64_t sys_recvfrom(int fd, uptr_t buf, uint64_t n, unsigned flags, uptr_t addr, uptr_t len);
int64_t sys_sendmsg(int fd, uptr_t message, unsigned flags);
int64_t sys_recvmsg(int fd, uptr_t message, unsigned flags);
int64_t sys_setsockopt(int fd, int level, int name, uptr_t value, int len);
int64_t sys_getsockopt(int fd, int level, int name, uptr_t value, uptr_t len);

int64_t sys_getitimer(int which, uptr_t out);
int64_t sys_setitimer(int which, uptr_t in, uptr_t out);
